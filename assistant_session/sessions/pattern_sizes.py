"""How many values a pattern can have: whether a credential belongs to one person, or many people share each of its values.

A national number has one owner, so three wrong attempts with it are somebody guessing at that person. A PIN or a birth date
belongs to thousands, and must not lock them all.
"""

import re
from math import prod
from typing import Any

try:
	from re import _constants as constants  # type: ignore[attr-defined]
	from re import _parser as parser  # type: ignore[attr-defined]
except ImportError:  # Python 3.10
	import sre_constants as constants
	import sre_parse as parser

YES, DATE = "Yes", "Date"
SHARED_UP_TO = 10**8  # values: eight digits, as a birth date has them
LETTERS_AND_DIGITS = 36  # in any case
EVERY = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MOST = 10**30
LONGEST = 40  # of what may be repeated without end


def belongs_to_one(pattern: str, example: str) -> bool:
	"""Whether there are so many values that two people hardly ever have the same one."""
	return values(pattern, example) > SHARED_UP_TO


def is_own(credential: Any) -> bool:
	"""The same of a row of Identity Check Credential, in which the administrator may have said it. Many have one date."""
	if credential.identifying:
		return credential.identifying == YES
	if credential.normalisation == DATE:
		return False
	return belongs_to_one(credential.pattern or "", credential.example or "")


def values(pattern: str, example: str) -> int:
	"""How many values fit the pattern, at most MOST. Signs between letters and digits do not count. What this Python
	cannot read (`regex` knows more) is estimated by the example."""
	try:
		return min(_of_all(parser.parse(pattern)), MOST)
	except (re.error, RecursionError, OverflowError):
		return prod(10 if one.isdigit() else LETTERS_AND_DIGITS for one in example if one.isalnum())


def _of_all(tokens: Any) -> int:
	return prod(min(_of_one(kind, value), MOST) for kind, value in tokens)


def _of_one(kind: Any, value: Any) -> int:
	if kind in (constants.MAX_REPEAT, constants.MIN_REPEAT):
		return _of_all(value[2]) ** min(value[1], LONGEST)
	if kind is constants.SUBPATTERN:
		return _of_all(value[-1])
	if kind is constants.BRANCH:
		return sum(_of_all(one) for one in value[1])
	if kind is constants.IN:
		return max(len(_characters(value)), 1)
	return LETTERS_AND_DIGITS if kind in (constants.ANY, constants.NOT_LITERAL) else 1


def _characters(members: list) -> set[str]:
	"""The letters and digits a class allows, in any case."""
	allowed, negated = set(), False
	for kind, value in members:
		if kind is constants.NEGATE:
			negated = True
		elif kind is constants.LITERAL:
			allowed.add(chr(value))
		elif kind is constants.RANGE:
			allowed.update(map(chr, range(value[0], min(value[1], 127) + 1)))
		elif value is constants.CATEGORY_DIGIT:
			allowed.update("0123456789")
		elif value in (constants.CATEGORY_WORD, constants.CATEGORY_NOT_SPACE):
			allowed.update(EVERY)
	folded = {one.upper() for one in allowed if one.isalnum()}
	return set(EVERY) - folded if negated else folded
