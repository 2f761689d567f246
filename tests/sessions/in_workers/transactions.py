"""Transactions in trouble: COMMITs that fail, savepoints, refused statements, callbacks that raise."""

import frappe

from assistant_session import second_connection, sessions
from tests import databases, in_workers

VERSION = "select version from `tabConversation Session` where name = %s for update"


def move_to_nowhere_and_elsewhere(lost: str, kept: str) -> None:
	"""The COMMIT of the first fails without a trace; the second's is done."""
	sql = frappe.db.sql

	def failing(query, *arguments, **more):
		if query == "commit":
			raise RuntimeError("the database is away")
		return sql(query, *arguments, **more)

	sessions.transition(lost, "LOST")
	frappe.db.sql = failing
	try:
		frappe.db.commit()
	except RuntimeError:
		frappe.db.sql = sql
	frappe.db.sql("rollback")
	in_workers.move(kept, "KEPT")


def move_and_commit_past_a_callback_that_raises(name: str) -> None:
	frappe.db.after_commit.add(lambda: 1 / 0)
	sessions.transition(name, "WRITTEN")
	try:
		frappe.db.commit()
	except ZeroDivisionError:
		return


def connect_again() -> None:
	frappe.db.connect()
	frappe.db.rollback()


def note_and_look(name: str, text: str) -> None:
	"""Work of the caller's, then a session."""
	in_workers.note(text)
	sessions.get(name)


def note_and_read_history(name: str, text: str) -> None:
	in_workers.note(text)
	sessions.history(name)


def see_an_older_database() -> None:
	"""A snapshot from before whatever comes, where the database refuses to write past it."""
	databases.isolate(strictly=True)
	in_workers.notes("x")


def isolate_strictly_and_look(name: str) -> None:
	databases.isolate(strictly=True)
	sessions.get(name)


def note_and_undo_a_part(text: str) -> None:
	"""Frappe counts no writes after a rollback to a savepoint."""
	in_workers.note(text)
	frappe.db.savepoint("a")
	frappe.db.set_value("ToDo", {"description": text}, "priority", "High")
	frappe.db.rollback(save_point="a")


def take_a_turn_after_a_part_was_undone(name: str) -> None:
	note_and_undo_a_part(name)
	with sessions.turn(name, "hello"):
		pass


def notes_now(text: str) -> int:
	"""As they are committed."""
	frappe.db.rollback()
	return in_workers.notes(text)


def end_what_is_overdue_without_waiting() -> None:
	databases.wait_for_locks(1)
	sessions.cleanup_expired()
	frappe.db.commit()


def move_on(name: str, to: str) -> None:
	"""From a new beginning. Committed."""
	frappe.db.rollback()
	in_workers.move(name, to)


def note_and_meet_a_lock(name: str, by_turn: bool) -> str | None:
	"""Whoever is told that a session is busy goes on with what they wrote. Committed."""
	databases.wait_for_locks(1)
	in_workers.wait_for_leases(1)
	in_workers.note(name)
	met = None
	try:
		if by_turn:
			with sessions.turn(name, "hello"):
				pass
		else:
			sessions.transition(name, "NEVER")
	except sessions.SessionBusy:
		met = "busy"
	frappe.db.commit()
	return met


def look_after_waiting(name: str) -> list[int]:
	"""In a transaction of our own: the version that is there by then, and how many tries it took."""
	tries = []

	def look(db):
		tries.append(1)
		return db.sql(VERSION, name)[0][0]

	second_connection.in_own_transaction(lambda db: db.sql("select 1"))
	return [second_connection.in_own_transaction(look), len(tries)]


def take_a_turn_between_savepoint_and_rollback(name: str) -> int:
	"""How many turns there are afterwards."""
	frappe.db.sql("select 1 from `tabConversation Session` limit 1")
	frappe.db.savepoint("mine")
	with sessions.turn(name, "hello"):
		pass
	frappe.db.rollback(save_point="mine")
	frappe.db.commit()
	return sessions.get(name).turn_count


def work_in_a_turn(name: str) -> int:
	"""What is left of a bot's own work. Committed."""
	with sessions.turn(name, "hello", message_id="one") as turn:
		in_workers.note(name)
		turn.reply("hi")
	frappe.db.commit()
	return in_workers.notes(name)


def note_in_an_old_snapshot(text: str) -> None:
	in_workers.begin_snapshot()
	in_workers.note(text)


def note_in_an_old_snapshot_and_undo_nothing(text: str) -> None:
	note_in_an_old_snapshot(text)
	frappe.db.savepoint("later")
	frappe.db.rollback(save_point="later")


def begin_as_a_job() -> None:
	for hook in frappe.get_hooks("before_job"):
		frappe.call(hook)


def take_a_turn_or_conflict(name: str) -> None:
	"""Rolled back."""
	try:
		with sessions.turn(name, "hello"):
			pass
	except sessions.SessionConflict:
		pass
	frappe.db.rollback()


_grants: list = []


def lock_agent_and_keep_the_grant(name: str, agent: str) -> None:
	_grants.append(sessions.lock_agent(name, agent, ttl=60))
	frappe.db.commit()


def move_with_the_kept_grant(name: str, to: str) -> None:
	sessions.transition(name, to, grant=_grants[-1])


def write_much(name: str, times: int) -> None:
	for number in range(times):
		with sessions.turn(name, f"message {number}") as turn:
			turn.reply("noted")
		sessions.lock_agent(name, f"agent {number}", steal=True)
		frappe.db.commit()


def recover_and_lock_agent(name: str, agent: str) -> None:
	sessions.recover(name)
	sessions.lock_agent(name, agent)
	frappe.db.commit()


def add_a_turn_without_waiting(name: str) -> None:
	databases.wait_for_locks(1)
	sessions.add_turn(name, "user", "x")
	frappe.db.commit()
