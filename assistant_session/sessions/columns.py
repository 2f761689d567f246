"""How a `Session` shows the columns of its row: decoded when they are read, changed in this object alone."""

import json
from collections.abc import Callable
from typing import Any

from . import bounds
from .tables.row import decode


def stored(column: str, text: str) -> property:
	"""A column nobody changes through a Session."""
	return property(lambda self: getattr(self._row, column), doc=text)


def changing(column: str, text: str) -> property:
	"""A column that methods of a Session change."""
	return property(lambda self: self._changed.get(column, getattr(self._row, column)), doc=text)


def short_text(column: str, text: str) -> property:
	"""A short text that a controller may change."""

	def get(self) -> str | None:
		return self._changed.get(column, getattr(self._row, column))

	def change(self, value: str | None) -> None:
		self._changed[column] = bounds.optional_label(value, column)

	return property(get, change, doc=text)


def json_object(column: str, text: str, check: Callable[[dict], None] | None = None) -> property:
	"""A dict, decoded once; change it in place or assign another."""

	def get(self) -> dict[str, Any]:
		if column not in self._changed:
			self._changed[column] = decode(getattr(self._row, column))
		return self._changed[column]

	def change(self, value: dict[str, Any]) -> None:
		bounds.json_object(value, column)
		if check:
			check(value)
		self._changed[column] = json.loads(json.dumps(value))

	return property(get, change, doc=text)
