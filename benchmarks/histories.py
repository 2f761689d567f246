"""Conversations of a given length to measure on, set back after each turn, and removed at the end.

A turn is always measured on exactly N turns of history: what the one before added is deleted again, and row,
register and memory are put back, none of it timed. Everything is found by the prefix of the sessions' names,
so that what a killed run left goes with the next one.
"""

import json
import secrets
import uuid
from datetime import datetime, timedelta

import frappe

from assistant_session import sessions
from assistant_session.sessions import config
from assistant_session.sessions.coherence import register
from assistant_session.sessions.coherence.memory import memory
from assistant_session.sessions.tables import seals, session_rows, turns
from assistant_session.sessions.tables.row import Row, entry

from . import driver

PREFIX = "assistant-session-benchmark-"
STATE = "COLLECTING_CONTACT"
MESSAGE = "I need 11 remote controls for the north depot, delivered before the end of the month if you can."
REPLY = (
	"Eleven remote controls, noted. To confirm your order, please give me your name, a phone number and "
	"an e-mail address, and I will send you a quotation within the hour."
)
CONTEXT = {
	"customer": "CUST-2025-00042",
	"language": "en",
	"basket": [{"item": "RC-11", "quantity": 11, "warehouse": "North"}, {"item": "BAT-2", "quantity": 22}],
	"last_search": {"text": "remote control", "found": 17, "page": 1},
}
TURN_COLUMNS = turns.INSERTED
CHUNK = 1000  # rows in one statement while a history is laid out
FURTHEST = 50  # turns past its length that a conversation may have grown by
SETTABLE = (
	"current_state", "previous_state", "turn_count", "last_activity", "expires_at", "restored_count",
	"version", "revision", "seal",
)  # fmt: skip


class Conversation:
	"""A session with `length` turns, and how to get back to there."""

	def __init__(
		self,
		length: int,
		token_hash: str | None = None,
		*,
		verified_by: str | None = None,
		intent: str | None = None,
	):
		self.length = length
		self.name = _open()
		if verified_by:
			sessions.authenticate(self.name, {"name": "Hari"}, method=verified_by, identity=self.name)
			sessions.lock_intent(self.name, intent)
		_append(self.name, length)
		values = {"turn_count": length, "restored_count": 0, "token_hash": token_hash}
		_update(self.name, values)
		_update(self.name, {"seal": seals.sealed(session_rows.select(self.name)).seal})
		frappe.db.commit()
		register.forget([self.name])
		memory.drop(self.name)
		self.row: Row = session_rows.select(self.name)

	def rewind(self) -> None:
		"""Take away what was added, behind the service's back; the caller commits, then calls `publish`."""
		first, last = self.length + 1, self.length + FURTHEST
		places = (turns.name_of(self.name, first), turns.name_of(self.name, last))
		frappe.db.sql("DELETE FROM `tabConversation Turn` WHERE name >= %s AND name <= %s", places)
		_update(self.name, {column: getattr(self.row, column) for column in SETTABLE})

	def publish(self, *, in_memory: bool) -> None:
		"""Make register and worker memory what they are after a commit of this row."""
		register.connection().redis.set(register.key("register", self.name), entry(self.row), px=120_000)
		memory.drop(self.name)
		if in_memory:
			memory.put(self.row)

	def written(self) -> tuple[set[str], list[set[str]]]:
		"""Which columns of the session the last turn changed, and which each of its new turns fills."""
		row = session_rows.select(self.name)
		changed = {column for column in row._fields if getattr(row, column) != getattr(self.row, column)}
		added = frappe.db.sql(
			"SELECT * FROM `tabConversation Turn` WHERE name > %s AND name <= %s ORDER BY name",
			(turns.name_of(self.name, self.length), turns.name_of(self.name, self.length + FURTHEST)),
			as_dict=True,
		)
		return changed, [{column for column, value in turn.items() if value is not None} for turn in added]


def clean() -> None:
	"""Remove every conversation of this and of earlier runs: rows, register entries, worker memory."""
	frappe.db.rollback()
	named = {"name": ("like", f"{PREFIX}%")}
	names = frappe.get_all("Conversation Session", filters=named, pluck="name")
	of_session = {"session": ("like", f"{PREFIX}%")}
	for doctype, filters in (
		("Conversation Turn", of_session),
		("Session Event", of_session),
		("Conversation Session", named),
	):
		frappe.db.delete(doctype, filters)
	frappe.db.commit()
	register.forget(names)
	for name in names:
		memory.drop(name)


def _open() -> str:
	"""A session as it is in the middle of a conversation: a device, a context, a flow, an agent."""
	name = PREFIX + secrets.token_hex(8)
	sessions.open(name, device_id=str(uuid.uuid4()), state=STATE)

	def fill(session: sessions.Session) -> None:
		session.context = CONTEXT
		session.set_flow("bulk_order", "collecting_contact", {"quantity": 11})
		session.lock_agent("sales")

	sessions.update(name, fill)
	frappe.db.commit()
	return name


def _append(name: str, length: int) -> None:
	started = config.now() - timedelta(seconds=length)
	cursor = driver.cursor()
	for first in range(1, length + 1, CHUNK):
		rows = [_turn(name, sequence, started) for sequence in range(first, min(first + CHUNK, length + 1))]
		statement = driver.insert(turns.DOCTYPE, TURN_COLUMNS, len(rows))
		cursor.execute(statement, [value for row in rows for value in row])


def _turn(name: str, sequence: int, started: datetime) -> tuple:
	"""One row as `turns.append` writes it: questions and answers in turn."""
	asked, moment = sequence % 2 == 1, started + timedelta(seconds=sequence)
	role, content = (turns.USER, MESSAGE) if asked else (turns.ASSISTANT, REPLY)
	key = turns.key_of(name, f"old-{sequence}") if asked else None
	reply_to, metadata = (0 if asked else sequence - 1), (json.dumps({"page": "/shop"}) if asked else None)
	return (
		turns.name_of(name, sequence), name, sequence, role, content, None, STATE, key, reply_to, metadata,
		moment, None, None, moment, "Administrator", "Administrator", 0, 0,
	)  # fmt: skip


def _update(name: str, values: dict) -> None:
	assignments = ", ".join(f"`{column}` = %s" for column in values)
	frappe.db.sql(
		f"UPDATE `tabConversation Session` SET {assignments} WHERE name = %s", (*values.values(), name)
	)
