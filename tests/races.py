"""Calls that really happen at the same moment: every worker is started first, all are let go at one signal.

	results = race(worker, in_workers.open_one, [{"who": "A"}, {"who": "B"}])

Each runs the function in its own process with the number of the round and its names, and with `rounds`, as often: a loop of
short calls overlaps where one call would be over before the next process has woken. A race in which no two overlapped
proves nothing, and fails.
"""

import time
from collections.abc import Callable
from typing import Any

from dev.harness import worker as processes

GATHER = 0.2  # seconds from the signal to the start; a process that reads it wakes within a few milliseconds


def race(worker: Callable, function: Callable, contestants: list[dict], *, rounds: int = 1) -> list[list]:
	"""What each contestant's rounds came to: what `function` returned in each. Raises WorkerError if one raised."""
	racers = [worker() for _one in contestants]
	start_at = time.monotonic() + GATHER
	pending = [
		racer.start(run, processes.name_of(function), start_at, rounds, names)
		for racer, names in zip(racers, contestants, strict=True)
	]
	finished = [wait() for wait in pending]
	assert overlaps([call for _outcomes, calls in finished for call in calls]), "no two calls met: not a race"
	return [outcomes for outcomes, _calls in finished]


def run(name: str, start_at: float, rounds: int, names: dict[str, Any]) -> tuple[list, list]:
	"""In a contestant's process: its outcomes, and when each call began and ended."""
	function, outcomes, calls = processes.named(name), [], []
	while time.monotonic() < start_at:
		pass
	for number in range(rounds):
		began = time.monotonic()
		outcomes.append(function(number, **names))
		calls.append((began, time.monotonic()))
	return outcomes, calls


def overlaps(calls: list[tuple[float, float]]) -> int:
	"""How many of these (began, ended) began before an earlier one had ended."""
	ended, met = 0.0, 0
	for began, over in sorted(calls):
		met += began < ended
		ended = max(ended, over)
	return met
