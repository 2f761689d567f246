"""Scheduler jobs. Frappe commits each of them when it ends."""

import time

from .. import sessions
from ..authentication import lockout

BATCH = 1000
LONGEST_SECONDS = 120  # for one run of a job


def expire_sessions() -> int:
	"""Mark sessions past their time as expired; returns how many."""
	return sessions.cleanup_expired()


def expire_agent_locks() -> int:
	"""Take away agent locks past their time; returns how many."""
	return sessions.cleanup_expired_sessions()


def purge_verification_attempts() -> int:
	"""Remove counters of attempts that count no more, in bounded batches of their own; returns how many."""
	removed, ends = 0, time.monotonic() + LONGEST_SECONDS
	while (purged := lockout.purge(BATCH)) and time.monotonic() < ends:
		removed += purged
	return removed
