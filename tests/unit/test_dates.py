"""Dates as people write them, brought to one form and back."""

import pytest

from assistant_session.authentication import dates

SPELLINGS = [
	"17/05/1984", "17.5.1984", "17-05-1984", "17 05 1984", "17051984", "17 May 1984", "17th MAY 1984", "17. may 1984",
	"17th of May 1984", "17-MAY-1984", "May 17, 1984", "1984-05-17", "1984/5/17", "19840517", " 17/05/1984 ",
]  # fmt: skip
NO_DATES = [
	"", "05/17/1984", "31/02/1984", "17/05/84", "1984-17-05", "17 mayo 1984", "17/05/0984", "17/05/2200", "tomorrow",
	"17 05 1984 1", "29/02/1900",
]  # fmt: skip


@pytest.mark.parametrize("spelled", SPELLINGS)
def test_each_spelling_is_one_date(spelled):
	assert dates.iso(spelled) == "1984-05-17"


@pytest.mark.parametrize("spelled", NO_DATES)
def test_what_is_no_date_is_not_guessed(spelled):
	assert dates.iso(spelled) == ""


def test_a_leap_day_is_one_in_a_leap_year_alone():
	assert (dates.iso("29/02/2000"), dates.iso("29/02/2001")) == ("2000-02-29", "")


def test_what_can_be_read_in_two_ways_is_read_day_first():
	assert dates.iso("05/06/1984") == "1984-06-05"


@pytest.mark.parametrize(
	("example", "written"),
	[
		("17/05/1984", "03/12/2001"), ("7.5.1984", "3.12.2001"), ("17 May 1984", "03 December 2001"),
		("17 MAR 1984", "03 DEC 2001"), ("May 17, 1984", "December 03, 2001"), ("19840517", "20011203"),
		("1984-05-17", "2001-12-03"), ("no date", "2001-12-03"),
	],
)  # fmt: skip
def test_a_date_is_written_as_the_example_is(example, written):
	assert dates.written_like(example, "2001-12-03") == written
