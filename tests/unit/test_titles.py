"""Titles and what a phone number is found by."""

import pytest

from assistant_session.sessions.tables import listing


@pytest.mark.parametrize(
	("address", "shown"),
	[
		("+32470112233", "+32…233"),
		("ann.miller@example.com", "ann…@example.com"),
		("a@example.com", "a…@example.com"),
		("12345", "1…5"),
		("123", "…"),
		("", "…"),
	],
)
def test_an_address_is_shown_with_its_middle_hidden(address, shown):
	assert listing.masked(address) == shown


@pytest.mark.parametrize("number", ["+32470112233", "0032 470 11 22 33", "32470112233", "(32) 470-11-22-33"])
def test_a_number_is_one_in_any_spelling(number):
	assert listing.reversed_digits(number) == "33221107423"
	assert listing.reversed_digits(number).startswith(listing.reversed_digits("0470 11 22 33"))


@pytest.mark.parametrize("text", [None, "", "ann", "12345", "ann123456@example.com", "000000"])
def test_what_is_no_number_has_no_digits(text):
	assert listing.reversed_digits(text) == ""


def test_the_preview_is_one_short_line():
	assert listing.of_last("user", "  one\n\ttwo  ") == {"preview": "one two", "last_role": "user"}
	assert len(listing.of_last("user", "x" * 1000)["preview"]) == listing.PREVIEW
