"""Reading a session: from worker memory when the register vouches for it, else from the database.

The contract: a request that starts after another worker's write was answered sees that write, at the cost of
one Redis GET; the second read in a request is free. Memory is used only when the register's entry equals the
row's own version and revision. Anything else (another entry, a writer's mark, nothing, a Redis in trouble)
reads the database. This module never writes the register.
"""

import time

import frappe

from .. import compat
from . import register, store
from .errors import SessionNotFound, SessionStoreUnavailable
from .memory import memory
from .rows import Row
from .transaction import ledger, seen

MEMORY, DATABASE, STALE = "memory", "database", "stale"


def read(name: str, *, max_age: float = 0) -> tuple[Row, str]:
	"""The current row and where it came from: "memory", "database", or "stale" while the database is away.

	With `max_age` (seconds) a row in memory that was confirmed so lately is taken without asking anybody.
	Raises SessionNotFound, SessionStoreUnavailable.
	"""
	if (hold := ledger().in_block(name)) and hold.row:
		return hold.row, MEMORY
	already = seen().rows
	if name in already:
		return already[name]
	found = _from_memory(name, max_age) if not _written_here(name) else None
	found = found or _from_database(name)
	already[name] = found
	return found


def confirmed(name: str, entry: str | None) -> Row | None:
	"""The row in memory if it is the one `entry` names."""
	remembered = memory.get(name)
	if remembered is None or entry is None or remembered.entry != entry:
		return None
	remembered.confirmed_at = time.monotonic()
	return remembered.row


def _written_here(name: str) -> bool:
	"""This transaction changed the session: only its own view of the database says how."""
	return name in ledger().written


def _from_memory(name: str, max_age: float) -> tuple[Row, str] | None:
	remembered = memory.get(name)
	if remembered is None:
		return None
	if max_age and time.monotonic() - remembered.confirmed_at <= max_age:
		return remembered.row, MEMORY
	row = confirmed(name, register.read(name))
	return (row, MEMORY) if row else None


def _from_database(name: str) -> tuple[Row, str]:
	try:
		row = _select(name)
	except Exception as error:
		if not compat.is_connection_lost(error):
			raise
		return _stale(name, error)
	if row is None:
		memory.drop(name)
		raise SessionNotFound.of(name)
	if not _written_here(name):
		memory.put(row)
	return row, DATABASE


def _select(name: str) -> Row | None:
	return store.select(name, beside=snapshot_may_be_old() and not _written_here(name))


def snapshot_may_be_old() -> bool:
	"""A request's snapshot is as young as the request; that of a job or a console may be hours old."""
	return getattr(frappe.local, "request", None) is None


def _stale(name: str, error: Exception) -> tuple[Row, str]:
	remembered = memory.get(name)
	if remembered is None:
		raise SessionStoreUnavailable.of(name) from error
	return remembered.row, STALE
