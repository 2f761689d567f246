"""Measuring turns against each other: each contender once per round, in another order each round.

Only the slowest sit out rounds. What disturbs the machine for a while then hits all of them alike, and their ratios stand although the
times do not. Medians, in microseconds.
"""

import random
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Protocol

import frappe

from dev.harness.trips import Trips

WARM_UP = 3  # rounds that do not count


class Contender(Protocol):
	every: int  # takes part in each so-manieth round

	def rewind(self) -> None:
		"""Set its conversation back to its length; committed by the caller. Not timed."""

	def ready(self) -> None:
		"""What must be so right before the turn, after that commit. Not timed."""

	def begin(self) -> None:
		"""Right before its turn, when all are ready. Not timed."""

	def turn(self, message_id: str) -> None:
		"""One full turn, committed. This is timed."""

	def done(self) -> None:
		"""Look whether the turn took place. Not timed."""


def race(contenders: Mapping, rounds: int, told: Callable[[int], None]) -> dict:
	"""Times of each contender's turns in microseconds. `told` hears each round's number."""
	times = {key: [] for key in contenders}
	chance = random.Random(rounds)
	for number in range(-WARM_UP, rounds):
		told(number)
		present = {key: contender for key, contender in contenders.items() if number % contender.every == 0}
		_set_back(present)
		for key in chance.sample(list(present), len(present)):
			spent = _timed(present[key], f"turn-{number}")
			if number >= 0:
				times[key].append(spent)
	return times


def medians(times: Mapping) -> dict:
	return {key: statistics.median(values) for key, values in times.items()}


def trips(contenders: Mapping) -> dict:
	"""Statements and Redis trips of one turn of each contender, as (statements, trips)."""
	_set_back(contenders)
	counted = {}
	for key, contender in contenders.items():
		contender.begin()
		with Trips() as found:
			contender.turn("counted")
		contender.done()
		counted[key] = (found.statements, found.redis)
	return counted


def _set_back(contenders: Mapping) -> None:
	for contender in contenders.values():
		contender.rewind()
	frappe.db.commit()
	for contender in contenders.values():
		contender.ready()


def _timed(contender: Contender, message_id: str) -> float:
	contender.begin()
	started = time.perf_counter_ns()
	contender.turn(message_id)
	spent = (time.perf_counter_ns() - started) / 1000
	contender.done()
	return spent
