"""What this process has counted and not yet brought into the database, per site; and its reads of worker memory.

Counts are kept by the quarter of an hour they fell into (time zones differ by quarters), so that a flush that
comes late still lands in the right hour.
"""

import os
import threading
import time
from collections.abc import Mapping

import frappe

QUARTER = 900  # seconds

Key = tuple[str, str]  # name of the metric, label ("" if it has none)
Counts = Mapping[Key, float]
Batch = dict[int, dict[Key, float]]  # by quarters of an hour since 1970


class Counters:
	"""Safe to use from threads. One site never sees another's."""

	def __init__(self) -> None:
		self.reset()

	def reset(self) -> None:
		"""Nothing counted, with a lock nobody holds: what a forked worker starts with."""
		self._lock = threading.Lock()
		self._batches: dict[str, Batch] = {}
		self._reads: dict[str, list[int]] = {}
		self._flushed: dict[str, float] = {}
		self.folders: dict[str, str] = {}  # where each site lies, for who comes back without being connected

	def count(self, metric: str, label: str = "", amount: float = 1) -> None:
		"""Something happened, `amount` times or to that extent."""
		self.add({(metric, label): amount})

	def add(self, counts: Counts) -> None:
		with self._lock:
			_add(self._batch(), _quarter(), counts)

	def read(self, *, hit: bool) -> None:
		"""A session was looked for in worker memory."""
		with self._lock:
			self._reads.setdefault(frappe.local.site, [0, 0])[not hit] += 1
			_add(self._batch(), _quarter(), {("memory_reads", "hit" if hit else "miss"): 1})

	def reads(self) -> tuple[int, int]:
		"""Hits and misses of this site since the process began."""
		hits, misses = self._reads.get(frappe.local.site, (0, 0))
		return hits, misses

	def take(self) -> Batch:
		"""Everything counted for this site, which the caller must store or put back."""
		with self._lock:
			return self._batches.pop(frappe.local.site, {})

	def put_back(self, batch: Batch) -> None:
		"""It could not be stored: it goes with the next flush."""
		with self._lock:
			mine = self._batch()
			for quarter, counts in batch.items():
				_add(mine, quarter, counts)

	def due(self, interval: float) -> bool:
		"""Whether there is something to flush and the last flush is `interval` seconds ago; True to one caller only."""
		site, now = frappe.local.site, time.monotonic()
		with self._lock:
			if site not in self._batches or now - self._flushed.get(site, float("-inf")) < interval:
				return False
			self._flushed[site] = now
			return True

	def waiting(self) -> dict[str, str]:
		"""Sites with something to flush, and the folder of sites each lies in."""
		with self._lock:
			return {site: self.folders[site] for site in self._batches}

	def _batch(self) -> Batch:
		site = frappe.local.site
		if site not in self.folders:
			self.folders[site] = os.path.abspath(frappe.local.sites_path)
		return self._batches.setdefault(site, {})


def _quarter() -> int:
	return int(time.time()) // QUARTER


def _add(batch: Batch, quarter: int, counts: Counts) -> None:
	"""By hand: this is done several times a turn, and `Counter.update` is slower."""
	found = batch.setdefault(quarter, {})
	for key, amount in counts.items():
		found[key] = found.get(key, 0) + amount


counters = Counters()

os.register_at_fork(after_in_child=counters.reset)
