"""Scheduler jobs. Frappe commits each of them when it ends."""

from .. import sessions


def expire_sessions() -> int:
	"""Mark sessions past their time as expired; returns how many."""
	return sessions.cleanup_expired()


def expire_agent_locks() -> int:
	"""Take away agent locks past their time; returns how many."""
	return sessions.cleanup_expired_sessions()
