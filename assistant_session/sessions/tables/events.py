"""The only writer of Session Event: an append-only audit trail, chained (`audit_chain`) so that tampering shows.

Details never hold a credential, a token or message text.
"""

import json
from datetime import datetime

import frappe
from pypika.functions import Count

from .audit_chain import COLUMNS, ERASED, commitment
from .session_rows import NOBODY
from .statements import ask, insert, table, write

DOCTYPE = "Session Event"
STANDARD = ("creation", "modified", "owner", "modified_by", "docstatus", "idx")


def store(records: list[tuple]) -> None:
	insert(DOCTYPE, (*COLUMNS, *STANDARD), records)


def within(session: str, since: datetime | None, until: datetime | None, limit: int) -> list[tuple]:
	"""The last `limit` events between two times, in order: sequence, event, actor, details, time."""
	trail = table(DOCTYPE)
	columns = (trail.sequence, trail.event, trail.actor, trail.details, trail.creation)
	query = frappe.qb.from_(trail).select(*columns).where(trail.session == session)
	if since is not None:
		query = query.where(trail.creation >= since)
	if until is not None:
		query = query.where(trail.creation <= until)
	return list(reversed(ask(query.orderby(trail.name, order=frappe.qb.desc).limit(limit))))


def erase(session: str, last: int) -> None:
	"""Reduce events up to `last` to what the chain needs: kind, time, and the commitment to who did it and how."""
	events = table(DOCTYPE)
	query = frappe.qb.from_(events).select(events.name, events.actor, events.details, events.salt)
	query = query.where(events.session == session).where(events.sequence <= last)
	for name, actor, details, salt in ask(query.where(events.salt.isnotnull())):
		kept = json.dumps({ERASED: commitment(actor or "", details or "", salt)})
		reduced = (
			frappe.qb.update(events).set(events.details, kept).set(events.salt, None).set(events.actor, "")
		)
		reduced = reduced.set(events.owner, NOBODY).set(events.modified_by, NOBODY)
		write(reduced.where(events.name == name))


def delete(session: str) -> int:
	"""Remove a session's events (it is being deleted itself); returns how many."""
	events = table(DOCTYPE)
	return write(frappe.qb.from_(events).delete().where(events.session == session))


def count_of(event: str) -> int:
	"""How many events of this kind the site holds."""
	events = table(DOCTYPE)
	return ask(frappe.qb.from_(events).select(Count("*")).where(events.event == event))[0][0]
