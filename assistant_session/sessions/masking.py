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


def found(patterns: tuple[str, ...], text: str) -> list[str]:
	"""What in `text` looks like a credential, as it was typed."""
	return [text[start:end] for start, end in _spans(patterns, text)]


def masked(patterns: tuple[str, ...], text: str) -> str:
	"""`text` with everything replaced that looks like a credential, asked for or not."""
	if not patterns:
		return text
	for start, end in reversed(_spans(patterns, text)):
		text = text[:start] + MASK + text[end:]
	return text


def masked_json(patterns: tuple[str, ...], value: Any) -> Any:
	"""The same in every text and number of a JSON value."""
	if isinstance(value, dict):
		return {masked(patterns, key): masked_json(patterns, child) for key, child in value.items()}
	if isinstance(value, list | tuple):
		return [masked_json(patterns, child) for child in value]
	if isinstance(value, str):
		return masked(patterns, value)
	if isinstance(value, int | float) and not isinstance(value, bool) and found(patterns, str(value)):
		return MASK
	return value


def without_numbers(text: str) -> str:
	"""`text` with every word masked that has a digit in it: what is kept while credentials are being asked for."""
	return WITH_DIGIT.sub(MASK, text)


def _spans(patterns: tuple[str, ...], text: str) -> list[tuple[int, int]]:
	"""Places to be masked, in order, overlapping ones as one."""
	folded, spans = plain(text), []
	for pattern in patterns:
		try:
			spans += [match.span() for match in compiled(pattern).finditer(folded, timeout=SECONDS)]
		except TimeoutError:
			return [(0, len(text))]
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
