"""A second connection to the same database, kept with the first one.

For reads that must not see the first one's snapshot, and for short transactions of our own that are committed whatever
becomes of the caller's.
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import signature
from typing import Any

import frappe

from .database import SECOND, primary
from .database_errors import every_kind, is_connection_lost, is_duplicate, is_lost_transaction

# True of the connection while `in_own_transaction` works on it.
IN_TRANSACTION = "assistant_session_in_transaction"
TRIES = 5


def connection():
	"""A second connection to the same database, for reads that must neither see this transaction's snapshot nor
	end it nor lock anything. Kept with the first one; no transaction stays open on it between reads."""
	db = primary()
	second = getattr(db, SECOND, None)
	if second is None:
		second = _connect()
		setattr(db, SECOND, second)
	return second


def in_own_transaction(work: Callable[[Any], Any]):
	"""Run `work(connection)` in a short transaction of its own, committed at once, whatever becomes of this one.

	Repeated when the database threw it away, lost the connection, or somebody inserted the same row.
	"""
	for attempt in range(TRIES):
		try:
			second = connection()
			setattr(second, IN_TRANSACTION, True)
			result = work(second)
			_end(second, "commit")
			return result
		except Exception as error:
			_give_up(error)
			again = is_lost_transaction(error) or is_connection_lost(error) or is_duplicate(error)
			if not again or attempt + 1 == TRIES:
				raise
			time.sleep(random.uniform(0, 0.05))
	raise AssertionError("unreachable")


def read_committed(sql: str, values: tuple):
	"""What is committed right now. A connection that broke while it waited is made anew, once."""
	for attempt in (1, 2):
		second = connection()
		try:
			rows = second.sql(sql, values)
			_end_reading(second)
			return rows
		except Exception as error:
			setattr(primary(), SECOND, None)
			if attempt == 2 or not is_connection_lost(error):
				raise
	return ()


@contextmanager
def committed_snapshot() -> Iterator[Any]:
	"""The second connection, on which all that is read within the block is of one moment."""
	second = connection()
	try:
		if second.db_type == "postgres" and not getattr(second, IN_TRANSACTION, False):
			second.sql("set transaction isolation level repeatable read")
		yield second
	finally:
		_end_reading(second)


@contextmanager
def on_second_connection():
	"""Frappe's own functions read on the second connection within the block; nothing may be written."""
	first = frappe.local.db
	with committed_snapshot() as second:
		frappe.local.db = second
		try:
			yield
		finally:
			frappe.local.db = first


def _give_up(error: Exception) -> None:
	"""Roll the second connection's transaction back, or leave it: on a broken one somebody would read an old snapshot."""
	try:
		if not is_connection_lost(error):
			_end(connection(), "rollback")
			return
	except every_kind():
		pass
	setattr(primary(), SECOND, None)


def _end_reading(second) -> None:
	"""An open transaction would keep the table from being altered; one of `in_own_transaction` is left to go on."""
	if not getattr(second, IN_TRANSACTION, False):
		_end(second, "rollback")


def _end(second, how: str) -> None:
	"""`commit` or `rollback` by the driver: told in SQL, PostgreSQL's would not know that the next statement has to
	begin a transaction, and each would be committed by itself."""
	getattr(second._conn, how)()
	setattr(second, IN_TRANSACTION, False)
	second.transaction_writes = 0  # Frappe counts them until a statement says that they ended


def _connect():
	from frappe.database import get_db

	conf = frappe.local.conf
	wanted = {
		"socket": conf.get("db_socket"), "host": conf.db_host, "port": conf.db_port,
		"user": conf.get("db_user") or conf.db_name, "password": conf.db_password, "cur_db_name": conf.db_name,
	}  # fmt: skip
	known = signature(get_db).parameters
	second = get_db(**{name: value for name, value in wanted.items() if name in known})
	second.connect()
	if second.db_type == "postgres":
		_prepare(second)
	return second


def _prepare(second) -> None:
	"""PostgreSQL's own level, at which who waited for a row goes on with what is there by then; and a bound for that wait
	where the site has none, as long as MariaDB's."""
	second.sql("select set_config('lock_timeout', '50s', false) where current_setting('lock_timeout') = '0'")
	second._conn.commit()
	second._conn.set_session(isolation_level="READ COMMITTED")
