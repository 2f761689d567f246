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
connection instead: their savepoints, row locks and writes stay as they are, unless nothing was written and the database
would end the transaction at our write (`ledger.leave_doomed_snapshot`).
"""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ... import database
from ...counters import counters
from .. import bounds
from ..coherence import leases, reading, repeating, writing
from ..coherence.ledger import leave_doomed_snapshot, ledger, seen
from ..coherence.memory import memory
from ..coherence.writing import Write
from ..errors import InvalidSessionData, SessionBusy, SessionNotFound
from ..session import Session
from ..tables import session_rows, turns
from ..tables.row import Row, entry
from .agents import Grant
from .turn_in_progress import TurnInProgress, draft


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
		self.draft = draft(turns.USER, message, intent, metadata)
		self.fence = grant.fence if grant else None
		if message_id is not None:
			self.draft.message_key = turns.key_of(self.name, bounds.key(message_id, "message_id"))
			self.draft.message_digest = turns.digest_of(self.name, self.draft.content)

	def __enter__(self) -> TurnInProgress:
		self.asked_at = time.monotonic()
		self.stored: tuple[int, str] | None = None
		self.hold = repeating.repeated(self.name, lambda _first: self._acquire())
		try:
			self.turn = self._begin() if self.hold else self._begin_without_hold()
		except BaseException as error:
			self._give_back()
			if isinstance(error, Exception):
				raise repeating.refused(repeating.translate(error, self.name)) from error
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

	def _acquire(self) -> leases.Hold | None:
		"""None if somebody else has the session, and this very message is stored already: it needs no hold."""
		here, self.anew = ledger(), False
		self.written = self.name in here.written
		if held := here.holds.get(self.name):
			if held.in_block:
				raise SessionBusy.of(self.name)
			held.in_block, held.said, self.untouched = True, None, False
			return held
		anew, self.untouched = here.may_begin_anew(), here.is_untouched()
		hold = self._hold_or_stored(here.token, anew)
		if hold is None:
			return None
		if not hold.in_database:
			here.marked.add(self.name)
			self.anew = hold.fresh = anew
		here.holds[self.name] = hold
		hold.in_block = True
		return hold

	def _hold_or_stored(self, mark: str, anew: bool) -> leases.Hold | None:
		if hold := leases.at_once(self.name, mark, anew=anew):
			return hold
		if self._is_stored():
			return None
		try:
			return leases.waited_for(self.name, mark, anew=anew)
		except SessionBusy:
			if self._is_stored():
				return None
			raise

	def _is_stored(self) -> bool:
		self.stored = self._stored_beside()
		return self.stored is not None

	def _stored_beside(self) -> tuple[int, str] | None:
		"""Sequence and digest of the turn stored with this message id, as committed."""
		key = self.draft.message_key
		return turns.by_message_key(key, beside=True) if key else None

	def _begin_without_hold(self) -> TurnInProgress:
		row = session_rows.select(self.name, beside=True)
		if row is None:
			raise SessionNotFound.of(self.name)
		turn = self._in_progress(row, reading.DATABASE)
		assert self.stored is not None
		self._repeat(turn, *self.stored)
		return turn

	def _begin(self) -> TurnInProgress:
		if self.anew:
			database.begin_anew()
		row = None if self.written else reading.confirmed(self.name, self.hold.said)
		self.warm = row is not None
		if not self.written:
			counters.read(hit=self.warm)
		row, before = (row, self._stored_before()) if row else self._read()
		if self.untouched and not (self.hold.fresh or before):
			leave_doomed_snapshot(row)
		turn = self._in_progress(row, self._origin())
		self.hold.row, self.hold.turn = row, turn
		if before:
			self._repeat(turn, *before)
		else:
			writing.require_live(row)
		counters.count("sessions_restored", turn.session.origin)
		return turn

	def _in_progress(self, row: Row, origin: str) -> TurnInProgress:
		seen().forget(self.name)  # what was read before the wait
		said = self.draft
		return TurnInProgress(row, origin, said.content, said.intent, said.message_key)

	def _origin(self) -> str:
		"""Where this worker had the session from, which an earlier read in this request may have decided."""
		_row, origin = seen().rows.get(self.name, (None, reading.MEMORY))
		return origin if self.warm else reading.DATABASE

	def _read(self) -> tuple[Row, tuple[int, str] | None]:
		"""The row and, if there is one, the turn stored with this message id, both as they are now."""
		if self.hold.fresh and self.draft.message_key:
			row, before = session_rows.select_with_turn(self.name, self.draft.message_key)
		else:
			row, before = self._row(), self._stored_before()
		if row is None:
			memory.drop(self.name)
			counters.count("sessions_not_found", "unknown")
			raise SessionNotFound.of(self.name)
		return row, before

	def _row(self) -> Row | None:
		if self.hold.in_database and not self.hold.fresh:
			return session_rows.select_locked(
				self.name
			)  # it is locked already; a plain read would use the snapshot
		return session_rows.select(self.name, beside=not (self.hold.fresh or self.written))

	def _stored_before(self) -> tuple[int, str] | None:
		"""Sequence and digest of the turn stored with this message id, by anybody or by this transaction."""
		key = self.draft.message_key
		if key is None:
			return None
		found = None if self.hold.fresh else self._stored_beside()
		return found or (turns.by_message_key(key) if self.hold.fresh or self.written else None)

	def _repeat(self, turn: TurnInProgress, sequence: int, digest: str) -> None:
		"""Another person's message, from before this one was verified, is no message of this one's."""
		hidden = sequence <= turn.session.hidden_turns
		if hidden or turns.digest_of(self.name, self.draft.content, like=digest) != digest:
			raise InvalidSessionData("message_id: this id was used for another message of the session.")
		turn.repeated = True
		turn.stored = turns.exchange(self.name, sequence, beside=not (self.hold and self.hold.fresh))
		turn.stored = turn.stored or turns.exchange(self.name, sequence)

	def _to_store(self) -> Write:
		"""The person's message, the replies, and what the bot has changed of the session."""
		session = self.turn.session
		changes = self.turn.without_typed(session.changes())
		if session.origin == reading.DATABASE:
			changes["restored_count"] = session.row.restored_count + 1
		asked = replace(
			self.turn.as_stored(self.draft),
			role=self.turn.role,
			intent=bounds.optional_label(self.turn.intent, "intent"),
		)
		return Write(changes, [asked, *self.turn.drafts], session.happened, asked_at=self.asked_at)

	def _store(self) -> None:
		session, write = self.turn.session, self._to_store()
		# The trip that put our mark also said that this very row was current.
		mark_is_safe = entry(session.row) == self.hold.said and ledger().token == self.hold.mark
		alone = not self.hold.may_be_lost
		if not (alone or self.hold.regain()):
			raise repeating.refused(SessionBusy.of(self.name))
		try:
			result = writing.save(
				session.row,
				write,
				decide=self._merging(write, alone),
				fence=self.fence,
				mark_is_safe=mark_is_safe and alone,
			)
		except writing.AlreadyStored as already:
			self.hold.fresh = False
			self._repeat(self.turn, already.sequence, already.digest)
			self._give_back()
			return
		self.turn.stored = result.turns
		self.turn.session = Session(result.row, session.origin)
		self.hold.in_block, self.hold.turn = False, None
		ledger().keep(self.hold)

	def _merging(self, write: Write, alone: bool) -> Callable[[Row], Write]:
		"""What is done where the session has moved on: both are kept, unless this worker stood still for longer than its
		lease, until just now too; then what it decided is out of date."""

		def decide(current: Row) -> Write:
			if not alone or self.hold.may_be_lost:
				raise SessionBusy.of(self.name)
			return writing.merged(self.turn.session.row, write, current)

		return decide

	def _give_back(self) -> None:
		"""Leave the session to others now; an earlier turn of this transaction still waits for its end."""
		if self.hold is None:
			return
		self.hold.in_block, self.hold.turn = False, None
		here = ledger()
		if self.name not in here.written:
			here.holds.pop(self.name, None)
			here.marked.discard(self.name)
			self.hold.release()
