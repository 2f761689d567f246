"""Retention: sessions that ended long ago go, with their turns and events, children first and in small steps.

How long they stay is set in Frappe's Log Settings (Conversation Session). A session under legal hold stays. A step
locks only rows nobody else has, removes a bounded number of rows and is committed; a purge that was cut off is finished by
the next one.
"""

from datetime import datetime, timedelta

import frappe
from pypika.functions import Count

from .. import compat
from ..sessions import config, desk, events, store, turns
from ..sessions.snapshot import CLOSED, EXPIRED
from ..sessions.statements import P, run, table
from . import Told, in_batches

SESSIONS = 100  # looked at in one step
ROWS = 2000  # removed in one step, of any kind


def purge(days: int, *, seconds: float | None = None, told: Told = lambda _done: None) -> int:
	"""Remove what ended more than `days` ago; returns how many rows, turns and events included. Commits each step."""
	before = _before(days)
	return in_batches(lambda: _step(before), seconds=seconds, told=told)


def count(days: int) -> dict[str, int]:
	"""What `purge` would remove, and what a legal hold keeps."""

	def build():
		sessions = table(store.DOCTYPE)
		query = frappe.qb.from_(sessions).select(sessions.legal_hold, Count("*")).groupby(sessions.legal_hold)
		return _ended(query)

	found = dict(run(("count ended",), build, (CLOSED, EXPIRED, _before(days)), beside=True))
	return {"sessions": found.get(0, 0), "held": found.get(1, 0)}


def _before(days: int) -> datetime:
	return config.now() - timedelta(days=days)


def _step(before: datetime) -> int:
	"""At most ROWS turns and whatever sessions are empty by then."""
	removed = 0
	for name in _locked(before):
		desk.announce(name)
		removed += turns.delete_some(name, ROWS - removed)
		if removed >= ROWS:
			return removed
		removed += events.delete(name) + store.delete(name)
	return removed


def _locked(before: datetime) -> list[str]:
	"""Names of the oldest sessions that may go, locked."""

	def build():
		sessions = table(store.DOCTYPE)
		query = _ended(frappe.qb.from_(sessions).select(sessions.name)).where(sessions.legal_hold == 0)
		return compat.for_update(query.orderby(sessions.closed_at).limit(SESSIONS), skip_locked=True)

	return [name for (name,) in run(("ended", SESSIONS), build, (CLOSED, EXPIRED, before))]


def _ended(query):
	sessions = table(store.DOCTYPE)
	return query.where(sessions.status.isin([P, P])).where(sessions.closed_at < P)
