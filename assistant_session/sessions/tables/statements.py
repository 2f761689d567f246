"""SQL built once per database kind with Frappe's query builder, then reused as text with parameters.

Building a query costs more than running it; the tables and columns here never change while a process runs.
"""

from collections.abc import Callable, Iterable
from typing import Any

import frappe
from pypika.terms import Parameter

from ... import database

P = Parameter("%s")

_built: dict[tuple, str] = {}


def run(key: tuple, build: Callable[[], Any], values: Iterable = (), *, beside: bool = False, on=None) -> Any:
	"""Execute the statement `build` describes; `key` names it, together with what its text depends on.

	`beside` reads what is committed right now, on a second connection; `on` names the connection to use.
	"""
	db = on or database.primary()
	full_key = (db.db_type, *key)
	sql = _built.get(full_key)
	if sql is None:
		sql = _built[full_key] = build().get_sql()
	return database.read_beside(sql, tuple(values)) if beside else db.sql(sql, tuple(values))


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
