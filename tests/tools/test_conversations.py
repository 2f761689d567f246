"""The demo's conversations, over HTTP, two workers, killed in the middle."""

import pytest

from dev.demo import conversations
from dev.harness.scene import Scene


@pytest.mark.parametrize("name", sorted(conversations.ALL))
def test_a_lost_conversation_goes_through_killed_workers(name, workers, site, bench):
	conversations.ALL[name](Scene(workers, bench, print))
