"""The only writer of Conversation Turn: messages, appended once and never rewritten.

A turn's name is its session's id and its zero-padded sequence, so a session's turns lie side by side in the
table and a page of history is one short range, however long the conversation is.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import frappe

from ..secrets import keys
from ..vantage import HERE, Vantage
from . import seals
from .row import decode
from .statements import P, ask, insert, run, table, write

DOCTYPE = "Conversation Turn"
MOST_REPLIES = 50  # in one turn
USER, ASSISTANT, SYSTEM = ROLES = ("user", "assistant", "system")
COLUMNS = (
	"name", "session", "sequence", "role", "content", "intent", "state", "message_key", "reply_to", "metadata",
	"creation",
)  # fmt: skip
SEALED = (*COLUMNS, "message_digest")
INSERTED = (*SEALED, "seal", "modified", "owner", "modified_by", "docstatus", "idx")


@dataclass(frozen=True)
class Turn:
	"""One stored message. `reply_to` is the sequence of the turn it answers; `state` is the one after it."""

	session: str
	sequence: int
	role: str
	content: str = field(repr=False)
	intent: str | None = None
	state: str | None = None
	reply_to: int | None = None
	metadata: dict[str, Any] = field(default_factory=dict)
	creation: datetime | None = None


@dataclass
class Draft:
	"""A message to be stored with the next write. `answers` is how many places before it the question stands."""

	role: str
	content: str = field(repr=False)
	intent: str | None = None
	message_key: str | None = None
	message_digest: str | None = None
	metadata: str | None = field(default=None, repr=False)  # JSON
	answers: int = 0


def key_of(session: str, message_id: str) -> str:
	"""The caller's idempotency key as it is stored: unique within the session, and not readable."""
	return hashlib.sha256(f"{session}\0{message_id}".encode()).hexdigest()


def digest_of(session: str, message: str, *, like: str | None = None) -> str:
	"""A keyed digest of what was said, by which a repeated message is known although it is stored masked. `like`
	is an earlier digest, made with a key that may have been replaced since."""
	key_id = like.partition(":")[0] if like else None
	return keys.digest(keys.MESSAGE, session, message, key_id=key_id)


def name_of(session: str, sequence: int) -> str:
	return f"{session}-{sequence:010d}"


def append(session: str, last: int, drafts: list[Draft], state: str | None, now: datetime) -> list[Turn]:
	"""Insert `drafts` after sequence `last`, in one statement. The caller holds the session's row lock."""
	stored, user = [], frappe.session.user
	for sequence, draft in enumerate(drafts, last + 1):
		reply_to = sequence - draft.answers if draft.answers else None
		turn = Turn(
			session,
			sequence,
			draft.role,
			draft.content,
			draft.intent,
			state,
			reply_to,
			decode(draft.metadata),
			now,
		)
		stored.append((turn, draft))
	sealed = [
		(
			name_of(session, turn.sequence), session, turn.sequence, turn.role, turn.content, turn.intent, state,
			draft.message_key, turn.reply_to or 0, draft.metadata, now, draft.message_digest,
		)
		for turn, draft in stored
	]  # fmt: skip
	insert(
		DOCTYPE,
		INSERTED,
		[(*values, seals.of_turn(values), now, user, user, 0, 0) for values in sealed],
	)
	return [turn for turn, _draft in stored]


def by_message_key(key: str, vantage: Vantage = HERE) -> tuple[int, str] | None:
	"""Sequence and digest of the turn that was stored with this key."""

	def build():
		turns = table(DOCTYPE)
		return (
			frappe.qb.from_(turns).select(turns.sequence, turns.message_digest).where(turns.message_key == P)
		)

	rows = run(("turn by key",), build, (key,), vantage)
	return rows[0] if rows else None


def between(session: str, first: int, last: int, vantage: Vantage = HERE) -> list[Turn]:
	"""Turns `first` to `last`, both included, in order; those that exist."""
	if last < first:
		return []

	def build():
		turns = table(DOCTYPE)
		query = _select().where(turns.name >= P).where(turns.name <= P).where(turns.session == P)
		return query.orderby(turns.name)

	values = (name_of(session, first), name_of(session, last), session)
	return [_turn(row) for row in run(("turns",), build, values, vantage)]


def exchange(session: str, sequence: int, vantage: Vantage = HERE) -> list[Turn]:
	"""A turn and what was answered to it: the turns right after it that name it."""
	following = between(session, sequence, sequence + MOST_REPLIES, vantage)
	return [turn for turn in following if sequence in (turn.sequence, turn.reply_to)]


def take_back(stored: list[Turn]) -> None:
	"""Remove turns this very transaction has inserted, when the write they belong to failed."""
	turns = table(DOCTYPE)
	for turn in stored:
		name = name_of(turn.session, turn.sequence)
		write(frappe.qb.from_(turns).delete().where(turns.name == name))


def delete_some(session: str, limit: int) -> int:
	"""Remove at most `limit` of a session's turns, oldest first; returns how many (its purge is under way)."""
	turns = table(DOCTYPE)
	oldest = frappe.qb.from_(turns).select(turns.name).where(turns.session == session)
	names = [name for (name,) in ask(oldest.orderby(turns.name).limit(limit))]
	if names:
		write(frappe.qb.from_(turns).delete().where(turns.name.isin(names)))
	return len(names)


def delete(session: str) -> None:
	"""Remove a session's turns (it is being deleted itself)."""
	turns = table(DOCTYPE)
	write(frappe.qb.from_(turns).delete().where(turns.session == session))


def _select():
	turns = table(DOCTYPE)
	return frappe.qb.from_(turns).select(*(turns[column] for column in COLUMNS[1:]))


def _metadata(text: str | None) -> dict[str, Any]:
	"""Empty where somebody broke it: a conversation can be read all the same, and the doctor names the turn."""
	try:
		return decode(text)
	except ValueError:
		return {}


def _turn(row: tuple) -> Turn:
	session, sequence, role, content, intent, state, _key, reply_to, metadata, creation = row
	return Turn(
		session,
		sequence,
		role,
		content,
		intent,
		state,
		reply_to or None,
		_metadata(metadata),
		creation,
	)
