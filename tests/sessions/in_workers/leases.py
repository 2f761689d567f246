"""Messages whose worker stands still, is slow, or has lost its connection."""

import gc
import os
import signal
import time

import frappe

from assistant_session import sessions
from assistant_session.sessions.coherence import leases, register
from assistant_session.sessions.coherence.ledger import ledger
from assistant_session.sessions.tables import session_rows
from tests import in_workers


def _shorten_leases(seconds: float) -> None:
	frappe.local.conf.assistant_session_hold_ttl = seconds


def is_held_for_longer_than_its_lease(name: str) -> bool:
	_shorten_leases(0.4)
	with sessions.turn(name, "long"):
		time.sleep(1.2)
		held = bool(register.connection().redis.exists(register.key("hold", name)))
	frappe.db.commit()
	return held


def think(name: str, begun: str, go_on: str) -> list:
	"""Process a message until the file `go_on` is there."""
	_shorten_leases(0.5)
	with sessions.turn(name, "the slow one", message_id="slow") as turn:
		open(begun, "w").close()
		while not os.path.exists(go_on):
			time.sleep(0.01)
		if not turn.repeated:
			turn.reply("too late")
	frappe.db.commit()
	return [turn.repeated, turn.replies]


def stop_right_before_the_write(name: str) -> None:
	"""SIGSTOP to oneself, when the lease has been looked at already."""
	_shorten_leases(0.5)
	replace = session_rows.replace

	def stop_and_replace(base, *arguments, **more):
		if base.name == name:  # threads beside this one write too
			session_rows.replace = replace
			os.kill(os.getpid(), signal.SIGSTOP)
		return replace(base, *arguments, **more)

	session_rows.replace = stop_and_replace
	in_workers.say(name, "the slow one", "too late")


def say_what_is_purged_meanwhile(name: str, text: str, reply: str, message_id: str) -> list:
	"""Its turns go right before the row is read."""
	select = session_rows.select

	def purge_and_select(*arguments, **more):
		frappe.db.sql("delete from `tabConversation Turn` where session = %s", name)
		frappe.db.commit()
		return select(*arguments, **more)

	session_rows.select = purge_and_select
	return in_workers.say(name, text, reply, message_id)


def renewed_before_and_after_the_connection_vanished(name: str) -> list[int]:
	"""How many leases this process renews; no garbage collection may help."""
	gc.disable()
	block = sessions.turn(name, "hello")
	block.__enter__()
	block.__exit__(None, None, None)
	del block
	before = len(leases._renewed)
	frappe.local.db.close()
	frappe.connect()
	return [before, len(leases._renewed)]


def say_whenever_it_is_free(round: int, name: str, who: str) -> None:
	"""Who comes third is told at once that it is busy, and comes again."""
	while not _said(name, f"{who}{round}"):
		frappe.db.rollback()


def _said(name: str, text: str) -> bool:
	try:
		with sessions.turn(name, text) as turn:
			time.sleep(0.01)
			turn.reply(f"re: {text}")
	except sessions.SessionBusy:
		return False
	frappe.db.commit()
	return True


def see_what_was_written_meanwhile(name: str, working: bool) -> list:
	"""A turn whose snapshot is from before its wait for the lease."""
	if working:
		in_workers.note("x")
	frappe.db.sql("select count(*) from `tabConversation Turn`")
	with sessions.turn(name, "hello", message_id="one") as turn:
		seen = [turn.repeated, turn.session.current_state, len(sessions.history(name))]
	frappe.db.commit()
	return seen


def state_after_waiting_in_an_endpoint(name: str) -> str | None:
	"""A message to one of our endpoints: it has looked at the session, then waits for its lease. Nothing is kept."""
	with ledger().own():
		frappe.db.sql("select current_state from `tabConversation Session` where name = %s", name)
		with sessions.turn(name, "the one who waited") as turn:
			state = turn.session.current_state
		frappe.db.rollback()
	return state
