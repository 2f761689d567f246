"""What a database transaction has changed of sessions, and what must be told to others when it ends.

A `Ledger` belongs to one database connection. Writers note here what they wrote; the ledger hangs itself
into Frappe's callbacks: before COMMIT it refreshes the marks (and, unless the service owns the transaction,
looks once more at what is really about to be committed: a rollback to a savepoint tells nobody), after
COMMIT it publishes, after ROLLBACK it takes the marks away. It never commits and never rolls back.

Correctness does not depend on a callback being run: a failed COMMIT runs none of them, and a mark that
stays merely sends everybody to the database until it expires.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from weakref import ref

import frappe

from ... import database
from ...counters import Counts
from .. import vantage
from ..tables import session_rows
from ..tables.row import Row, entry
from ..vantage import Vantage
from . import flushing, leases, register
from .memory import memory

ATTRIBUTE = "assistant_session_ledger"
SEEN = "assistant_session_seen"


@dataclass
class Running:
	"""A message being processed on this connection."""

	lease: leases.Lease
	young: bool  # the transaction was begun after the lease was got
	row: Row | None = (
		None  # the session as it was when its block began; None once it was written and committed
	)
	turn: object = None  # the TurnInProgress


@dataclass
class Written:
	"""One session this transaction changed: its row if the service wrote it, None if Desk did."""

	row: Row | None
	times: int = 0
	mark_is_safe: bool = False  # the trip that put the mark also confirmed the row written on top of


class Ledger:
	def __init__(self, db):
		self._db = ref(db)  # the connection has the ledger: when it goes, so do its leases
		self.owned = False
		self.running: dict[str, Running] = {}
		database.watch_rollbacks(db, self.after_rollback)
		self.begin()

	@property
	def db(self):
		return self._db()

	def begin(self) -> None:
		self.token = register.new_mark()
		self.marked: set[str] = set()
		self.written: dict[str, Written] = {}
		self.counted: dict[str, list[tuple[Row, Counts]]] = {}
		self.untrusted: set[str] = set()
		self.leases: dict[str, leases.Lease] = {}
		self.trusted: str | None = None

	@contextmanager
	def own(self) -> Iterator[None]:
		"""Within the block the service itself owns this connection's transactions: an endpoint of ours is answered."""
		before, self.owned = self.owned, True
		try:
			yield
		finally:
			self.owned = before

	def is_untouched(self) -> bool:
		"""Whether nothing was written in the transaction, and it has no lease."""
		return not (self.db.transaction_writes or self.written or self.leases)

	def may_begin_anew(self) -> bool:
		"""Whether nothing would be lost with the transaction: it is ours, and untouched."""
		return self.owned and self.is_untouched()

	def may_be_left_failed(self, name: str) -> bool:
		"""Whether nobody goes on with the transaction when a write to this session is refused: an endpoint rolls it back.
		Not so a bot that works on another session while it answers."""
		return self.owned and not self.running.keys() - {name}

	def mark(self, name: str) -> None:
		"""Put the mark, once per transaction and session, before the first statement that changes the row."""
		if name not in self.marked:
			register.mark([name], self.token)
			self.marked.add(name)

	def mark_all(self, names: list[str]) -> None:
		"""The same for many, in one trip."""
		if fresh := [name for name in names if name not in self.marked]:
			register.mark(fresh, self.token)
			self.marked.update(fresh)

	def unmark_unwritten(self, name: str) -> None:
		"""Nothing was written after all: take the mark away, unless an earlier write still needs it."""
		if name in self.marked and name not in self.written:
			self.marked.discard(name)
			register.leave(name, self.token)

	def wrote(self, name: str, row: Row | None, *, mark_is_safe: bool = False) -> None:
		"""Note a change; `row` is what the session looks like once this transaction is committed."""
		written = self.written.setdefault(name, Written(row))
		written.row, written.times = row, written.times + 1
		written.mark_is_safe = mark_is_safe
		seen().forget(name)
		self._queue()

	def count(self, row: Row, counts: Counts) -> None:
		"""Figures (see `figures`) that hold once this version of a session is committed. Another version
		under the same number shows that the one before was undone, by a rollback to a savepoint."""
		before = self.counted.get(row.name, ())
		kept = [one for one in before if one[0].version < row.version or one[0].revision == row.revision]
		self.counted[row.name] = [*kept, (row, counts)]

	def keep(self, lease: leases.Lease) -> None:
		"""Release this lease when the transaction ends."""
		self.leases[lease.name] = lease
		self._queue()

	def unwritten(self, name: str) -> Running | None:
		"""The message of this session that is being processed here, if nothing of it was written yet."""
		return self.running.get(name) if name not in self.written else None

	def vantage(self, name: str | None) -> Vantage:
		"""From where this transaction reads a session, or looks for one whose name is not known yet."""
		running = self.running.get(name) if name else None
		return vantage.of(
			in_request=getattr(frappe.local, "request", None) is not None,
			written=name in self.written,
			young=running.young if running else None,
		)

	def trust(self, name: str) -> None:
		"""The service itself commits next, and its last write was to `name`: no second look is needed."""
		self.trusted = name

	def _end(self) -> dict[str, leases.Lease]:
		"""Start over; returns the leases to release. One whose block still runs outlives the transaction."""
		ended = {name: lease for name, lease in self.leases.items() if name not in self.running}
		for name in self.written.keys() & self.running.keys():
			self.running[name].row = None  # its block goes on with what is committed now
		self.begin()
		self.leases = {name: running.lease for name, running in self.running.items()}
		return ended

	def _queue(self) -> None:
		database.queue_once(self.db.before_commit, self.before_commit)
		database.queue_once(self.db.after_commit, self.after_commit)
		database.queue_once(self.db.after_rollback, self.after_rollback)

	def before_commit(self) -> None:
		database.require_sound(self.db)
		database.queue_once(
			self.db.after_rollback, self.after_rollback
		)  # Frappe has emptied that queue already
		self._verify([name for name, written in self.written.items() if not self._is_trusted(name, written)])
		stale = [
			name
			for name, written in self.written.items()
			if not (written.mark_is_safe and self._is_trusted(name, written))
		]
		if stale:
			register.mark(stale, self.token)

	def _is_trusted(self, name: str, written: Written) -> bool:
		return name == self.trusted and written.times == 1

	def _verify(self, names: list[str]) -> None:
		found = session_rows.versions(names) if names else {}
		for name in names:
			row = self.written[name].row
			if row is None or found.get(name) != (row.version, row.revision):
				self.untrusted.add(name)
				version = found.get(name, (0, ""))[0]
				self.counted[name] = [one for one in self.counted.get(name, ()) if one[0].version <= version]

	def after_commit(self) -> None:
		for counted in self.counted.values():
			for _row, counts in counted:
				flushing.count(counts)
		written, untrusted, token = self.written, self.untrusted, self.token
		ended = self._end()
		for name, change in written.items():
			if name in untrusted or change.row is None:
				memory.drop(name)
				register.forget([name])
				continue
			lease = ended.pop(name, None)
			lease_token = lease.release_later() if lease else ""
			if register.leave(name, token, entry=entry(change.row), lease_token=lease_token):
				memory.put(change.row)
		for lease in ended.values():
			lease.release()

	def after_rollback(self) -> None:
		marked, token = self.marked, self.token
		ended = self._end()
		for name in marked:
			seen().forget(name)
			register.leave(name, token)
		for lease in ended.values():
			lease.release()


def ledger() -> Ledger:
	"""The ledger of the current database connection."""
	db = database.primary()
	found = getattr(db, ATTRIBUTE, None)
	if found is None:
		found = Ledger(db)
		setattr(db, ATTRIBUTE, found)
	return found


def watch() -> None:
	"""Know from the beginning of a request or job whether something is written: what Frappe counts it forgets at a
	rollback to a savepoint, and a transaction that looks untouched may be begun anew."""
	ledger()


def leave_doomed_snapshot(current: Row) -> None:
	"""Begin an untouched transaction anew if it could not write to `current`, the row as it is committed, any more.

	PostgreSQL, and MariaDB with innodb_snapshot_isolation, end a transaction that writes to a row newer than its snapshot. The
	caller's savepoints and row locks would go at that write; so they go now, before a bot has done its work.
	"""
	if not database.refuses_old_snapshots():
		return
	before = session_rows.select(current.name)
	if before is None or (before.version, before.revision) != (current.version, current.revision):
		database.begin_anew()


class Seen:
	"""What one request has read already: rows with where they came from, and those found to be live."""

	__slots__ = ("live", "rows")

	def __init__(self) -> None:
		self.rows: dict[str, tuple[Row, str]] = {}
		self.live: dict[str, tuple[Row, str]] = {}

	def forget(self, name: str) -> None:
		self.rows.pop(name, None)
		self.live.pop(name, None)


def seen() -> Seen:
	"""This request's; outside requests an empty one each time, so that nothing is kept."""
	request = getattr(frappe.local, "request", None)
	if request is None:
		return Seen()
	return request.__dict__.get(SEEN) or request.__dict__.setdefault(SEEN, Seen())
