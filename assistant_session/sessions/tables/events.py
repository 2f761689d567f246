"""The only writer of Session Event: an append-only audit trail, chained so that tampering shows.

Each event's digest is an HMAC over the one before it and the event's own values. Count and head of the chain
stand in the session's row and are written in the same UPDATE, under the same lock: events of one session
cannot interleave, and one that was altered, removed or cut off no longer fits. Details never hold a
credential, a token or message text.

Actor and details enter the digest as a salted commitment. When a person is erased that commitment alone is kept
in their place, so that the chain still fits and nobody can tell any more what it said.
"""

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import frappe
from pypika.functions import Count

from ..secrets import keys
from .row import Row
from .session_rows import NOBODY
from .statements import ask, insert, table, write

DOCTYPE = "Session Event"
SALT_BYTES = 16
ERASED = "erased"
COLUMNS = ("name", "session", "sequence", "event", "actor", "details", "digest", "salt")
STANDARD = ("creation", "modified", "owner", "modified_by", "docstatus", "idx")


@dataclass(frozen=True)
class Event:
	"""Something worth remembering, as handed to a write."""

	event: str
	details: dict[str, Any] = field(default_factory=dict)


def chain(row: Row, events: list[Event], now: datetime) -> tuple[dict[str, Any], list[tuple]]:
	"""The columns of the session that must change, and the rows to insert, for `events` after `row`."""
	head, count, records = row.event_head or "", row.event_count, []
	actor = frappe.session.user
	for event in events:
		count += 1
		details = json.dumps(event.details, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
		salt = secrets.token_hex(SALT_BYTES)
		head = link(head, row.name, count, event.event, commitment(actor, details, salt), now)
		record = (name_of(row.name, count), row.name, count, event.event, actor, details, head, salt)
		records.append((*record, now, now, actor, actor, 0, 0))
	return ({"event_count": count, "event_head": head} if events else {}), records


def name_of(session: str, sequence: int) -> str:
	return f"{session}-{sequence:08d}"


def link(
	previous: str,
	session: str,
	sequence: int,
	event: str,
	said: str,
	now: datetime,
	*,
	key_id: str | None = None,
) -> str:
	"""The digest of one event, given the one before it (empty for the first) and its commitment."""
	moment = now.isoformat(timespec="microseconds")
	return keys.digest(keys.AUDIT, previous, session, str(sequence), event, said, moment, key_id=key_id)


def commitment(actor: str, details: str, salt: str | None) -> str:
	"""What the chain holds of actor and details; an erased event, which has no salt, has nothing else left."""
	if salt:
		return hashlib.sha256(keys.framed(salt, actor, details)).hexdigest()
	return json.loads(details)[ERASED]


def sealed(session: str, purged: int, digest: str) -> str:
	"""What stands in the session's row for its first `purged` events, which are past their retention: the digest the
	rest goes on from, and an HMAC by which nobody else can say that they were purged."""
	return f"{digest} {_seal(session, purged, digest)}"


def base_of(row: Row) -> str | None:
	"""The digest the first event that is left goes on from: empty if none was purged, None if the seal does not fit."""
	if not row.purged_events:
		return None if row.event_base else ""
	digest, _space, seal = (row.event_base or "").partition(" ")
	try:
		fits = seal == _seal(row.name, row.purged_events, digest, key_id=seal.partition(":")[0])
	except keys.KeyMissing:
		return None
	return digest if fits else None


def _seal(session: str, purged: int, digest: str, *, key_id: str | None = None) -> str:
	return keys.digest(keys.AUDIT, "purged", session, str(purged), digest, key_id=key_id)


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
