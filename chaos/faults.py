"""The faults, one after another, by a schedule that the seed decides.

First every kind once, then drawn at random by weight. Played in the main thread: servers end with the thread that
started them.
"""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable

import redis

from . import bounds, locks
from .log import Log
from .theatre import Theatre

WORKER, ALL_WORKERS = "a worker killed", "all workers killed"
FLUSHED, REDIS, CUT_OFF = "Redis flushed", "Redis stopped, back empty", "one worker cut off from Redis"
DATABASE, ROWS, DEADLOCKS = "MariaDB killed", "rows locked", "locks taken crosswise"

WEIGHTS = {
	WORKER: 5, ALL_WORKERS: 1, FLUSHED: 3, REDIS: 2, CUT_OFF: 2, DATABASE: 2, ROWS: 2, DEADLOCKS: 4,
}  # fmt: skip
LOCKED, CROSSED = 3, 8  # sessions whose rows are locked together
ROUNDS = 3
PAUSE = (0.5, 3.0)  # seconds between two faults


class Faults:
	"""Plays faults until a deadline. `living` gives the ids of sessions that are being talked in."""

	def __init__(self, theatre: Theatre, log: Log, seed: int, living: Callable[[], list[str]]):
		self.theatre, self.log, self.living = theatre, log, living
		self.random = random.Random(f"{seed}:faults")
		self.played: Counter = Counter()
		self.counted: Counter = Counter()  # what the database counted of deadlocks and lock waits
		self.kinds: dict[str, Callable[[], None]] = {
			WORKER: self._kill_worker,
			ALL_WORKERS: theatre.restart_workers,
			FLUSHED: self._flush,
			REDIS: lambda: theatre.stop_redis(self.random.uniform(1, 3)),
			CUT_OFF: self._cut_off,
			DATABASE: lambda: theatre.kill_database(self.random.uniform(1, 3)),
			ROWS: self._hold_rows,
			DEADLOCKS: self._cross,
		}

	def play(self, until: float, say: Callable[[str], None]) -> None:
		"""Faults until the monotonic time `until`; each is said and logged."""
		first = list(self.kinds)
		self.random.shuffle(first)
		while time.monotonic() < until:
			time.sleep(self.random.uniform(*PAUSE))
			kind = first.pop() if first else self._drawn()
			self._play(kind, say)

	def _drawn(self) -> str:
		return self.random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]

	def _play(self, kind: str, say: Callable[[str], None]) -> None:
		start = time.monotonic()
		self.kinds[kind]()
		end = time.monotonic()
		address = self.theatre.aside.url if kind == CUT_OFF else None
		self.log.write(fault=kind, start=start, end=end, address=address)
		self.played[kind] += 1
		say(f"{kind} ({end - start:.1f} s)")

	def _kill_worker(self) -> None:
		if workers := self.theatre.workers():
			os.kill(self.random.choice(workers), signal.SIGKILL)

	def _flush(self) -> None:
		with redis.Redis(port=self.theatre.redis.port) as client:
			client.flushall()

	def _cut_off(self) -> None:
		self.theatre.proxy.cut()
		try:
			time.sleep(self.random.uniform(3, 6))
		finally:
			self.theatre.proxy.mend()

	def _hold_rows(self) -> None:
		seconds = bounds.LOCK_WAIT + self.random.uniform(0.5, 1.5)
		self._until_counted("lock_timeouts", LOCKED, lambda *given: locks.hold_rows(*given, seconds))

	def _cross(self) -> None:
		self._until_counted("lock_deadlocks", CROSSED, locks.cross)

	def _until_counted(self, counter: str, most: int, play: Callable) -> None:
		"""In other sessions until the database has counted one: on a slow machine nobody may be writing just now."""
		before = self.counted[counter]
		for _round in range(ROUNDS):
			self._with_locks(most, play)
			if self.counted[counter] > before:
				return

	def _with_locks(self, most: int, play: Callable) -> None:
		sessions = self.living()
		chosen = self.random.sample(sorted(sessions), min(most, len(sessions)))
		connection = self.theatre.connect()
		try:
			before = locks.counted(connection)
			play(connection, chosen)
			after = locks.counted(connection)
		finally:
			connection.close()
		self.counted.update({name: after[name] - before[name] for name in after})

	def missing(self) -> list[str]:
		"""Kinds that were due in a full run and were not played, or had no effect."""
		missing = [kind for kind in self.kinds if not self.played[kind]]
		return missing + [name for name in locks.COUNTERS if not self.counted[name]]
