"""The oldest turns and events of sessions that go on: they go, and the session's row says how many of them went. What
has ended stays whole until it goes as a whole.

What is left of a trail stays verifiable: the row keeps, sealed, the digest the first event that is left goes on from.
A trail that does not fit by then is left as it is, for the doctor to name.
"""

from collections import deque
from datetime import datetime
from itertools import takewhile
from typing import Any

import frappe

from .. import database
from ..sessions.coherence import repeating, writing
from ..sessions.coherence.writing import MUST_HAPPEN, Write
from ..sessions.health import diagnosis
from ..sessions.session import ACTIVE
from ..sessions.tables import audit_chain, events, listing, session_rows, turns
from ..sessions.tables.row import Row
from ..sessions.tables.statements import ask, table, write
from ..sessions.vantage import COMMITTED

PURGED = {turns.DOCTYPE: "purged_turns", events.DOCTYPE: "purged_events"}
SESSIONS = 500  # named at once
ROWS = 500  # removed in one step


class Aged:
	"""Rows of `doctype` from before a time, session by session."""

	def __init__(self, doctype: str, before: datetime):
		self.doctype, self.before = doctype, before
		self._names: deque[str] = deque()
		self._after = ""

	def _repeated(self, name: str) -> int:
		return repeating.repeated(name, lambda _first: self._purge(name))

	def purge(self) -> int:
		"""Remove at most ROWS of one session; how many, 0 when all sessions were seen. The caller commits."""
		while name := self._current():
			removed = self._repeated(name)
			if removed < ROWS:
				self._names.popleft()
			if removed:
				return removed
			frappe.db.rollback()  # a job's: nothing was written, and nobody shall wait for a row we looked at
		return 0

	def _current(self) -> str | None:
		if not self._names:
			self._names.extend(self._next())
			self._after = self._names[-1] if self._names else self._after
		return self._names[0] if self._names else None

	def _next(self) -> list[str]:
		"""Names of sessions that are old enough to have such rows."""
		sessions = table(session_rows.DOCTYPE)
		query = frappe.qb.from_(sessions).select(sessions.name).where(sessions.name > self._after)
		query = query.where(sessions.creation < self.before).where(sessions.status == ACTIVE)
		return [name for (name,) in ask(query.orderby(sessions.name).limit(SESSIONS), COMMITTED)]

	def _purge(self, name: str) -> int:
		row = _locked(name) if self._old(name) else None
		if row is None:
			return 0
		purged = getattr(row, PURGED[self.doctype])
		old = [one for one in self._old(name) if one[1] > purged]  # once more: it was not locked before
		if not old:
			return 0
		changes = _purged_turns(row, old) if self.doctype == turns.DOCTYPE else _purged_events(row, old)
		if not changes or not writing.write_locked([(row, Write(changes, kind=MUST_HAPPEN))]):
			return 0
		return self._delete([one[0] for one in old])

	def _old(self, name: str) -> list[tuple]:
		"""At most ROWS of the session's oldest rows that are past their time, as committed: name, sequence, time."""
		of = table(self.doctype)
		query = frappe.qb.from_(of).select(of.name, of.sequence, of.creation).where(of.session == name)
		oldest = ask(query.orderby(of.name).limit(ROWS), COMMITTED)
		return list(takewhile(lambda row: row[-1] < self.before, oldest))

	def _delete(self, names: list[str]) -> int:
		of = table(self.doctype)
		return write(frappe.qb.from_(of).delete().where(of.name.isin(names)))


def _locked(name: str) -> Row | None:
	"""The row, locked; None if it is gone, under legal hold, or somebody else has it."""
	sessions = table(session_rows.DOCTYPE)
	query = session_rows.select_all().where(sessions.name == name)
	query = query.where(sessions.legal_hold == 0).where(sessions.status == ACTIVE)
	rows = ask(database.lock_named(query))
	return Row._make(rows[0]) if rows else None


def _purged_turns(row: Row, old: list[tuple]) -> dict[str, Any]:
	"""Where the last message goes, what lists show of it goes as well."""
	last = old[-1][1]
	shown = listing.no_message() if last >= row.turn_count else {}
	return {"purged_turns": last, **shown}


def _purged_events(row: Row, old: list[tuple]) -> dict[str, Any]:
	"""Nothing if the trail is broken up to there: then it is evidence."""
	digest = diagnosis.digest_after(row, old[-1][1])
	if digest is None:
		return {}
	return {"purged_events": old[-1][1], "event_base": audit_chain.sealed(row.name, old[-1][1], digest)}
