"""Worker memory: the session rows this process has seen lately, bounded in number, in bytes and in time.

It is never believed on its own. A row may be used only when the register, or the database, has just said
that its version and revision are the current ones; `coherence` asks them. Use this module from there alone.
"""

import os
import threading
import time

import frappe
from cachetools import Cache, LRUCache

from .. import config
from ..tables.row import Row

# What a cached row costs beyond its own text: tuple, numbers, times, keys and the cache's own bookkeeping.
# Measured by `make bench`.
OVERHEAD_BYTES = 1500
# A row nobody has confirmed for so long is forgotten: what was erased elsewhere does not stay.
KEPT_SECONDS = 600
SWEEP_SECONDS = 60


class Remembered:
	"""A row, and when (monotonic seconds) it was last confirmed to be current."""

	__slots__ = ("confirmed_at", "row")

	def __init__(self, row: Row):
		self.row, self.confirmed_at = row, time.monotonic()

	def is_old(self, now: float) -> bool:
		return now - self.confirmed_at >= KEPT_SECONDS


class Memory:
	"""A least-recently-used map of (site, session id) to Remembered, safe to use from threads."""

	def __init__(self) -> None:
		self.reset()

	def reset(self) -> None:
		"""Empty, with a lock nobody holds: what a forked worker starts with."""
		self._lock = threading.Lock()
		self._bounds: tuple[int, int] | None = None
		self._rows: LRUCache = LRUCache(0)
		self._swept_at = 0.0

	def get(self, name: str) -> Remembered | None:
		with self._lock:
			found = self._rows.get((frappe.local.site, name))
			if found is None or not found.is_old(time.monotonic()):
				return found
			del self._rows[(frappe.local.site, name)]
			return None

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
		"""Let go of what nobody reads any more; looks once a minute at the most."""
		now = time.monotonic()
		if now - self._swept_at < SWEEP_SECONDS:
			return
		with self._lock:
			self._swept_at = now
			for key in list(self._rows):
				if Cache.__getitem__(self._rows, key).is_old(now):  # as LRUCache's own it would count as used
					del self._rows[key]

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
			rows: LRUCache = LRUCache(bounds[1], getsizeof=lambda remembered: _weight(remembered.row, bounds))
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
