"""The tests' own tool for calls at the same moment: a race that was none must not pass for one."""

import pytest

from tests.races import race


def say_which(round: int) -> int:
	return round


def test_a_race_of_one_is_none(worker):
	with pytest.raises(AssertionError, match="not a race"):
		race(worker, say_which, [{}], rounds=20)
