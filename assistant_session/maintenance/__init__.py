"""Scheduler jobs: bounded batches found by index, each committed at once, for a bounded time.

A job owns its transaction, so it commits itself. Two that run at once share the work: rows one has locked are
passed over by the other. What a run does not finish the next one goes on with.
"""

import time
from collections.abc import Callable

import frappe

from ..authentication import lockout
from ..sessions.operations import expiry

BATCH = 1000
LONGEST_SECONDS = 120  # for one run of a job

OnProgress = Callable[[int], None]


def expire_sessions() -> int:
	"""Mark sessions past their time as expired; returns how many."""
	return in_batches(expiry.Overdue(expiry.SESSIONS).end)


def expire_agent_locks() -> int:
	"""Take away agent locks past their time; returns how many."""
	return in_batches(expiry.Overdue(expiry.AGENT_LOCKS).end)


def expire_authentications() -> int:
	"""Forget who people were whose authentication is past its time; returns how many."""
	return in_batches(expiry.Overdue(expiry.AUTHENTICATIONS).end)


def purge_verification_attempts() -> int:
	"""Remove counters of attempts that count no more; returns how many."""
	return in_batches(lambda: lockout.purge(BATCH))


def expire_all(on_progress: OnProgress = lambda _done: None) -> dict[str, int]:
	"""All that is overdue, however long it takes; `on_progress` hears how many are done."""
	done: dict[str, int] = {}
	for kind in expiry.KINDS:
		before = sum(done.values())
		batch = expiry.Overdue(kind).end
		done[kind] = in_batches(batch, seconds=None, on_progress=_counted_from(before, on_progress))
	return done


def _counted_from(before: int, on_progress: OnProgress) -> OnProgress:
	return lambda number: on_progress(before + number)


def in_batches(
	batch: Callable[[], int],
	*,
	seconds: float | None = LONGEST_SECONDS,
	on_progress: OnProgress = lambda _done: None,
) -> int:
	"""Repeat `batch`, which returns how many it did, until it did none or the time is over; commit after each."""
	done, ends = 0, time.monotonic() + (seconds or float("inf"))
	while number := batch():
		frappe.db.commit()
		done += number
		on_progress(done)
		if time.monotonic() > ends:
			break
	return done
