"""Scheduler jobs. Frappe commits each of them when it ends."""

from .. import sessions
from ..authentication import lockout

BATCH = 1000


def expire_sessions() -> int:
	"""Mark sessions past their time as expired; returns how many."""
	return sessions.cleanup_expired()


def expire_agent_locks() -> int:
	"""Take away agent locks past their time; returns how many."""
	return sessions.cleanup_expired_sessions()


def purge_verification_attempts() -> int:
	"""Remove counters of attempts that count no more, one bounded batch; returns how many."""
	return lockout.purge(BATCH)
