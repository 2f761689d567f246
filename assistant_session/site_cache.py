"""One value per site, kept in the process for a few seconds: Settings, the catalogue of Identity Checks.

Not for sessions (see `sessions/coherence`): what another worker saved shows here only when the value is read anew.
"""

import time
from collections.abc import Callable
from typing import Generic, TypeVar

import frappe

from . import database_errors

FRESH_SECONDS = 5

Value = TypeVar("Value")


class SiteCache(Generic[Value]):
	"""A function without arguments that reads an immutable value, called again when what it gave is FRESH_SECONDS old.

	While the database is away, what was read before is given on.
	"""

	def __init__(self, read: Callable[[], Value]):
		self._read = read
		self._kept: dict[str, tuple[float, Value]] = {}
		self.__doc__ = read.__doc__

	def __call__(self) -> Value:
		expires, value = self._kept.get(frappe.local.site, (0.0, None))
		if value is None or time.monotonic() >= expires:
			value = self._anew(value)
			self.keep(value)
		return value

	def keep(self, value: Value, seconds: float = FRESH_SECONDS) -> None:
		"""Give this value on this site for so many seconds."""
		self._kept[frappe.local.site] = (time.monotonic() + seconds, value)

	def forget(self) -> None:
		"""Read anew at the next call."""
		self._kept.pop(frappe.local.site, None)

	def _anew(self, previous: Value | None) -> Value:
		try:
			return self._read()
		except Exception as error:
			if previous is not None and database_errors.is_connection_lost(error):
				return previous
			raise
