"""Row locks held for too long, and deadlocks: a second writer in the database that does not know the app.

A deadlock needs two resources taken in opposite orders. The app takes a session's row, then the place after its
last turn; here the place is taken first. Whoever changed fewer rows loses: many rows of a table of our own are
changed before, so that it is mostly the app.
"""

import time
from typing import Any

import pymysql

DEADLOCK, LOCK_WAIT = 1213, 1205
WEIGHT = 300  # rows of ours in the transaction
LET_WRITERS_COME = 0.7  # seconds
COUNTERS = ("lock_deadlocks", "lock_timeouts")


def prepare(connection: Any) -> None:
	"""The table whose rows make our transactions heavy."""
	with connection.cursor() as cursor:
		cursor.execute(
			"CREATE TABLE chaos_weight (number int PRIMARY KEY, changes int NOT NULL) ENGINE=InnoDB"
		)
		cursor.executemany("INSERT INTO chaos_weight VALUES (%s, 0)", [(number,) for number in range(WEIGHT)])
		cursor.execute("SET GLOBAL innodb_monitor_enable = 'module_lock'")
	connection.commit()


def hold_rows(connection: Any, sessions: list[str], seconds: float) -> None:
	"""Lock the rows of these sessions, for longer than a writer may wait."""
	with connection.cursor() as cursor:
		_lock_rows(cursor, sessions)
		time.sleep(seconds)
	connection.rollback()


def cross(connection: Any, sessions: list[str]) -> None:
	"""Take turns first, rows second, while writers take them the other way round. We may be the one that loses."""
	with connection.cursor() as cursor:
		cursor.execute("UPDATE chaos_weight SET changes = changes + 1")
		for session in sessions:
			_lock_place_after_last_turn(cursor, session)
		time.sleep(LET_WRITERS_COME)
		try:
			_lock_rows(cursor, sessions)
			time.sleep(LET_WRITERS_COME)
		except pymysql.err.OperationalError as error:
			if error.args[0] not in (DEADLOCK, LOCK_WAIT):
				raise
	connection.rollback()


def counted(connection: Any) -> dict[str, int]:
	"""Deadlocks and lock wait timeouts this server has counted since it was started."""
	with connection.cursor() as cursor:
		places = ", ".join(["%s"] * len(COUNTERS))
		cursor.execute(
			f"SELECT name, count FROM information_schema.innodb_metrics WHERE name IN ({places})", COUNTERS
		)
		found = {name: int(count) for name, count in cursor.fetchall()}
	connection.rollback()
	return found


def _lock_rows(cursor: Any, sessions: list[str]) -> None:
	for session in sessions:
		cursor.execute("SELECT version FROM `tabConversation Session` WHERE name = %s FOR UPDATE", (session,))
		cursor.fetchall()


def _lock_place_after_last_turn(cursor: Any, session: str) -> None:
	cursor.execute(
		"SELECT name FROM `tabConversation Turn` WHERE name > %s AND name < %s ORDER BY name DESC LIMIT 1 FOR UPDATE",
		(f"{session}-", f"{session}-9999999999"),
	)
	cursor.fetchall()
