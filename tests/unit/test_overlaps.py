"""The tests' own tool for calls at the same moment, where it needs no process."""

import re

import pytest

from tests.conftest import REPOSITORY
from tests.races import overlaps


@pytest.mark.parametrize(
	("calls", "met"),
	[
		([(0, 1), (1, 2), (2, 3)], 0),
		([(0, 1), (0.9, 2), (2, 3)], 1),
		([(0, 9), (1, 2), (3, 4)], 2),
		([(3, 4), (0, 9), (1, 2)], 2),
		([], 0),
	],
)
def test_calls_overlap_if_one_began_before_another_had_ended(calls, met):
	assert overlaps(calls) == met


def test_no_test_lets_a_process_go_before_the_others_have_started():
	"""Work sent to a process in the line that starts it begins while the next one still boots: nothing ever overlaps."""
	sent = re.compile(r"\b(?:worker|either)\([^()]*\)\.start\(")
	files = sorted((REPOSITORY / "tests").rglob("*.py"))
	assert [file.name for file in files if sent.search(file.read_text())] == []
