"""Calls that really happen at the same moment: every worker is started first, all are let go at one signal.

	results = race(worker, code, [{"who": "A"}, {"who": "B"}])

Each runs `code` in its own process with its names, and with `rounds`, as often: a loop of short calls overlaps where one
call would be over before the next process has woken. A race in which no two overlapped proves nothing, and fails.
"""

import time

GATHER = 0.2  # seconds from the signal to the start; a process that reads it wakes within a few milliseconds

RACER = """
import time
while time.monotonic() < start_at: pass
outcomes, calls = [], []
for round in range(rounds):
	began = time.monotonic()
	outcomes.append(one_call(round))
	calls.append((began, time.monotonic()))
result = [outcomes, calls]
"""


def race(worker, code: str, contestants: list[dict], *, rounds: int = 1) -> list[list]:
	"""What each contestant's rounds came to: the `result` that `code` left in each. Raises WorkerError if one raised."""
	racers = [worker() for _one in contestants]
	body = "".join(f"\t{line}\n" for line in code.strip().splitlines())
	call = f"def one_call(round):\n\tglobal result\n\tresult = None\n{body}\treturn result\n"
	start_at = time.monotonic() + GATHER
	pending = [
		racer.start(call + RACER, start_at=start_at, rounds=rounds, **names)
		for racer, names in zip(racers, contestants, strict=True)
	]
	finished = [wait() for wait in pending]
	assert overlaps([call for _outcomes, calls in finished for call in calls]), "no two calls met: not a race"
	return [outcomes for outcomes, _calls in finished]


def overlaps(calls: list[tuple[float, float]]) -> int:
	"""How many of these (began, ended) began before an earlier one had ended."""
	ended, met = 0.0, 0
	for began, over in sorted(calls):
		met += began < ended
		ended = max(ended, over)
	return met
