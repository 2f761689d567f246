"""Stopping in the middle of a write, until a file appears; reading without a database."""

import os
import time

import frappe

from assistant_session import sessions
from assistant_session.sessions import vantage
from assistant_session.sessions.coherence import register, writing
from assistant_session.sessions.coherence.memory import memory
from assistant_session.sessions.tables import session_rows


def pause(reached: str, gate: str) -> None:
	"""Say that this place is reached, and wait there."""
	open(reached, "w").close()
	while not os.path.exists(gate):
		time.sleep(0.005)


def move_and_publish_late(name: str, to: str, reached: str, gate: str) -> None:
	"""Stop between COMMIT and publishing."""
	leave = register.leave

	def late(session: str, *arguments, **more):
		if session == name:  # threads beside this one publish too
			pause(reached, gate)
		return leave(session, *arguments, **more)

	register.leave = late
	sessions.transition(name, to)
	frappe.db.commit()
	register.leave = leave


def take_a_cold_turn(name: str, reached: str, gate: str) -> None:
	"""Stop between the first mark and the reading of the row, and again before publishing, which never comes."""
	select, leave = session_rows.select, register.leave

	def late(session: str, *found, **how):
		if session == name:
			pause(reached + "1", gate + "1")
		return select(session, *found, **how)

	session_rows.select = late
	register.leave = lambda session, *arguments, **more: (
		pause(reached, gate) if session == name else leave(session, *arguments, **more)
	)
	with sessions.turn(name, "cold") as turn:
		turn.session.transition("COLD")
	frappe.db.commit()


def origin_without_a_database(name: str) -> str:
	frappe.db.sql("rollback")

	def away(*_arguments, **_named):
		raise AssertionError("the database was asked")

	frappe.db.sql = away
	return sessions.get(name).origin


def state_at_most_old(name: str, seconds: int) -> str | None:
	return sessions.get(name, max_age=seconds).current_state


def write_a_batch(names: list[str], state: str) -> None:
	rows = [session_rows.select(name, vantage.LOCKED) for name in names]
	writing.write_locked([(row, writing.Write({"current_state": state})) for row in rows])


def fork_and_count(name: str) -> list[int]:
	"""How many sessions this process remembers, and how many a child of it."""
	sessions.get(name)
	child = os.fork()
	if not child:
		os._exit(len(memory))
	return [len(memory), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])]


def open_after(channel: str, external_id: str, reached: str, gate: str) -> str:
	"""A job that has read something opens the session of a person, once the file `gate` is there; which one it gets."""
	frappe.db.sql("select count(*) from `tabConversation Session`")
	pause(reached, gate)
	name = sessions.open(channel=channel, external_id=external_id).id
	frappe.db.commit()
	return name
