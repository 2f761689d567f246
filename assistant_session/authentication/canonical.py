"""Credentials: the type they travel in, and the one canonical form in which they are compared, hashed and counted.

A person types `pen-0005000168`, `PEN_0005000168` or full-width digits and means the same; everything that
counts attempts or asks a directory sees one form. The values never appear in a repr, a log or a traceback.
"""

import re
import unicodedata
from collections.abc import Callable

from frappe import _

from ..sessions import pattern_sizes
from ..sessions.errors import InvalidSessionData
from ..sessions.secrets import masking
from . import dates

LONGEST = 140  # characters of one credential

AS_TYPED, UPPER, DIGITS, ALPHANUMERIC = "As typed", "Upper case", "Digits", "Letters and digits"
DATE = pattern_sizes.DATE  # in canonical form 1984-05-17

NORMALISATIONS: dict[str, Callable[[str], str]] = {
	AS_TYPED: lambda text: text,
	UPPER: str.upper,
	DIGITS: lambda text: re.sub(r"[^0-9]", "", text),
	DATE: dates.iso,
	ALPHANUMERIC: lambda text: re.sub(r"[^A-Z0-9]", "", text.upper()),
}


class Secret:
	"""Something somebody typed that nobody else may see. It comes out through `reveal()` alone."""

	__slots__ = ("_value",)

	def __init__(self, value: str):
		self._value = value

	def reveal(self) -> str:
		return self._value

	def __repr__(self) -> str:
		return "<Secret>"

	__str__ = __repr__

	def __reduce__(self):
		raise TypeError("a Secret is not stored anywhere")

	def __eq__(self, other: object) -> bool:
		return isinstance(other, Secret) and self._value == other._value

	def __hash__(self) -> int:
		return hash(self._value)


def canonical(value: object, normalisation: str) -> Secret:
	"""The canonical form of one credential; raises InvalidSessionData for what cannot be one."""
	if not isinstance(value, str) or not value.strip() or len(value) > LONGEST:
		raise InvalidSessionData(_("A credential is a text of 1 to {0} characters.").format(LONGEST))
	folded = unicodedata.normalize("NFKC", value).strip()
	if not folded.isascii() or not folded.isprintable():
		raise InvalidSessionData(_("A credential has letters without accents, digits and signs only."))
	result = NORMALISATIONS[normalisation](folded)
	if not result:
		text = _("A credential must not be empty, and a date needs day, month and a year of four digits.")
		raise InvalidSessionData(text)
	return Secret(result)


def written(secret: Secret, normalisation: str, example: str) -> str:
	"""A canonical credential as its example is written: signs between letters and digits are put back if they are as
	many, dates have day, month and year in its order."""
	if normalisation == DATE:
		return dates.written_like(example, secret.reveal())
	return masking.spelled_like(example, secret.reveal())
