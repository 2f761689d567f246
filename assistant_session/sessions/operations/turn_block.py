"""Processing one message: a lease, a view of the session that is current, and one write at the end.

	with sessions.turn(session_id, "I need 11 remote controls", message_id=request_id) as turn:
		if not turn.repeated:
			turn.session.set_flow("bulk_order", "collecting_contact", {"quantity": 11})
			turn.reply("To confirm your order, please give name, phone, email")

Leaving the block stores the person's message, the replies and every change of `turn.session` together; an
exception stores nothing. Two trips to Redis: one gets the lease, reads the register and puts the mark (`turn_entry`); one,
after COMMIT, publishes and gives the lease back (`ledger`).
"""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from frappe import _

from .. import bounds
from ..coherence import reading, repeating, writing
from ..coherence.leases import Lease
from ..coherence.ledger import ledger
from ..coherence.writing import Write
from ..errors import InvalidSessionData, SessionBusy
from ..session import Session
from ..tables import turns
from ..tables.row import Row, entry
from ..tables.turns import Turn
from ..vantage import COMMITTED
from .agents import Grant
from .turn_entry import Entered, Entry
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
		entered = self._enter()
		self.lease, self.turn = entered.lease, entered.turn
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

	def _enter(self) -> Entered:
		self.lease = None

		def attempt(_first: bool) -> Entry:
			entry = Entry(self.name, self.draft)
			self.lease = entry.lease()
			return entry

		entry = repeating.repeated(self.name, attempt)
		try:
			turn = entry.begin(self.lease) if self.lease else entry.begin_without_lease()
		except BaseException as error:
			self._give_back()
			if isinstance(error, Exception):
				raise repeating.refused(repeating.translate(error, self.name)) from error
			raise
		return Entered(turn, self.lease)

	def _to_store(self) -> Write:
		"""The person's message, the replies, and what the bot has changed of the session."""
		session = self.turn.session
		write = session.as_write()
		changes = self.turn.without_typed(write.changes)
		if session.origin == reading.DATABASE:
			changes["restored_count"] = session.row.restored_count + 1
		asked = replace(
			self.turn.as_stored(self.draft),
			role=self.turn.role,
			intent=bounds.optional_label(self.turn.intent, "intent"),
		)
		return replace(write, changes=changes, turns=[asked, *self.turn.drafts], asked_at=self.asked_at)

	def _store(self) -> None:
		session, write, lease = self.turn.session, self._to_store(), self._lease_for_sure()
		# The trip that put our mark also said that this very row was current.
		mark_is_safe = entry(session.row) == lease.said and ledger().token == lease.mark
		alone = not lease.may_be_lost
		if not (alone or lease.regain()):
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
			self.turn.repeat((already.sequence, already.digest), self.draft.content, COMMITTED)
			self._give_back()
			return
		self.turn.stored = result.turns
		self.turn.session = Session(result.row, session.origin)
		ledger().running.pop(self.name, None)
		ledger().keep(lease)

	def _lease_for_sure(self) -> Lease:
		assert self.lease is not None  # without one the message is repeated, and nothing is stored
		return self.lease

	def _merging(self, write: Write, alone: bool) -> Callable[[Row], Write]:
		"""What is done where the session has moved on: both are kept, unless this worker stood still for longer than its
		lease, until just now too; then what it decided is out of date."""
		lease = self._lease_for_sure()

		def decide(current: Row) -> Write:
			if not alone or lease.may_be_lost:
				raise SessionBusy.of(self.name)
			return writing.merged(self.turn.session.row, write, current)

		return decide

	def _give_back(self) -> None:
		"""Leave the session to others now; an earlier turn of this transaction still waits for its end."""
		if self.lease is None:
			return
		here = ledger()
		here.running.pop(self.name, None)
		if self.name not in here.written:
			here.leases.pop(self.name, None)
			here.marked.discard(self.name)
			self.lease.release()


def add_turn(
	session_id: str,
	role: str,
	content: str,
	*,
	intent: str | None = None,
	message_id: str | None = None,
	metadata: dict[str, Any] | None = None,
) -> Turn:
	"""Store one message of `user`, `assistant` or `system`; a `message_id` stored before returns that turn.

	For a message that is answered use `turn`: it keeps question and answer together.
	"""
	if role not in turns.ROLES:
		raise InvalidSessionData(_("role: user, assistant or system is needed."))
	with TurnBlock(session_id, content, message_id=message_id, intent=intent, metadata=metadata) as block:
		block.role = role
	return block.stored[0]
