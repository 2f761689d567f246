"""Worker memory: the session rows this process has seen lately, bounded in number, in bytes and in time.

It is never believed on its own. A row may be used only when the register, or the database, has just said
that its version and revision are the current ones; `coherence` asks them. Use this module from there alone.
"""

import os
import threading
import time

import frappe
from cachetools import TTLCache

from . import config
from .rows import Row

# What a cached row costs beyond its own text: tuple, numbers, times, keys and the cache's own bookkeeping.
# Measured by `make bench`.
OVERHEAD_BYTES = 1500
# A row nobody has read from the database or written for so long is gone: what was erased elsewhere does not stay.
KEPT_SECONDS = 600


class Remembered:
	"""A row, and when (monotonic seconds) it was last confirmed to be current."""

	__slots__ = ("confirmed_at", "row")

	def __init__(self, row: Row):
		self.row, self.confirmed_at = row, time.monotonic()


class Memory:
	"""A least-recently-used map of (site, session id) to Remembered, safe to use from threads."""

	def __init__(self) -> None:
		self.reset()

	def reset(self) -> None:
		"""Empty, with a lock nobody holds: what a forked worker starts with."""
		self._lock = threading.Lock()
		self._bounds: tuple[int, int] | None = None
		self._rows: TTLCache = TTLCache(0, KEPT_SECONDS)

	def get(self, name: str) -> Remembered | None:
		with self._lock:
			return self._rows.get((frappe.local.site, name))

	def put(self, row: Row) -> None:
		"""Remember a committed row. One too large for the whole memory is simply not kept."""
		settings = config.settings()
		bounds = (settings.memory_sessions, settings.memory_megabytes * 1024 * 1024)
		with self._lock:
			self._fit(bounds)
			if _weight(row, bounds) <= self._rows.maxsize:
				self._rows[(frappe.local.site, row.name)] = Remembered(row)

	def drop(self, name: str) -> bool:
		with self._lock:
			return self._rows.pop((frappe.local.site, name), None) is not None

	def forget_old(self) -> None:
		"""Let go of what is past its time: the cache itself does so only when something is added."""
		with self._lock:
			self._rows.expire()

	def clear(self) -> None:
		with self._lock:
			self._rows.clear()

	def size(self) -> tuple[int, int]:
		"""Entries of this site, and their bytes."""
		site = frappe.local.site
		with self._lock:
			own = [remembered.row for (of, _name), remembered in self._rows.items() if of == site]
		return len(own), sum(_bytes(row) for row in own)

	def __len__(self) -> int:
		return len(self._rows)

	def _fit(self, bounds: tuple[int, int]) -> None:
		if bounds != self._bounds:
			rows = TTLCache(
				bounds[1], KEPT_SECONDS, getsizeof=lambda remembered: _weight(remembered.row, bounds)
			)
			for key, remembered in self._rows.items():
				if _weight(remembered.row, bounds) <= bounds[1]:
					rows[key] = remembered
			self._rows, self._bounds = rows, bounds


def _weight(row: Row, bounds: tuple[int, int]) -> int:
	"""Bytes, but never less than a row's share of the memory: that bounds their number as well."""
	return max(_bytes(row), bounds[1] // max(bounds[0], 1))


def _bytes(row: Row) -> int:
	return sum(len(value.encode()) for value in row if isinstance(value, str)) + OVERHEAD_BYTES


memory = Memory()


os.register_at_fork(after_in_child=memory.reset)
