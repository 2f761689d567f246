"""Reading a session: from worker memory when the register vouches for it, else from the database.

The contract: a request that starts after another worker's write was answered sees that write, at the cost of
one Redis GET; the second read in a request is free. Memory is used only when the register's entry equals the
row's own version and revision. Anything else (another entry, a writer's mark, nothing, a Redis in trouble)
reads the database. This module never writes the register.
"""

import time

from ... import database_errors
from ...counters import counters
from ..errors import SessionNotFound, SessionStoreUnavailable
from ..tables import session_rows
from ..tables.row import Row, entry
from . import register
from .ledger import Seen, ledger, seen
from .memory import Remembered, memory

MEMORY, DATABASE, STALE = "memory", "database", "stale"


def read(name: str, *, max_age: float = 0, already: Seen | None = None) -> tuple[Row, str]:
	"""The current row and where it came from: "memory", "database", or "stale" while the database is away.

	With `max_age` (seconds) a row in memory that was confirmed so lately is taken without asking anybody.
	`already` is what this request has read, if the caller has it at hand. Raises SessionNotFound, SessionStoreUnavailable.
	"""
	try:
		return look_up(name, max_age=max_age, already=already)
	except SessionNotFound:
		counters.count("sessions_not_found", "unknown")
		raise


def look_up(name: str, *, max_age: float = 0, already: Seen | None = None) -> tuple[Row, str]:
	"""The same, where it is no news that there may be none."""
	here = ledger()
	if (running := here.unwritten(name)) and running.row:
		return running.row, MEMORY
	rows = (already or seen()).rows
	if name in rows:
		return rows[name]
	written_here = name in here.written  # then only this transaction's own view says how it looks
	found = None if written_here else _from_memory(name, max_age)
	if not written_here:
		counters.read(hit=found is not None)
	found = found or _from_database(name, written_here)
	if not written_here:  # a rollback to a savepoint may undo it without a word
		rows[name] = found
	return found


def confirmed(name: str, said: str | None) -> Row | None:
	"""The row in memory if it is the one the register's entry names."""
	remembered = memory.get(name) if said is not None else None
	return _confirm(remembered, said) if remembered else None


def _confirm(remembered: Remembered, said: str | None) -> Row | None:
	if said is None or entry(remembered.row) != said:
		return None
	remembered.confirmed_at = time.monotonic()
	return remembered.row


def _from_memory(name: str, max_age: float) -> tuple[Row, str] | None:
	remembered = memory.get(name)
	if remembered is None:
		return None
	if max_age and time.monotonic() - remembered.confirmed_at <= max_age:
		return remembered.row, MEMORY
	row = _confirm(remembered, register.read(name))
	return (row, MEMORY) if row else None


def _from_database(name: str, written_here: bool) -> tuple[Row, str]:
	try:
		row = session_rows.select(name, ledger().vantage(name))
	except Exception as error:
		if not database_errors.is_connection_lost(error):
			raise
		return _stale(name, error)
	if row is None:
		memory.drop(name)
		raise SessionNotFound.of(name)
	if not written_here:
		memory.put(row)
	return row, DATABASE


def _stale(name: str, error: Exception) -> tuple[Row, str]:
	remembered = memory.get(name)
	if remembered is None:
		raise SessionStoreUnavailable.of(name) from error
	return remembered.row, STALE
