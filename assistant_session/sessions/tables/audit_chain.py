"""The chain of a session's audit trail: how one event is bound to the one before it.

Each event's digest is an HMAC over the one before it and the event's own values. Count and head of the chain
stand in the session's row and are written in the same UPDATE, under the same lock: events of one session
cannot interleave, and one that was altered, removed or cut off no longer fits.

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

from ..secrets import keys
from .row import Row

SALT_BYTES = 16
ERASED = "erased"
COLUMNS = ("name", "session", "sequence", "event", "actor", "details", "digest", "salt")


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
