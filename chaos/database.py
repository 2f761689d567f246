"""A copy of a site's database on another server, by plain SQL: what the pocket bench has stays untouched."""

from typing import Any

CHUNK = 200  # rows in one statement
EMPTY = ("tabConversation Session", "tabConversation Turn", "tabSession Event", "tabVerification Attempt")


def copy(source: Any, target: Any, database: str) -> None:
	"""Copy every table of `database`; conversations stay behind. Both are MySQL driver connections."""
	with source.cursor() as read, target.cursor() as write:
		write.execute(f"CREATE DATABASE `{database}` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
		write.execute(f"USE `{database}`")
		write.execute("SET foreign_key_checks = 0, unique_checks = 0, sql_mode = 'NO_AUTO_VALUE_ON_ZERO'")
		read.execute("SHOW FULL TABLES")
		for table, kind in read.fetchall():
			_copy_one(read, write, table, kind)
	target.commit()


def _copy_one(read: Any, write: Any, table: str, kind: str) -> None:
	if kind == "SEQUENCE":
		_copy_sequence(read, write, table)
		return
	read.execute(f"SHOW CREATE TABLE `{table}`")
	write.execute(read.fetchone()[1])
	if table not in EMPTY:
		_copy_rows(read, write, table)


def _copy_rows(read: Any, write: Any, table: str) -> None:
	read.execute(f"SELECT * FROM `{table}`")
	places = ", ".join(["%s"] * len(read.description))
	while rows := read.fetchmany(CHUNK):
		write.executemany(f"INSERT INTO `{table}` VALUES ({places})", rows)


def _copy_sequence(read: Any, write: Any, table: str) -> None:
	read.execute(f"SHOW CREATE SEQUENCE `{table}`")
	write.execute(read.fetchone()[1])
	read.execute(f"SELECT next_not_cached_value FROM `{table}`")
	write.execute(f"SELECT SETVAL(`{table}`, {int(read.fetchone()[0])})")
	write.fetchall()


def read_rows(connection: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
	"""Sessions and turns as they are stored, for the checker."""
	connection.rollback()
	sessions = _rows(
		connection,
		"SELECT name, channel, status, authenticated, turn_count FROM `tabConversation Session`",
	)
	turns = _rows(
		connection,
		"SELECT session, sequence, role, content, reply_to FROM `tabConversation Turn` ORDER BY session, sequence",
	)
	return sessions, turns


def _rows(connection: Any, sql: str) -> list[dict[str, Any]]:
	with connection.cursor() as cursor:
		cursor.execute(sql)
		names = [column[0] for column in cursor.description]
		return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
