"""Which tests judge a break (`make mutants`): files that exist, the likeliest first, never the long ones."""

import pytest

from mutants import judges
from tests.conftest import REPOSITORY

SESSIONS = REPOSITORY / "assistant_session" / "sessions"


@pytest.mark.parametrize("module", ["coherence/leases.py", "tables/seals.py", "vantage.py", "flows.py"])
def test_every_judge_is_a_file_and_those_of_everything_are_among_them(module):
	chosen = judges.of(REPOSITORY, SESSIONS / module, None)
	assert all((REPOSITORY / name).is_file() for name in chosen) and len(chosen) == len(set(chosen)) > 10
	stems = {name.rpartition("/")[2].removesuffix(".py") for name in chosen}
	assert set(judges.THROUGH_EVERYTHING) <= stems and not judges.NEVER & stems


def test_a_test_that_is_named_after_the_module_is_among_the_first():
	assert "tests/unit/test_vantage.py" in judges.of(REPOSITORY, SESSIONS / "vantage.py", "of")[:3]


def test_whoever_is_named_there_exists():
	stems = {file.stem for file in (REPOSITORY / "tests").rglob("test_*.py")}
	assert stems >= judges.NEVER | set(judges.THROUGH_EVERYTHING)
