"""The connection to the database, and the statements in which MariaDB and PostgreSQL differ.

The connection is the caller's, and so is its transaction; see `second_connection` for ours. Nothing here knows of sessions.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from weakref import ref

import frappe

from .database_errors import every_kind, is_connection_lost, is_lost_transaction

SECOND = "assistant_session_second_connection"
REFUSABLE = "assistant_session_refusable"  # a savepoint; blocks within one another may share the name
REFUSES = "assistant_session_refuses_old_snapshots"
IDLE, IN_ERROR = 0, 3  # psycopg2: the server is in no transaction; in one that it will undo


def primary():
	"""The connection to the primary database, also while Frappe has switched to a read replica."""
	return getattr(frappe.local, "primary_db", None) or frappe.local.db


@contextmanager
def refusable() -> Iterator[None]:
	"""The transaction can be used on after the statement in the block was refused.

	MariaDB undoes that one statement by itself. PostgreSQL refuses all that follow, unless a savepoint undoes it.
	"""
	db = primary()
	if db.db_type == "mariadb":
		yield
		return
	_require_transaction(db)
	db.savepoint(REFUSABLE)
	try:
		yield
		db.release_savepoint(REFUSABLE)
	except Exception as error:
		if not (is_lost_transaction(error) or is_connection_lost(error)):
			db.rollback(save_point=REFUSABLE)
		raise


def _require_transaction(db) -> None:
	"""After a COMMIT that failed PostgreSQL has no transaction, where the driver believes in one."""
	if db._conn and db._conn.info.transaction_status == IDLE:
		db.begin()


class TransactionFailed(Exception):
	"""A statement of this transaction was refused, and somebody went on as if it had not been."""


def require_sound(db) -> None:
	"""PostgreSQL answers the COMMIT of a transaction in which a statement failed with ROLLBACK, and with no error."""
	if db.db_type == "postgres" and db._conn and db._conn.info.transaction_status == IN_ERROR:
		raise TransactionFailed


def for_update(query, *, nowait: bool = False, skip_locked: bool = False):
	"""A locking read."""
	if skip_locked:
		return query.for_update(skip_locked=True)
	return query.for_update(nowait=True) if nowait else query.for_update()


def lock_named(query):
	"""Lock rows that `query` asks for by name, and pass over those somebody else has. These alone: by another index, or by
	none, MariaDB locks what lies between as well."""
	query = query.force_index("PRIMARY") if primary().db_type == "mariadb" else query
	return for_update(query, skip_locked=True)


def add_index(doctype: str, columns: list[str]) -> None:
	"""An index on `columns`, unless there is one. On PostgreSQL an index has its name for itself among all tables of the
	site, and where another table's has the one that Frappe gives, Frappe makes none without a word."""
	db, name = primary(), "_".join(columns)
	if db.db_type == "mariadb":
		db.add_index(doctype, columns)
		return
	table = f"tab{doctype}"
	theirs = name if len(columns) == 1 else db.get_index_name(columns)
	if not db.has_index(table, theirs):
		db.add_index(doctype, columns, f"{frappe.scrub(doctype)}_{name}")


def add_search_indexes(doctype: str) -> None:
	"""The indexes that the DocType's fields ask for and that Frappe did not make, for the same reason."""
	if primary().db_type == "mariadb":
		return  # there a name belongs to one table
	for column in frappe.get_meta(doctype).fields:
		if column.search_index:
			add_index(doctype, [column.fieldname])


def is_connected() -> bool:
	"""Whether there is a connection to the database; after a lost one an endpoint goes on without."""
	return bool(getattr(frappe.local, "primary_db", None) or getattr(frappe.local, "db", None))


def affected_rows(db=None) -> int:
	"""How many rows the last statement on this connection changed."""
	return (db or primary())._cursor.rowcount


def queue_once(queue, callback) -> None:
	"""Add a transaction callback to one of Frappe's queues unless it waits there already."""
	if callback not in queue._functions:
		queue.add(callback)


def note_commit(db) -> list[bool]:
	"""A list that is empty until COMMIT has been done: what is raised afterwards is a callback's own."""
	done: list[bool] = []
	db.after_commit._functions.appendleft(lambda: done.append(True))
	return done


def begin_anew() -> None:
	"""Leave the transaction's snapshot for a new one. Only for who owns the transaction and wrote nothing in it:
	on MariaDB this commits, on PostgreSQL it rolls back, and savepoints and row locks are gone.

	Runs none of Frappe's commit or rollback callbacks: they belong to whoever queued them.
	"""
	db = primary()
	if db.db_type != "mariadb":  # MariaDB's START TRANSACTION ends the open one by itself
		db.sql("rollback")
	db.begin()


def refuses_old_snapshots() -> bool:
	"""Whether the database ends a transaction that writes to a row which somebody else has changed since its snapshot."""
	db = primary()
	if db.db_type != "mariadb":
		return True
	known = getattr(db, REFUSES, None)
	if known is None:
		known = ("ON",) in {row[1:] for row in db.sql("show variables like 'innodb_snapshot_isolation'")}
		setattr(db, REFUSES, known)
	return known


def watch_rollbacks(db, failed: Callable[[], None]) -> None:
	"""Let `db.transaction_writes` stay true: Frappe sets it to 0 at a rollback to a savepoint as well. And where the
	database cannot roll the transaction back, end it with its connection, call `failed()`, and raise what was raised.

	The function put in the place of `db.rollback` does not keep `db` alive: what waits for its end must see it.
	"""
	kind, own = type(db), ref(db)

	def rollback(*arguments, save_point=None, **more):
		here: Any = own()
		writes = here.transaction_writes
		try:
			kind.rollback(here, *arguments, save_point=save_point, **more)
		except Exception:
			if not save_point:
				hang_up(here)
				failed()
			raise
		if save_point:
			here.transaction_writes = writes

	db.rollback = rollback


def hang_up(db) -> None:
	"""Close this connection and the second one kept with it: the server then ends what was open on them. Frappe connects
	again by itself at the next statement."""
	for one in (getattr(db, SECOND, None), db):
		if one is not None and one._conn is not None:
			with suppress(*every_kind()):  # it is broken: that is why
				one._conn.close()
			one._conn = one._cursor = None
	setattr(db, SECOND, None)
	db.transaction_writes = 0
