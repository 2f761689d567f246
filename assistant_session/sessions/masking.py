"""What a person typed as a credential is not stored: the patterns of every Identity Check, masked in messages.

Patterns are written by administrators, so they run under `regex` with a time limit. Text on which a pattern
takes too long is masked as a whole.
"""

import unicodedata
from functools import lru_cache
from typing import Any

import regex

MASK = "•••"
SECONDS = 0.1  # for one pattern on one text
NOT_JOINABLE = regex.compile(r"\\\d|\\g|\(\?(?!:)|\(\*")  # back references, flags, names, verbs
WITH_DIGIT = regex.compile(r"\S*\d\S*")


@lru_cache(maxsize=1000)
def compiled(pattern: str) -> "regex.Pattern":
	"""The pattern standing alone, not inside a longer word or number, in any case. Raises regex.error."""
	alone = rf"(?<![A-Za-z0-9])(?:{pattern})(?![A-Za-z0-9])"
	return regex.compile(alone, regex.IGNORECASE | regex.ASCII)


def plain(text: str) -> str:
	"""`text` as patterns see it: compatibility forms folded (full-width digits) into ASCII, one character each."""
	if text.isascii():
		return text
	return "".join(_one_character(character) for character in text)


def split(patterns: tuple[str, ...], text: str) -> tuple[str, list[str]]:
	"""`text` with everything replaced that looks like a credential, asked for or not; and what that was."""
	if not patterns or not _may_hold(patterns, text):
		return text, []
	spans = _spans(patterns, text)
	found = [text[start:end] for start, end in spans]
	for start, end in reversed(spans):
		text = text[:start] + MASK + text[end:]
	return text, found


def masked(patterns: tuple[str, ...], text: str) -> str:
	return split(patterns, text)[0]


def masked_json(patterns: tuple[str, ...], value: Any) -> Any:
	"""The same in every text and number of a JSON value."""
	if isinstance(value, dict):
		return {masked(patterns, key): masked_json(patterns, child) for key, child in value.items()}
	if isinstance(value, list | tuple):
		return [masked_json(patterns, child) for child in value]
	if isinstance(value, str):
		return masked(patterns, value)
	if (
		isinstance(value, int | float)
		and not isinstance(value, bool)
		and masked(patterns, str(value)) != str(value)
	):
		return MASK
	return value


def without_numbers(text: str) -> str:
	"""`text` with every word masked that has a digit in it: what is kept while credentials are being asked for."""
	return WITH_DIGIT.sub(MASK, text)


def _may_hold(patterns: tuple[str, ...], text: str) -> bool:
	"""One look at the text, which is all that most messages need."""
	together = _together(patterns)
	try:
		return together is None or together.search(plain(text), timeout=SECONDS) is not None
	except TimeoutError:
		return True


@lru_cache(maxsize=100)
def _together(patterns: tuple[str, ...]) -> "regex.Pattern | None":
	"""A pattern that is found wherever one of `patterns` is; None if they cannot be joined without changing them."""
	if any(NOT_JOINABLE.search(pattern) for pattern in patterns):
		return None
	return compiled("|".join(f"(?:{pattern})" for pattern in patterns))


def _spans(patterns: tuple[str, ...], text: str) -> list[tuple[int, int]]:
	"""Places to be masked, in order, overlapping ones as one."""
	folded, spans = plain(text), []
	for pattern in patterns:
		try:
			spans += [match.span() for match in compiled(pattern).finditer(folded, timeout=SECONDS)]
		except TimeoutError:
			return [(0, len(text))]
	if not spans:
		return []
	merged: list[tuple[int, int]] = []
	for start, end in sorted(span for span in spans if span[0] < span[1]):
		if merged and start <= merged[-1][1]:
			merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
		else:
			merged.append((start, end))
	return merged


def _one_character(character: str) -> str:
	folded = unicodedata.normalize("NFKC", character)
	return folded if len(folded) == 1 and folded.isascii() else "?"
