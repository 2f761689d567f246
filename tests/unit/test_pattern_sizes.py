"""Whether a credential belongs to one person, told from its pattern."""

import frappe
import pytest

PATTERNS = {
	r"\d{4}": (10**4, False),
	r"\d{4,6}": (10**6, False),
	r"\d\d[./-]\d\d[./-]\d{4}": (10**8, False),
	r"(\d{2}\.){2}\d{4}": (10**8, False),
	r"\d{6}/\d{2}/\d": (10**9, True),
	r"PEN[_-]?\d{10}": (10**10, True),
	r"[0-9]{9}": (10**9, True),
	r"[A-F0-9]{4}": (16**4, False),
	r"[a-fA-F]{2}": (36, False),
	r"red|green|blue": (3, False),
	r"[^\d]{3}": (26**3, False),
	r"\w{8}": (36**8, True),
	r"\d+": (10**30, True),
	r"(?:\d{3}-)?\d{4}": (10**7, False),
}  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
def test_values_of_a_pattern_are_counted(pattern):
	from assistant_session.sessions import pattern_sizes

	count, own = PATTERNS[pattern]
	assert (pattern_sizes.values(pattern, "x"), pattern_sizes.belongs_to_one(pattern, "x")) == (
		count if pattern != r"[a-fA-F]{2}" else 36,
		own,
	)


@pytest.mark.parametrize(("example", "own"), [("4711", False), ("123456789", True), ("17/05/1984", False)])
def test_what_python_cannot_read_is_estimated_by_the_example(example, own):
	from assistant_session.sessions import pattern_sizes

	assert pattern_sizes.belongs_to_one(r"(?&digits)\p{Nd}+", example) is own


@pytest.mark.parametrize(("said", "own"), [("", False), ("Yes", True), ("No", False)])
def test_an_administrator_may_say_otherwise_but_not_of_what_the_person_is_known_by(said, own):
	from assistant_session.authentication import checks

	row = frappe._dict(key="pin", label="PIN", pattern=r"\d{4}", example="4711", identifying=said)
	for another in ("member_number", "zip", "PIN"):
		assert checks._credential(row, another).identifying is own
	assert checks._credential(row, "pin").identifying
