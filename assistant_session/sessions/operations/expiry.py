"""Ending what is past its time, a bounded batch at once: sessions, agent locks, authentications.

Nobody waits for it: whatever is past its time is refused or ignored at once by whoever reads it. Here the rows follow.
A batch is found by index, then locked by name in one statement that passes over rows somebody else has locked, so
that two runs share the work and none waits.
"""

from datetime import datetime, timedelta

import frappe
from pypika.functions import Count

from ... import database
from .. import config
from ..coherence import repeating, writing
from ..coherence.writing import MUST_HAPPEN, Decide
from ..session import ACTIVE, EXPIRED, changing
from ..tables import session_rows
from ..tables.row import Row
from ..tables.statements import ask, table
from ..vantage import COMMITTED
from . import closing

LARGEST = 500  # rows of one batch

KINDS = SESSIONS, AGENT_LOCKS, AUTHENTICATIONS = ("sessions", "agent locks", "authentications")
ORDER = {SESSIONS: "expires_at", AGENT_LOCKS: "agent_lock_expires_at", AUTHENTICATIONS: "auth_expires_at"}
ENDING: dict[str, Decide] = {
	SESSIONS: lambda row: closing.ending(row, "time", EXPIRED),
	AGENT_LOCKS: changing(lambda session: session.release_agent("expired"), MUST_HAPPEN),
	AUTHENTICATIONS: changing(lambda session: session.deauthenticate("time"), MUST_HAPPEN),
}


def cleanup_expired() -> int:
	"""Mark sessions past their time as expired, one bounded batch, oldest first; returns how many. The caller commits."""
	return Overdue(SESSIONS).end()


def cleanup_expired_sessions() -> int:
	"""Take away agent locks past their time, one bounded batch; returns how many. The caller commits."""
	return Overdue(AGENT_LOCKS).end()


class Overdue:
	"""What is past its time of one kind, batch by batch. Each is looked at once: one that cannot be ended (see
	`writing.write_locked`), or that somebody else has locked, does not keep the others waiting."""

	def __init__(self, kind: str):
		self.kind = kind
		self._after: tuple[datetime, str] = (datetime(1, 1, 1), "")

	def end(self, limit: int = LARGEST) -> int:
		"""End the next `limit`; returns how many were ended, 0 when none is left. The caller commits."""
		while names := self._next(limit):
			if ended := self._repeated(names):
				return ended
		return 0

	def _repeated(self, names: list[str]) -> int:
		return repeating.repeated(self.kind, lambda _first: self._end(names))

	def _end(self, names: list[str]) -> int:
		return writing.write_locked([(row, ENDING[self.kind](row)) for row in _locked(self.kind, names)])

	def _next(self, limit: int) -> list[str]:
		"""Names in the order of their time. Not locked: a lock on what an index has between two entries would keep
		everybody from opening sessions until the caller commits."""
		sessions, (last, last_name) = table(session_rows.DOCTYPE), self._after
		time = sessions[ORDER[self.kind]]
		query = _overdue(self.kind, frappe.qb.from_(sessions).select(time, sessions.name))
		query = query.where((time > last) | ((time == last) & (sessions.name > last_name)))
		rows = ask(query.orderby(time).orderby(sessions.name).limit(limit))
		if rows:
			self._after = rows[-1]
		return [name for _time, name in rows]


def count_overdue() -> dict[str, int]:
	"""How many of each kind are past their time."""
	counted = frappe.qb.from_(table(session_rows.DOCTYPE)).select(Count("*"))
	return {kind: ask(_overdue(kind, counted), COMMITTED)[0][0] for kind in KINDS}


def _locked(kind: str, names: list[str]) -> list[Row]:
	"""Those that are still overdue and that nobody else has locked."""
	query = _overdue(kind, session_rows.select_all()).where(table(session_rows.DOCTYPE).name.isin(names))
	return [Row._make(row) for row in ask(database.lock_named(query))]


def _overdue(kind: str, query):
	"""Conditions that an index serves (install.INDEXES)."""
	sessions, now = table(session_rows.DOCTYPE), config.now()
	if kind == AUTHENTICATIONS:
		idle_since = now - timedelta(seconds=config.settings().authentication_idle)
		late = (sessions.auth_expires_at <= now) | (sessions.last_activity <= idle_since)
		return query.where(sessions.authenticated == 1).where(late)
	query = query.where(sessions.status == ACTIVE).where(sessions[ORDER[kind]] <= now)
	return query.where(sessions.active_agent.isnotnull()) if kind == AGENT_LOCKS else query
