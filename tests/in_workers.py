"""What tests of every room have done in a process of its own: `worker().run(in_workers.state, name)`.

What one room alone needs stands beside its tests. Nothing is committed unless it is said.
"""

import dataclasses
from typing import Any

import frappe

from assistant_session import sessions
from assistant_session.sessions import config
from tests import databases

SESSION = "Conversation Session"
_held: list = []  # blocks that were entered and not left


def look(name: str, *attributes: str) -> list:
	"""What a session has under these names."""
	found = sessions.get(name)
	return [getattr(found, attribute) for attribute in attributes]


def state(name: str) -> str | None:
	return sessions.get(name).current_state


def origin(name: str) -> str:
	"""From where a session is read here and now."""
	return sessions.get(name).origin


def refusal(name: str) -> str | None:
	"""The kind of error with which a session is not read."""
	try:
		sessions.get(name)
	except sessions.SessionError as error:
		return type(error).__name__
	return None


def contents(name: str) -> list[str]:
	return [turn.content for turn in sessions.history(name)]


def move(name: str, to: str) -> None:
	"""Committed."""
	sessions.transition(name, to)
	frappe.db.commit()


def add_to_context(name: str, **values: Any) -> None:
	"""By a function, which is applied to the newest row. Committed."""
	sessions.update(name, lambda session: session.context.update(values))
	frappe.db.commit()


def say(name: str, text: str, reply: str | None = None, message_id: str | None = None) -> list:
	"""A turn, committed; whether it was a repetition, and its replies."""
	with sessions.turn(name, text, message_id=message_id) as turn:
		if reply is not None and not turn.repeated:
			turn.reply(reply)
	frappe.db.commit()
	return [turn.repeated, turn.replies]


def wait_for_leases(seconds: int) -> None:
	"""And no longer, from here on."""
	config.settings.keep(dataclasses.replace(config.settings(), hold_wait=seconds), float("inf"))


def say_impatiently(name: str, text: str) -> list:
	"""The same by somebody who waits a second for the lease."""
	wait_for_leases(1)
	return say(name, text)


def take_lease(name: str, text: str = "being thought about", reply: str | None = None) -> None:
	"""Begin a turn and stay in it; `release` ends it."""
	block = sessions.turn(name, text)
	turn = block.__enter__()
	if reply is not None:
		turn.reply(reply)
	_held.append(block)


def release() -> None:
	"""Committed."""
	_held.pop().__exit__(None, None, None)
	frappe.db.commit()


def lock_rows(*names: str) -> None:
	"""As somebody at the database would."""
	frappe.db.sql(f"select name from `tab{SESSION}` where name in %s for update", [names])


def begin_snapshot() -> None:
	"""From here on this transaction sees what is committed now."""
	frappe.db.sql(f"select count(*) from `tab{SESSION}`")


def note(text: str) -> None:
	"""Work of the caller's own: a ToDo."""
	frappe.get_doc({"doctype": "ToDo", "description": text}).insert()


def notes(text: str) -> int:
	return frappe.db.count("ToDo", {"description": text})


def transition_without_waiting(name: str, to: str) -> None:
	"""A row somebody has locked is waited for a second and no longer."""
	databases.wait_for_locks(1)
	sessions.transition(name, to)
