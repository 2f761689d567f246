"""Finding credentials in what a person typed, in any order and case.

Patterns run with a time limit and on text of a limited length: one that takes too long finds nothing, and
saving it is refused.
"""

from dataclasses import dataclass

import regex
from frappe import _

from ..sessions.errors import InvalidSessionData
from ..sessions.secrets import masking
from . import canonical
from .canonical import Secret

LONGEST_TEXT = 16000
HOSTILE_LENGTH = 4000


@dataclass(frozen=True)
class Credential:
	"""One thing that is asked for, as configured in an Identity Check."""

	key: str
	label: str
	pattern: str
	example: str
	normalisation: str = canonical.ALPHANUMERIC
	identifying: bool = (
		True  # its value belongs to one person; others are shared, as PINs and birth dates are
	)


def read(credentials: tuple[Credential, ...], text: str) -> dict[str, Secret]:
	"""What `text` holds of each credential, by key. Each place in the text is taken once, longest match first."""
	folded = masking.plain(text)[:LONGEST_TEXT]
	matches = sorted(
		((match, place, one) for place, one in enumerate(credentials) for match in _matches(one, folded)),
		key=lambda found: (found[0].start() - found[0].end(), found[1], found[0].start()),
	)
	found: dict[str, Secret] = {}
	taken: list[range] = []
	for match, _place, one in matches:
		span = range(match.start(), match.end())
		if one.key in found or any(_overlap(span, other) for other in taken):
			continue
		found[one.key] = canonical.canonical(match.group(), one.normalisation)
		taken.append(span)
	return found


def check_pattern(one: Credential) -> None:
	"""A pattern that may be saved: it compiles, finds its own example, and ends in time on hostile text."""
	try:
		compiled = masking.compiled(one.pattern)
	except regex.error as error:
		text = _("{0}: the pattern is not a regular expression ({1}).")
		raise InvalidSessionData(text.format(one.label, error.msg)) from error
	try:
		_check_finds_example(one, compiled)
		for hostile in _hostile(one.example):
			compiled.search(hostile, timeout=masking.SECONDS)
	except TimeoutError:
		text = _("{0}: the pattern takes too long on some texts. Avoid nested repetition.")
		raise InvalidSessionData(text.format(one.label)) from None


def _check_finds_example(one: Credential, compiled: "regex.Pattern") -> None:
	canonical.canonical(one.example, one.normalisation)
	if not compiled.fullmatch(masking.plain(one.example), timeout=masking.SECONDS):
		raise InvalidSessionData(_("{0}: the pattern does not fit its own example.").format(one.label))
	if compiled.fullmatch("", timeout=masking.SECONDS):
		raise InvalidSessionData(_("{0}: the pattern fits an empty text.").format(one.label))


def _matches(one: Credential, text: str) -> list:
	found = masking.compiled(one.pattern).finditer(text, timeout=masking.SECONDS)
	try:
		return [match for match in found if _is_credential(match.group(), one)]
	except TimeoutError:
		return []


def _is_credential(text: str, one: Credential) -> bool:
	try:
		canonical.canonical(text, one.normalisation)
	except InvalidSessionData:
		return False
	return True


def _hostile(example: str) -> list[str]:
	"""Long texts on which a pattern with nested repetition would go on for ever."""
	repeated = (example * (HOSTILE_LENGTH // max(len(example), 1) + 1))[:HOSTILE_LENGTH]
	characters = sorted(set(example) | set("a0 -"))
	return [f"{repeated}!", *(f"{character * HOSTILE_LENGTH}!" for character in characters)]


def _overlap(one: range, other: range) -> bool:
	return one.start < other.stop and other.start < one.stop
