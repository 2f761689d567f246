"""Processing one message: the hold, a view of the session that is current, and one write at the end.

	with sessions.turn(session_id, "I need 11 remote controls", message_id=request_id) as turn:
		if not turn.repeated:
			turn.session.set_flow("bulk_order", "collecting_contact", {"quantity": 11})
			turn.reply("To confirm your order, please give name, phone, email")

Leaving the block stores the person's message, the replies and every change of `turn.session` together; an
exception stores nothing. Two trips to Redis: one gets the hold, reads the register and puts the mark; one,
after COMMIT, publishes and gives the hold back.

Having got the hold, nothing is read through a snapshot from before the wait. In an endpoint of ours, where nothing
was written yet, a new transaction is begun. In a transaction that is somebody else's the session is read on a second
connection instead: their savepoints, row locks and writes stay as they are.
"""

import json
import time
from dataclasses import replace
from typing import Any

from .. import compat
from ..metrics.counters import counters
from . import bounds, coherence, config, holds, masking, store, turns, writing
from .agents import Grant
from .errors import InvalidSessionData, SessionBusy, SessionNotFound
from .memory import memory
from .rows import JSON_COLUMNS, Changes, Row, decode, entry
from .snapshot import Session
from .transaction import ledger, seen
from .turns import Draft, Turn
from .writing import Write


class TurnInProgress:
	"""The message being processed: `message`, `intent`, `session` (a snapshot to change), and what is answered so far.

	`repeated` is true if this `message_id` was stored before: `replies` are then the stored ones, and leaving
	the block writes nothing. What looks like a credential of an Identity Check is masked in `message` and in what is
	stored: a bot that keeps the message in a flow keeps no credential. `raw_message` is what was typed, for reading
	credentials; replies, context and flows do not repeat what is masked in it.
	"""

	def __init__(self, row: Row, origin: str, message: str, intent: str | None, message_key: str | None):
		self.session = Session(row, origin)
		self.raw_message, self.intent, self.message_key = message, intent, message_key
		self.caller: Any = None  # what the HTTP side knows of who is asking; see authentication.lockout
		self.outcome: Any = None  # what became of the credentials in this message; see authentication.submit
		self.repeated = False
		self._patterns = config.settings().credential_patterns
		self._stored_as, self._typed = masking.split(self._patterns, message)
		self.message = self._stored_as
		self._concealed = False
		self.role = turns.USER
		self.stored: list[Turn] = []
		self.drafts: list[Draft] = []

	@property
	def replies(self) -> list[str]:
		"""What the assistant answers, or answered the first time."""
		if self.repeated:
			return [turn.content for turn in self.stored if turn.role == turns.ASSISTANT]
		return [draft.content for draft in self.drafts if draft.role == turns.ASSISTANT]

	def reply(self, text: str, *, intent: str | None = None, metadata: dict | None = None) -> None:
		"""Answer; may be called several times, up to 50. Ignored while a stored message is repeated."""
		self._add(turns.ASSISTANT, text, intent, metadata)

	def note(self, text: str, *, metadata: dict | None = None) -> None:
		"""Add a turn of the role `system`."""
		self._add(turns.SYSTEM, text, None, metadata)

	def conceal(self, text: str = masking.MASK) -> None:
		"""Store `text`, and show it to the bot, instead of the message, which holds credentials; and nothing of its metadata."""
		self.message = self._stored_as = masking.masked(self._patterns, text)
		self._typed += masking.numbers(self.raw_message)
		self._concealed = True

	def as_stored(self, draft: Draft) -> Draft:
		"""The person's message as it may be kept."""
		if self.role != turns.USER:
			return draft
		metadata = None if self._concealed else draft.metadata
		if self._patterns and metadata:
			metadata = bounds.json_object(masking.masked_json(self._patterns, decode(metadata)), "metadata")
		return replace(draft, content=self._stored_as, metadata=metadata)

	def without_typed(self, changes: Changes) -> dict[str, Any]:
		"""Changed columns in which what is masked in the message is masked as well."""
		return {
			column: self._without_typed(value) if column in JSON_COLUMNS and value else value
			for column, value in changes.items()
		}

	def _without_typed(self, text: str) -> str:
		for typed in self._typed:
			text = text.replace(typed, masking.MASK).replace(json.dumps(typed)[1:-1], masking.MASK)
		return text

	def _add(self, role: str, text: str, intent: str | None, metadata: dict | None) -> None:
		if self.repeated:
			return
		if len(self.drafts) >= turns.MOST_REPLIES:
			raise InvalidSessionData(
				f"reply: at most {turns.MOST_REPLIES} replies to one message are allowed."
			)
		text = bounds.message(text, "reply")
		text = masking.masked(config.settings().own_patterns, self._without_typed(text))
		self.drafts.append(_draft(role, text, intent, metadata, answers=len(self.drafts) + 1))


class TurnBlock:
	"""The context manager behind `sessions.turn`."""

	def __init__(
		self,
		session_id: str,
		message: str,
		*,
		message_id: str | None = None,
		intent: str | None = None,
		metadata: dict[str, Any] | None = None,
		grant: Grant | None = None,
	):
		self.name = bounds.session_id(session_id)
		self.draft = _draft(turns.USER, message, intent, metadata)
		self.fence = grant.fence if grant else None
		if message_id is not None:
			self.draft.message_key = turns.key_of(self.name, bounds.key(message_id, "message_id"))
			self.draft.message_digest = turns.digest_of(self.name, self.draft.content)

	def __enter__(self) -> TurnInProgress:
		self.asked_at = time.monotonic()
		try:
			self.hold = self._acquire()
		except Exception as error:
			raise writing.refused(writing.translate(error, self.name)) from error
		try:
			self.turn = self._begin()
		except BaseException as error:
			self._give_back()
			if isinstance(error, Exception):
				raise writing.refused(writing.translate(error, self.name)) from error
			raise
		return self.turn

	def __exit__(self, kind, error, traceback) -> None:
		try:
			if kind is None and not self.turn.repeated:
				self._store()
				return
		except BaseException:
			self._give_back()
			raise
		self._give_back()

	def _acquire(self) -> holds.Hold:
		here, self.anew = ledger(), False
		if held := here.holds.get(self.name):
			if held.in_block:
				raise SessionBusy.of(self.name)
			held.in_block, held.said = True, None
			return held
		anew = here.may_begin_anew()
		hold = holds.acquire(self.name, here.token, anew=anew)
		if not hold.in_database:
			here.marked.add(self.name)
			self.anew = hold.fresh = anew
		here.holds[self.name] = hold
		hold.in_block = True
		return hold

	def _begin(self) -> TurnInProgress:
		if self.anew:
			compat.begin_anew()
		self.written = self.name in ledger().written
		row = None if self.written else coherence.confirmed(self.name, self.hold.said)
		self.warm = row is not None
		if not self.written:
			counters.read(hit=self.warm)
		row, before = (row, self._stored_before()) if row else self._read()
		draft = self.draft
		turn = TurnInProgress(row, self._origin(), draft.content, draft.intent, draft.message_key)
		seen().forget(self.name)  # what was read before the wait
		self.hold.row, self.hold.turn = row, turn
		if before:
			self._repeat(turn, *before)
		else:
			writing.require_live(row)
		counters.count("sessions_restored", turn.session.origin)
		return turn

	def _origin(self) -> str:
		"""Where this worker had the session from, which an earlier read in this request may have decided."""
		_row, origin = seen().rows.get(self.name, (None, coherence.MEMORY))
		return origin if self.warm else coherence.DATABASE

	def _read(self) -> tuple[Row, tuple[int, str] | None]:
		"""The row and, if there is one, the turn stored with this message id, both as they are now."""
		if self.hold.fresh and self.draft.message_key:
			row, before = store.select_with_turn(self.name, self.draft.message_key)
		else:
			row, before = self._row(), self._stored_before()
		if row is None:
			memory.drop(self.name)
			counters.count("sessions_not_found", "unknown")
			raise SessionNotFound.of(self.name)
		return row, before

	def _row(self) -> Row | None:
		if self.hold.in_database and not self.hold.fresh:
			return store.select_locked(self.name)  # it is locked already; a plain read would use the snapshot
		return store.select(self.name, beside=not (self.hold.fresh or self.written))

	def _stored_before(self) -> tuple[int, str] | None:
		"""Sequence and digest of the turn stored with this message id, by anybody or by this transaction."""
		key = self.draft.message_key
		if key is None:
			return None
		found = None if self.hold.fresh else turns.by_message_key(key, beside=True)
		return found or (turns.by_message_key(key) if self.hold.fresh or self.written else None)

	def _repeat(self, turn: TurnInProgress, sequence: int, digest: str) -> None:
		"""Another person's message, from before this one was verified, is no message of this one's."""
		hidden = sequence <= turn.session.hidden_turns
		if hidden or turns.digest_of(self.name, self.draft.content, like=digest) != digest:
			raise InvalidSessionData("message_id: this id was used for another message of the session.")
		turn.repeated = True
		turn.stored = turns.exchange(self.name, sequence, beside=not self.hold.fresh)
		turn.stored = turn.stored or turns.exchange(self.name, sequence)

	def _store(self) -> None:
		session = self.turn.session
		changes = self.turn.without_typed(session.changes())
		if session.origin == coherence.DATABASE:
			changes["restored_count"] = session.row.restored_count + 1
		asked = replace(
			self.turn.as_stored(self.draft),
			role=self.turn.role,
			intent=bounds.optional_label(self.turn.intent, "intent"),
		)
		write = Write(changes, [asked, *self.turn.drafts], session.happened, asked_at=self.asked_at)
		# The trip that put our mark also said that this very row was current.
		mark_is_safe = entry(session.row) == self.hold.said and ledger().token == self.hold.mark
		try:
			result = writing.save(session.row, write, fence=self.fence, mark_is_safe=mark_is_safe)
		except writing.AlreadyStored as already:
			self.hold.fresh = False
			self._repeat(self.turn, already.sequence, already.digest)
			self._give_back()
			return
		self.turn.stored = result.turns
		self.turn.session = Session(result.row, session.origin)
		self.hold.in_block, self.hold.turn = False, None
		ledger().keep(self.hold)

	def _give_back(self) -> None:
		"""Leave the session to others now; an earlier turn of this transaction still waits for its end."""
		self.hold.in_block, self.hold.turn = False, None
		here = ledger()
		if self.name not in here.written:
			here.holds.pop(self.name, None)
			here.marked.discard(self.name)
			self.hold.release()


def _draft(role: str, text: str, intent: str | None, metadata: dict | None, *, answers: int = 0) -> Draft:
	return Draft(
		role,
		bounds.message(text, "message" if role == turns.USER else "reply"),
		bounds.optional_label(intent, "intent"),
		metadata=bounds.json_object(metadata, "metadata") if metadata else None,
		answers=answers,
	)
