"""Bare statements on Frappe's own connection: the driver's cursor, and nothing of Frappe around it."""

from collections.abc import Iterable

import frappe


def cursor():
	"""A new cursor of the connection that frappe.db uses: same server, same transaction."""
	if frappe.db._conn is None:  # Frappe connects with its first statement
		frappe.db.connect()
	return frappe.db._conn.cursor()


def quoted(name: str) -> str:
	mark = '"' if frappe.db.db_type == "postgres" else "`"
	return f"{mark}{name}{mark}"


def columns(names: Iterable[str]) -> str:
	return ", ".join(quoted(name) for name in names)


def insert(doctype: str, names: tuple[str, ...], rows: int) -> str:
	"""INSERT of `rows` rows in one statement."""
	places = f"({', '.join(['%s'] * len(names))})"
	return f"INSERT INTO {quoted('tab' + doctype)} ({columns(names)}) VALUES {', '.join([places] * rows)}"
