"""What tests say to the database in its own words, MariaDB's or PostgreSQL's. Workers have these functions as well.

What a session of the database is told holds for the rest of it, also after a rollback: each commits.
"""

import re
import time

import frappe

from assistant_session import second_connection

RETOLD = {  # between one database and the other
	"lock wait": (
		"set session innodb_lock_wait_timeout = {seconds}",
		"set lock_timeout = '{seconds}s'",
	),
	"strict": (
		"set session innodb_snapshot_isolation = 1",
		"set session characteristics as transaction isolation level repeatable read",
	),
	"lax": (
		"set session innodb_snapshot_isolation = 0",
		"set session characteristics as transaction isolation level read committed",
	),
	"number": ("select connection_id()", "select pg_backend_pid()"),
	"kill": ("kill {number}", "select pg_terminate_backend({number})"),
}


def is_postgres() -> bool:
	return frappe.db.db_type == "postgres"


def said(what: str, **values) -> tuple:
	return frappe.db.sql(RETOLD[what][is_postgres()].format(**values))


def wait_for_locks(seconds: int) -> None:
	"""How long this connection waits for a row somebody has locked."""
	said("lock wait", seconds=seconds)
	frappe.db.commit()


def isolate(strictly: bool) -> None:
	"""Whether a write upon an older snapshot than the row ends this connection's transactions, from the next one on."""
	for db in (frappe.db, second_connection.connection()):
		db.sql(RETOLD["strict" if strictly else "lax"][is_postgres()])
		db.commit()


def connection_number() -> int:
	return said("number")[0][0]


def kill(number: int) -> None:
	said("kill", number=number)


def running() -> list[str]:
	"""The statements that are being executed on the site's server right now, in backticks."""
	if not is_postgres():
		return [row[7] or "" for row in frappe.db.sql("show full processlist")]
	frappe.db.sql("select pg_stat_clear_snapshot()")  # it would show the same until the transaction ends
	rows = frappe.db.sql("select query from pg_stat_activity where state = 'active'")
	return [query.replace('"', "`") for (query,) in rows]


def until_running(statement: str) -> None:
	"""Wait until somebody executes `statement`, or one that contains it: a row is locked, so it stays."""
	for _look in range(500):
		if any(statement in one for one in running()):
			return
		time.sleep(0.01)
	raise AssertionError("nobody came to the row")


def tables() -> list[tuple[str, list[str]]]:
	"""All tables of the site with their columns, as the database knows them."""
	schema = "current_schema()" if is_postgres() else "database()"
	found: dict[str, list[str]] = {}
	rows = frappe.db.sql(
		f"select table_name, column_name from information_schema.columns where table_schema = {schema}"
	)
	for table, column in rows:
		found.setdefault(table, []).append(column)
	return sorted(found.items())


def holds(table: str, columns: list[str], texts: list[str]) -> bool:
	"""Whether a row of `table` has one of `texts` somewhere, whatever the types of its columns."""
	kind, place = ("text", "strpos") if is_postgres() else ("char", "instr")
	line = ", ".join(f"coalesce(cast(`{column}` as {kind}), '')" for column in columns)
	conditions = " or ".join(f"{place}(concat_ws(' ', {line}), %s) > 0" for _text in texts)
	return bool(frappe.db.sql(f"select 1 from `{table}` where {conditions} limit 1", texts))


def indexes(table: str) -> set[tuple[str, ...]]:
	"""The columns of each index of `table`."""
	if is_postgres():
		rows = frappe.db.sql("select indexdef from pg_indexes where tablename = %s", table)
		lists = [re.search(r"\(([^()]+)\)$", definition).group(1) for (definition,) in rows]
		return {tuple(name.strip('" ') for name in names.split(",")) for names in lists}
	found: dict[str, list[str]] = {}
	for row in frappe.db.sql(f"show index from `{table}`", as_dict=True):
		found.setdefault(row.Key_name, []).append(row.Column_name)
	return set(map(tuple, found.values()))


def index_of(query: str, values: tuple) -> str | None:
	"""The index by which the database would serve `query` in a table that is not small; None for none but the name's."""
	if not is_postgres():
		key = frappe.db.sql(f"explain {query}", values, as_dict=True)[0].key
		return None if key == "PRIMARY" else key
	frappe.db.sql("set local enable_seqscan = off")
	plan = "\n".join(line for (line,) in frappe.db.sql(f"explain {query}", values))
	return next((name for name in re.findall(r'(?:using|Scan on) "?(\w+)"? ', plan)), None)
