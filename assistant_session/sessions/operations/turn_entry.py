"""Entering a turn: the session's lease, and a view of the session that is current.

Having got the lease, nothing is read through a snapshot from before the wait. In an endpoint of ours, where nothing was
written yet, a new transaction is begun. In a transaction that is somebody else's the session is read on a second
connection instead: their savepoints, row locks and writes stay as they are, unless nothing was written and the database
would end the transaction at our write (`ledger.leave_doomed_snapshot`).
"""

from dataclasses import dataclass

from ... import database
from ...counters import counters
from .. import vantage
from ..coherence import leases, reading, writing
from ..coherence.leases import Lease
from ..coherence.ledger import Running, leave_doomed_snapshot, ledger, seen
from ..coherence.memory import memory
from ..errors import SessionBusy, SessionNotFound
from ..tables import session_rows, turns
from ..tables.row import Row
from ..tables.turns import Draft
from ..vantage import COMMITTED, HERE, Vantage
from .turn_in_progress import TurnInProgress

Stored = tuple[int, str]  # sequence and digest of the turn stored with this message id


@dataclass(frozen=True)
class Entered:
	turn: TurnInProgress
	lease: Lease | None  # None for a message that is stored already: it needs none


class Entry:
	"""One attempt to enter; `draft` is the message."""

	def __init__(self, name: str, draft: Draft):
		self.name, self.draft = name, draft
		here = ledger()
		self.written = name in here.written  # an earlier turn of this transaction
		self.untouched, self.anew = here.is_untouched(), here.may_begin_anew()
		self.taken_over = False  # the lease is that earlier turn's
		self.stored: Stored | None = None

	def lease(self) -> Lease | None:
		"""The session's lease; None if somebody else has it and this very message is stored. Raises SessionBusy."""
		here = ledger()
		if self.name in here.running:
			raise SessionBusy.of(self.name)
		if taken := here.leases.get(self.name):
			taken.said, self.taken_over, self.untouched = None, True, False
			self._run(taken, young=False)
			return taken
		lease = self._lease_or_stored()
		if lease is not None:
			self._run(lease, young=self.anew)
		return lease

	def begin(self, lease: Lease) -> TurnInProgress:
		"""Read the session and what was stored of this message, now that nobody else changes them."""
		if self.anew and not (self.taken_over or lease.in_database):
			database.begin_anew()
		row = None if self.written else reading.confirmed(self.name, lease.said)
		warm = row is not None
		if not self.written:
			counters.read(hit=warm)
		row, before = (row, self._stored_before()) if row else self._read()
		if self.untouched and not (self._running.young or before):
			leave_doomed_snapshot(row)
		turn = self._turn(row, self._origin(warm))
		self._running.row, self._running.turn = row, turn
		if before:
			turn.repeat(before, self.draft.content, HERE if self._running.young else COMMITTED)
		else:
			writing.require_live(row)
		counters.count("sessions_restored", turn.session.origin)
		return turn

	def begin_without_lease(self) -> TurnInProgress:
		"""The message is stored, and answered again."""
		row = session_rows.select(self.name, COMMITTED)
		if row is None:
			raise SessionNotFound.of(self.name)
		turn = self._turn(row, reading.DATABASE)
		assert self.stored is not None
		turn.repeat(self.stored, self.draft.content, COMMITTED)
		return turn

	@property
	def _running(self) -> Running:
		return ledger().running[self.name]

	def _run(self, lease: Lease, *, young: bool) -> None:
		here = ledger()
		if not (lease.in_database or self.taken_over):
			here.marked.add(self.name)  # the trip that got the lease put the mark
		here.leases[self.name] = lease
		here.running[self.name] = Running(lease, young)

	def _lease_or_stored(self) -> Lease | None:
		mark = ledger().token
		if lease := leases.at_once(self.name, mark, anew=self.anew):
			return lease
		if self._is_stored():
			return None
		try:
			return leases.waited_for(self.name, mark, anew=self.anew)
		except SessionBusy:
			if self._is_stored():
				return None
			raise

	def _is_stored(self) -> bool:
		self.stored = self._stored_with_this_id(COMMITTED)
		return self.stored is not None

	def _stored_with_this_id(self, vantage: Vantage) -> Stored | None:
		key = self.draft.message_key
		return turns.by_message_key(key, vantage) if key else None

	def _turn(self, row: Row, origin: str) -> TurnInProgress:
		seen().forget(self.name)  # what was read before the wait
		said = self.draft
		return TurnInProgress(row, origin, said.content, said.intent, said.message_key)

	def _origin(self, warm: bool) -> str:
		"""Where this worker had the session from, which an earlier read in this request may have decided."""
		_row, origin = seen().rows.get(self.name, (None, reading.MEMORY))
		return origin if warm else reading.DATABASE

	def _read(self) -> tuple[Row, Stored | None]:
		"""The row and, if there is one, the turn stored with this message id, both as they are now."""
		if self._running.young and self.draft.message_key:
			row, before = session_rows.select_with_turn(self.name, self.draft.message_key)
		else:
			row, before = session_rows.select(self.name, self._vantage()), self._stored_before()
		if row is None:
			memory.drop(self.name)
			counters.count("sessions_not_found", "unknown")
			raise SessionNotFound.of(self.name)
		return row, before

	def _vantage(self) -> Vantage:
		running = self._running
		locked = running.lease.in_database and not running.young
		return vantage.of(in_request=False, written=self.written, young=running.young, row_is_locked=locked)

	def _stored_before(self) -> Stored | None:
		"""By anybody, or by this transaction."""
		if self._running.young:
			return self._stored_with_this_id(HERE)
		return self._stored_with_this_id(COMMITTED) or (
			self._stored_with_this_id(HERE) if self.written else None
		)
