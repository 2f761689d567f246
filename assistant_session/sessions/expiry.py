"""Ending what is past its time, a bounded batch at once: sessions, agent locks, authentications.

Nobody waits for it: whatever is past its time is refused or ignored at once by whoever reads it. Here the rows follow.
A batch is found by index and locked in one statement that passes over rows somebody else has locked, so that two
runs share the work and none waits.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import frappe

from .. import compat
from . import config, lifecycle, store, writing
from .rows import COLUMNS, Row
from .snapshot import ACTIVE, EXPIRED, Session
from .statements import P, run, table
from .writing import Write

LARGEST = 500  # rows of one batch

SESSIONS, AGENT_LOCKS, AUTHENTICATIONS = "sessions", "agent locks", "authentications"


def expire_sessions(limit: int = LARGEST) -> int:
	"""Mark Active sessions past their time as Expired, oldest first; returns how many. The caller commits."""
	return _end(SESSIONS, limit, lambda row: lifecycle.ending(row, "time", EXPIRED))


def expire_agent_locks(limit: int = LARGEST) -> int:
	"""Release agent locks past their time; returns how many. The caller commits."""
	return _end(
		AGENT_LOCKS, limit, lambda row: _changed(row, lambda session: session.release_agent("expired"))
	)


def expire_authentications(limit: int = LARGEST) -> int:
	"""Forget people whose authentication is past its time or idle; returns how many. The caller commits."""
	return _end(
		AUTHENTICATIONS, limit, lambda row: _changed(row, lambda session: session.deauthenticate("time"))
	)


BATCHES: dict[str, Callable[[], int]] = {
	SESSIONS: expire_sessions, AGENT_LOCKS: expire_agent_locks, AUTHENTICATIONS: expire_authentications,
}  # fmt: skip


def count_overdue() -> dict[str, int]:
	"""How many of each kind are past their time."""
	from pypika.functions import Count

	counts = {}
	for kind in BATCHES:

		def build(kind=kind):
			return _overdue(kind, frappe.qb.from_(table(store.DOCTYPE)).select(Count("*")))

		counts[kind] = run(("count overdue", kind), build, _values(kind, config.now()), beside=True)[0][0]
	return counts


def _end(kind: str, limit: int, write: Callable[[Row], Write]) -> int:
	def attempt(_first: bool) -> int:
		return writing.write_locked([(row, write(row)) for row in _locked(kind, limit)])

	return writing.repeated(kind, attempt)


def _changed(row: Row, change: Callable[[Session], object]) -> Write:
	session = Session(row, "database")
	change(session)
	return Write(session.changes(), events=session.happened, any_status=True)


def _locked(kind: str, limit: int) -> list[Row]:
	def build():
		sessions = table(store.DOCTYPE)
		query = _overdue(kind, frappe.qb.from_(sessions).select(*(sessions[column] for column in COLUMNS)))
		return compat.for_update(query.orderby(sessions[ORDER[kind]]).limit(limit), skip_locked=True)

	return [Row._make(row) for row in run(("overdue", kind, limit), build, _values(kind, config.now()))]


ORDER = {SESSIONS: "expires_at", AGENT_LOCKS: "agent_lock_expires_at", AUTHENTICATIONS: "auth_expires_at"}


def _overdue(kind: str, query):
	"""Conditions that an index serves (install.INDEXES)."""
	sessions = table(store.DOCTYPE)
	if kind == AUTHENTICATIONS:
		late = (sessions.auth_expires_at <= P) | (sessions.last_activity <= P)
		return query.where(sessions.authenticated == 1).where(late)
	query = query.where(sessions.status == P).where(sessions[ORDER[kind]] <= P)
	return query.where(sessions.active_agent.isnotnull()) if kind == AGENT_LOCKS else query


def _values(kind: str, now: datetime) -> tuple:
	if kind == AUTHENTICATIONS:
		return now, now - timedelta(seconds=config.settings().authentication_idle)
	return ACTIVE, now
