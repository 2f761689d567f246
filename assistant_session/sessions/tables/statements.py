"""Running queries of Frappe's query builder: a few built once, all others where they are asked.

Building a query costs more than running it. A turn asks the same few, and so does an attempt to verify, which locks rows
that many people wait for: `run` keeps their text, one per kind of database. Everything else says its query in place and
gives it to `ask` or `write`.
"""

from collections.abc import Callable, Iterable
from typing import Any

import frappe
from pypika.terms import Parameter

from ... import database, second_connection
from ..vantage import COMMITTED, HERE, Vantage

P = Parameter("%s")

_built: dict[tuple, str] = {}


def run(
	key: tuple, build: Callable[[], Any], values: Iterable = (), vantage: Vantage = HERE, *, on=None
) -> Any:
	"""Execute the statement `build` describes; `key` names it, together with what its text depends on. `on` names the
	connection to use."""
	db = on or database.primary()
	full_key = (db.db_type, *key)
	sql = _built.get(full_key)
	if sql is None:
		sql = _built[full_key] = build().get_sql()
	return _execute(sql, tuple(values), vantage, db)


def ask(query: Any, vantage: Vantage = HERE, *, on=None) -> Any:
	"""The rows a query finds; `on` names the connection to use."""
	sql, values = query.walk()
	return _execute(sql, values, vantage, on or database.primary())


def write(query: Any, *, on=None) -> int:
	"""Execute an UPDATE or DELETE of this transaction, or of that `on` another connection; returns how many rows it
	changed."""
	ask(query, on=on)
	return database.affected_rows(on)


def table(doctype: str):
	return frappe.qb.DocType(doctype)


def insert(doctype: str, columns: tuple[str, ...], rows: list[tuple], *, on=None) -> None:
	"""All `rows` in one statement."""

	def build():
		query = frappe.qb.into(table(doctype)).columns(*columns)
		for _row in rows:
			query = query.insert(*(P for _column in columns))
		return query

	run(("insert", doctype, columns, len(rows)), build, (value for row in rows for value in row), on=on)


def _execute(sql: str, values: Any, vantage: Vantage, db: Any) -> Any:
	return second_connection.read_committed(sql, values) if vantage is COMMITTED else db.sql(sql, values)
