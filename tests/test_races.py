"""The tests' own tool for calls at the same moment: a race that was none must not pass for one."""

from pathlib import Path

import pytest

from tests.races import overlaps, race


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


def test_a_race_of_one_is_none(worker):
	with pytest.raises(AssertionError, match="not a race"):
		race(worker, "result = round", [{}], rounds=20)


def test_no_test_lets_a_process_go_before_the_others_have_started():
	"""`[worker().start(…) for …]` sends each its work while the next still boots: nothing ever overlaps."""
	files = Path(__file__).parent.glob("test_*.py")
	assert [file.name for file in files if "[worker().start(" in file.read_text().replace("\n", "")] == [
		Path(__file__).name
	]
