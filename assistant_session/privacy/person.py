"""Everything that is held about one person: found by what they are known by, and handed out whole.

A person is named in one way: the identity an Identity Check proved, a Frappe user, a party, a device, an address on a
channel, or one session. Sessions are read one by one, so that memory stays bounded however long their conversations are.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import frappe
from frappe import _

from .. import json_texts
from ..authentication import canonical, checks
from ..sessions import InvalidSessionData, SessionError, bounds
from ..sessions.coherence import writing
from ..sessions.coherence.writing import MUST_HAPPEN, Write
from ..sessions.secrets import encryption, keys
from ..sessions.tables import events, session_rows, turns
from ..sessions.tables.audit_chain import Event
from ..sessions.tables.proof import identity_hashes
from ..sessions.tables.row import Row
from ..sessions.tables.statements import ask, table
from ..sessions.vantage import COMMITTED

PAGE = 500  # turns read at once
# What a person is told of their session; the rest is bookkeeping or a secret of the site's.
TOLD = (
	"name", "channel", "external_id", "device_id", "user", "party_type", "party", "status", "creation", "last_activity",
	"expires_at", "closed_at", "close_reason", "authenticated", "auth_method", "authenticated_at",
	"locked_intent", "pending_intent", "active_agent", "current_state", "previous_state", "turn_count",
)  # fmt: skip


@dataclass(frozen=True)
class Person:
	"""Columns of Conversation Session and the values that are theirs."""

	columns: tuple[str, ...]
	values: tuple[tuple[str, ...], ...]  # one tuple of values per spelling, in the order of `columns`
	named: str  # a keyed digest of how the person was named, by which a receipt says whom it is about

	@classmethod
	def by_identity(cls, check: str, identity: str) -> "Person":
		"""Whom an Identity Check proved; `identity` in any form the person could type. Raises InvalidSessionData."""
		check, identity = bounds.label(check, "identity"), bounds.key(identity, "identity")
		if not frappe.db.exists(checks.DOCTYPE, check):
			raise InvalidSessionData(_("check: there is no such Identity Check."))
		proof = checks.get(check)
		secret = canonical.canonical(identity, proof.credential(proof.identity_credential).normalisation)
		hashes = identity_hashes(secret.reveal(), proof.namespace)
		return cls(("identity_hash",), tuple((one,) for one in hashes), _named("identity", hashes[0]))

	@classmethod
	def by_user(cls, user: str) -> "Person":
		return cls._by(("user",), bounds.key(user, "user"))

	@classmethod
	def by_party(cls, doctype: str, name: str) -> "Person":
		return cls._by(("party_type", "party"), bounds.key(doctype, "party_type"), bounds.key(name, "party"))

	@classmethod
	def by_device(cls, device: str) -> "Person":
		return cls._by(("device_id",), bounds.device_id(device))

	@classmethod
	def by_address(cls, channel: str, external_id: str) -> "Person":
		address = bounds.key(external_id, "external_id", length=255)
		return cls._by(("channel", "external_id"), bounds.label(channel, "channel"), address)

	@classmethod
	def by_session(cls, session_id: str) -> "Person":
		return cls._by(("name",), bounds.session_id(session_id))

	@classmethod
	def _by(cls, columns: tuple[str, ...], *values: str) -> "Person":
		return cls(columns, (values,), _named(*columns, *values))

	@classmethod
	def of(cls, **named: Any) -> "Person":
		"""Named in exactly one way, the others absent or None: `user`, `device`, `session`, or a pair: `party` (DocType
		and name), `address` (channel and external id), `identity` (Identity Check and credential)."""
		given = {way: value for way, value in named.items() if value is not None}
		if len(given) != 1:
			ways = ", ".join(way.removeprefix("by_") for way in vars(cls) if way.startswith("by_"))
			raise InvalidSessionData(_("person: exactly one of {0} is needed.").format(ways))
		((way, value),) = given.items()
		return getattr(cls, f"by_{way}")(*(value if isinstance(value, list | tuple) else (value,)))

	def sessions(self) -> list[str]:
		"""Ids of all sessions of this person, oldest first, compared exactly."""
		return list(dict.fromkeys(name for values in self.values for name in self._sessions(values)))

	def _sessions(self, values: tuple[str, ...]) -> Iterator[str]:
		of = table(session_rows.DOCTYPE)
		query = frappe.qb.from_(of).select(of.name, *(of[column] for column in self.columns))
		for column, value in zip(self.columns, values, strict=True):
			query = query.where(of[column] == value)
		rows = ask(query.orderby(of.creation).orderby(of.name), COMMITTED)
		return (row[0] for row in rows if row[1:] == values)


def _named(*parts: str) -> str:
	return keys.digest(keys.IDENTITY, "person", *parts)


def note_export(person: Person, *, how: str) -> int:
	"""Write into the audit trail of each session that its contents are handed out; in how many. The caller commits."""
	event = Event("exported", {"how": bounds.label(how, "how")})
	names = person.sessions()
	for name in names:
		writing.change(name, lambda _row: Write(events=[event], kind=MUST_HAPPEN))
	return len(names)


def count_turns(person: Person) -> int:
	"""How many turns an export would hold, at most."""
	return sum(row.turn_count - row.purged_turns for row in held_rows(person))


def held_rows(person: Person) -> Iterator[Row]:
	"""The sessions of the person, as committed."""
	rows = (session_rows.select(name, COMMITTED) for name in person.sessions())
	return (row for row in rows if row)


def export(person: Person) -> Iterator[dict[str, Any]]:
	"""One object per session: `session`, `profile`, `pending_message`, `context`, `flows`, `turns`, `events`.

	What is broken or cannot be opened is handed out as it is stored, under the name `unreadable`. Turns from before
	somebody else was verified in the same session are another person's, and left out unless the session itself is named.
	"""
	for name in person.sessions():
		row = session_rows.select(name, COMMITTED)
		if row:
			first = (
				row.purged_turns if person.columns == ("name",) else max(row.purged_turns, row.hidden_turns)
			)
			yield _whole(row, first + 1)


def transcript(exported: dict[str, Any]) -> str:
	"""The same to read: who said what, and when."""
	session = exported["session"]
	lines = [f"{session['name']} · {session['channel']} · {session['status']} · {session['creation']}"]
	lines += [f"  {turn['creation']}  {turn['role']}: {turn['content']}" for turn in exported["turns"]]
	return "\n".join(lines)


def _whole(row: Row, first: int) -> dict[str, Any]:
	unreadable: dict[str, str] = {}
	return {
		"session": {column: _plain(getattr(row, column)) for column in TOLD},
		"profile": _opened(row, "user_profile", unreadable, is_json=True),
		"pending_message": _opened(row, "pending_message", unreadable),
		"context": _decoded(row, "context", unreadable),
		"flows": _decoded(row, "flows", unreadable),
		"turns": list(_turns(row, first)),
		"events": _events(row),
		"unreadable": unreadable,
	}


def _turns(row: Row, first: int) -> Iterator[dict[str, Any]]:
	for start in range(first, row.turn_count + 1, PAGE):
		for turn in turns.between(row.name, start, min(start + PAGE - 1, row.turn_count), COMMITTED):
			yield {
				"sequence": turn.sequence, "role": turn.role, "content": turn.content, "intent": turn.intent,
				"metadata": turn.metadata, "creation": _plain(turn.creation),
			}  # fmt: skip


def _events(row: Row) -> list[dict[str, Any]]:
	"""Without legal holds, which are not for the person to know, and without the names of staff."""
	of, columns = table(events.DOCTYPE), ("sequence", "event", "actor", "details", "creation")
	query = frappe.qb.from_(of).select(*(of[column] for column in columns)).where(of.session == row.name)
	stored = ask(query.orderby(of.sequence), COMMITTED)
	shown = [dict(zip(columns, map(_plain, event), strict=True)) for event in stored if event[1] != "held"]
	for event in shown:
		event["actor"] = event["actor"] if event["actor"] in ("", "Guest", row.user) else "staff"
	return shown


def _opened(row: Row, column: str, unreadable: dict[str, str], *, is_json: bool = False) -> Any:
	try:
		text = encryption.decrypted(getattr(row, column))
		return json_texts.loads(text) if text and is_json else text
	except (SessionError, ValueError):
		unreadable[column] = getattr(row, column)
		return None


def _decoded(row: Row, column: str, unreadable: dict[str, str]) -> Any:
	try:
		return json_texts.loads(getattr(row, column) or "{}")
	except ValueError:
		unreadable[column] = getattr(row, column)
		return None


def _plain(value: Any) -> Any:
	return value.isoformat(sep=" ") if isinstance(value, datetime) else value
