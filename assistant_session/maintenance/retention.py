"""Retention: what is older than it has to be goes, children first and in small steps; a legal hold keeps it.

How long it stays is set in Frappe's Log Settings: Conversation Session, counted from the session's end, takes turns and
events with it; Conversation Turn and Session Event take the oldest ones of sessions that go on for years (`Aged`).

A step locks only rows nobody else has, removes a bounded number of rows and is committed; a purge that was cut off is
finished by the next one.
"""

from datetime import datetime, timedelta

import frappe
from pypika.functions import Count

from .. import database
from ..sessions import config
from ..sessions.operations import desk_edits
from ..sessions.session import ACTIVE, CLOSED, EXPIRED
from ..sessions.tables import events, session_rows, turns
from ..sessions.tables.statements import ask, table
from ..sessions.vantage import COMMITTED
from . import OnProgress, in_batches
from .ageing import Aged

SESSIONS = 100  # looked at in one step
ROWS = 2000  # removed in one step, of any kind


def purge(days: int, *, on_progress: OnProgress = lambda _done: None) -> int:
	"""Remove sessions that ended more than `days` ago; returns how many rows, turns and events included. Commits
	each step."""
	return in_batches(Ended(_before(days)).purge, seconds=None, on_progress=on_progress)


def purge_turns(days: int) -> int:
	"""Remove turns older than `days`, also of sessions that go on; returns how many. Commits each step."""
	return in_batches(Aged(turns.DOCTYPE, _before(days)).purge, seconds=None)


def purge_events(days: int) -> int:
	"""Remove events older than `days`, and keep what the rest of their chain goes on from. Commits each step."""
	return in_batches(Aged(events.DOCTYPE, _before(days)).purge, seconds=None)


def count(days: int) -> dict[str, int]:
	"""How many sessions `purge` would remove, and how many a legal hold keeps."""
	sessions = table(session_rows.DOCTYPE)
	query = frappe.qb.from_(sessions).select(sessions.legal_hold, Count("*")).groupby(sessions.legal_hold)
	by_hold = dict(ask(_ended(query, _before(days)), COMMITTED))
	return {"sessions": by_hold.get(0, 0), "held": by_hold.get(1, 0)}


class Ended:
	"""Sessions that ended before a time, oldest first."""

	def __init__(self, before: datetime):
		self.before = before
		self._after: tuple[datetime, str] = (datetime(1, 1, 1), "")

	def purge(self) -> int:
		"""Remove at most ROWS turns and whatever sessions are empty by then; how many rows, 0 when all is done."""
		while names := self._next():
			if removed := self._purge(names):
				return removed
		return 0

	def _purge(self, names: list[tuple[datetime, str]]) -> int:
		removed, free = 0, _locked([name for _time, name in names])
		for time, name in names:
			if name in free:
				desk_edits.announce(name)
				removed += turns.delete_some(name, ROWS - removed)
				if removed >= ROWS:
					return removed  # the next step goes on with this one
				removed += events.delete(name) + session_rows.delete(name)
			self._after = (time, name)
		return removed

	def _next(self) -> list[tuple[datetime, str]]:
		sessions, (last, last_name) = table(session_rows.DOCTYPE), self._after
		time = sessions.closed_at
		query = _ended(frappe.qb.from_(sessions).select(time, sessions.name), self.before)
		query = query.where(sessions.legal_hold == 0)
		query = query.where((time > last) | ((time == last) & (sessions.name > last_name)))
		return ask(query.orderby(time).orderby(sessions.name).limit(SESSIONS))


def _before(days: int) -> datetime:
	return config.now() - timedelta(days=days)


def _locked(names: list[str]) -> set[str]:
	"""Those of `names` that are not under legal hold, and nobody else has locked; locked now."""
	sessions = table(session_rows.DOCTYPE)
	query = frappe.qb.from_(sessions).select(sessions.name).where(sessions.legal_hold == 0)
	query = query.where(sessions.status != ACTIVE).where(sessions.name.isin(names))
	return {name for (name,) in ask(database.lock_named(query))}


def _ended(query, before: datetime):
	sessions = table(session_rows.DOCTYPE)
	return query.where(sessions.status.isin([CLOSED, EXPIRED])).where(sessions.closed_at < before)
