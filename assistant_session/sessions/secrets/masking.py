"""What a person typed as a credential is not stored: the patterns of every Identity Check, masked in messages.

Masking is broader than reading: it looks through glued words, invisible characters, the digits of other scripts, and
other signs between letters and digits than the pattern knows.
Patterns are written by administrators, so they run under `regex` with a time limit. Text on which a pattern takes
too long is masked as a whole.
"""

import json
import time
import unicodedata
from functools import lru_cache
from typing import Any

import regex

from .. import bounds, config

MASK = "•••"
SECONDS = 0.1  # for one pattern on one text
LONGEST = 0.5  # seconds for all texts of one JSON value
NOT_JOINABLE = regex.compile(r"\\\d|\\g|\(\?(?!:)|\(\*")  # back references, flags, names, verbs
WORD = regex.compile(r"\S+")
PIECE = regex.compile(r"[A-Za-z0-9]+")
MISTYPED = 4  # digits
LONGEST_GAP = 40  # signs between the pieces of one credential


@lru_cache(maxsize=1000)
def compiled(pattern: str) -> "regex.Pattern":
	"""The pattern for reading: standing alone, not inside a longer word or number. Raises regex.error."""
	alone = rf"(?<![A-Za-z0-9])(?:{pattern})(?![A-Za-z0-9])"
	return regex.compile(alone, regex.IGNORECASE | regex.ASCII)


@lru_cache(maxsize=1000)
def _loose(pattern: str) -> "regex.Pattern":
	"""The pattern for masking: also glued to letters, but not inside a longer number."""
	return regex.compile(rf"(?<![0-9])(?:{pattern})(?![0-9])", regex.IGNORECASE | regex.ASCII)


def plain(text: str) -> str:
	"""`text` for reading: compatibility forms folded (full-width digits) into ASCII, one character each."""
	if text.isascii():
		return text
	return "".join(_compatible(character) for character in text)


def split(patterns: tuple[str, ...], text: str) -> tuple[str, list[str]]:
	"""`text` with everything replaced that looks like a credential, asked for or not; and what that was."""
	if not patterns:
		return text, []
	folded, places = _folded(text)
	spelled = _spelled(patterns, folded)
	if not (spelled or _may_hold(patterns, folded)):
		return text, []
	spans = [(places[start], places[end - 1] + 1) for start, end in _spans(patterns, folded, spelled)]
	found = [text[start:end] for start, end in spans]
	for start, end in reversed(spans):
		text = text[:start] + MASK + text[end:]
	return text, found


def masked(patterns: tuple[str, ...], text: str) -> str:
	return split(patterns, text)[0]


def masked_json(patterns: tuple[str, ...], value: Any) -> Any:
	"""The same in every text and number of a JSON value; past a time limit in whole texts."""
	folded = _folded(json.dumps(value, ensure_ascii=False))[0]
	if not (_may_hold(patterns, folded) or _spelled(patterns, folded)):
		return value
	return _masked_json(patterns, value, time.monotonic() + LONGEST)


def reason(text: Any) -> str:
	"""Why something ended, as somebody typed it: a label without what looks like a credential. Raises InvalidSessionData."""
	checked = bounds.label(text, "reason")
	return masked(config.settings().credential_patterns, checked)


def without_numbers(text: str) -> str:
	"""`text` with every word masked that has a digit in it: what is kept while credentials are being asked for."""
	return WORD.sub(lambda word: MASK if any(map(str.isdigit, word[0])) else word[0], text)


def numbers(text: str) -> list[str]:
	"""Words with so many digits that they may be a mistyped credential, longest first."""
	words = {word[0] for word in WORD.finditer(text)}
	return sorted((word for word in words if sum(map(str.isdigit, word)) >= MISTYPED), key=len, reverse=True)


def _masked_json(patterns: tuple[str, ...], value: Any, deadline: float) -> Any:
	if isinstance(value, dict):
		return {
			_masked_json(patterns, key, deadline): _masked_json(patterns, child, deadline)
			for key, child in value.items()
		}
	if isinstance(value, list | tuple):
		return [_masked_json(patterns, child, deadline) for child in value]
	if value is None or isinstance(value, bool):
		return value
	text = str(value)
	after = MASK if time.monotonic() > deadline else masked(patterns, text)
	return value if after == text else (after if isinstance(value, str) else MASK)


def _may_hold(patterns: tuple[str, ...], folded: str) -> bool:
	"""One look at the text, which is all that most messages need."""
	together = _together(patterns)
	try:
		return together is None or together.search(folded, timeout=SECONDS) is not None
	except TimeoutError:
		return True


@lru_cache(maxsize=100)
def _together(patterns: tuple[str, ...]) -> "regex.Pattern | None":
	"""A pattern that is found wherever one of `patterns` is; None if they cannot be joined without changing them."""
	if any(NOT_JOINABLE.search(pattern) for pattern in patterns):
		return None
	return _loose("|".join(f"(?:{pattern})" for pattern in patterns))


def spelled_like(example: str, value: str) -> str:
	"""Letters and digits with the signs of `example` between them, if they are as many as it has."""
	if sum(character.isalnum() for character in example) != len(value):
		return value
	rest = iter(value)
	return "".join(next(rest) if character.isalnum() else character for character in example)


def _spelled(patterns: tuple[str, ...], folded: str) -> list[tuple[int, int]]:
	"""Places where something stands that would fit a pattern if it were written as the pattern's example is."""
	examples, pieces = config.settings().examples, list(PIECE.finditer(folded))
	known = [(pattern, examples[pattern]) for pattern in patterns if pattern in examples]
	return [span for pattern, example in known for span in _written_otherwise(pattern, example, pieces)]


def _written_otherwise(pattern: str, example: str, pieces: list) -> list[tuple[int, int]]:
	length, found = sum(map(str.isalnum, example)), []
	for place, first in enumerate(pieces):
		joined: str = ""
		last: Any = None
		for piece in pieces[place : place + length]:
			if (last is not None and piece.start() - last.end() > LONGEST_GAP) or len(joined) >= length:
				break
			joined, last = joined + piece.group(), piece
		if len(joined) == length and _fits(pattern, spelled_like(example, joined)):
			found.append((first.start(), last.end()))
	return found


def _fits(pattern: str, text: str) -> bool:
	try:
		return compiled(pattern).fullmatch(text, timeout=SECONDS) is not None
	except TimeoutError:
		return True


def _spans(
	patterns: tuple[str, ...], folded: str, spelled: list[tuple[int, int]] | None = None
) -> list[tuple[int, int]]:
	"""Places to be masked, in order, overlapping ones as one."""
	spans = list(spelled or ())
	for pattern in patterns:
		try:
			spans += [match.span() for match in _loose(pattern).finditer(folded, timeout=SECONDS)]
		except TimeoutError:
			return [(0, len(folded))]
	merged: list[tuple[int, int]] = []
	for start, end in sorted(span for span in spans if span[0] < span[1]):
		if merged and start <= merged[-1][1]:
			merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
		else:
			merged.append((start, end))
	return merged


def _folded(text: str) -> tuple[str, "range | list[int]"]:
	"""`text` for masking, and where each of its characters stood: invisible ones left out, every digit as ASCII."""
	if text.isascii():
		return text, range(len(text))
	places = [place for place, character in enumerate(text) if unicodedata.category(character) != "Cf"]
	return "".join(_digit_or_letter(text[place]) for place in places), places


def _digit_or_letter(character: str) -> str:
	value = unicodedata.digit(character, None)
	return _compatible(character) if value is None else str(value)


def _compatible(character: str) -> str:
	folded = unicodedata.normalize("NFKC", character)
	return folded if len(folded) == 1 and folded.isascii() else "?"
