"""What an error of the database means, whichever Frappe and whichever database raised it.

Frappe 15 and 16 differ in which errors they wrap, and drivers number theirs differently: callers ask here.
"""

import frappe

DUPLICATE = {1062, "23505"}
LOST_TRANSACTION = {1213, 1020, "40001", "40P01"}  # deadlock, changed since the snapshot, serialisation
LOCK_WAIT = {1205, "55P03"}  # lock wait timeout; PostgreSQL: lock not available
# Server gone, connection lost, cannot connect, shutting down, killed, a cluster's node that is not ready (1047), a COMMIT
# that failed (1180); PostgreSQL classes 08 and 57P.
CONNECTION = {2002, 2003, 2006, 2013, 2055, 1053, 1927, 1077, 1040, 1047, 1158, 1159, 1160, 1161, 1180, 0}


def every_kind() -> tuple[type[Exception], ...]:
	"""Everything the driver raises, wrapped by Frappe or not."""
	driver = next(kind for kind in frappe.local.db.OperationalError.__mro__ if kind.__name__ == "Error")
	return driver, frappe.QueryDeadlockError, frappe.QueryTimeoutError


class SnapshotTooOld(Exception):
	"""A row was made since this transaction's snapshot, and PostgreSQL shows it to no statement of it; the transaction
	is as lost as if it had been changed since."""


def is_lost_transaction(error: Exception) -> bool:
	"""The whole transaction is to be done again: the database has rolled it back, or can show it no newer row."""
	lost = frappe.QueryDeadlockError, SnapshotTooOld
	return isinstance(error, lost) or _code(error) in LOST_TRANSACTION


def is_lock_wait(error: Exception) -> bool:
	"""A row stayed locked for longer than the database lets one wait."""
	return isinstance(error, frappe.QueryTimeoutError) or _code(error) in LOCK_WAIT


def is_duplicate(error: Exception) -> bool:
	return _code(error) in DUPLICATE


def is_connection_lost(error: Exception) -> bool:
	"""The database cannot be reached, or the connection broke; whether a COMMIT arrived is unknown."""
	db = frappe.local.db
	kinds = tuple(
		getattr(db, name)
		for name in ("OperationalError", "InternalError", "InterfaceError")
		if hasattr(db, name)
	)
	code = _code(error)
	if isinstance(code, str):
		return code.startswith(("08", "57P"))
	if type(error).__name__ == "InterfaceError":
		return True
	return isinstance(error, kinds) and (code is None or code in CONNECTION)


def _code(error: Exception | None):
	"""The driver's number (MariaDB) or SQLSTATE (PostgreSQL), looked for through Frappe's wrapping too."""
	if error is None:
		return None
	if state := getattr(error, "pgcode", None):
		return state
	first = error.args[0] if error.args else None
	if isinstance(first, Exception):
		return _code(first)
	return first if isinstance(first, int) else None
