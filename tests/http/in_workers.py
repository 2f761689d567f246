"""What the tests of this room have done in processes of their own."""

import time

import frappe

from assistant_session import sessions
from tests import in_workers
from tests.bots import Failing


def roll_back_in_vain(name: str) -> int | None:
	"""After a turn the ROLLBACK fails; the number of the database's error."""
	frappe.db.sql("select 1")
	with sessions.turn(name, "hello"):
		pass
	frappe.db._cursor = Failing(frappe.db._cursor, "rollback", 1047, afterwards=False)
	try:
		frappe.db.rollback()
	except frappe.db.OperationalError as error:
		return error.args[0]
	return None


def think(name: str, seconds: float) -> None:
	with sessions.turn(name, "first"):
		time.sleep(seconds)
	frappe.db.commit()


def say_or_be_told(name: str, text: str) -> list:
	"""Whether it was stored or the session was busy, and after how many seconds."""
	began = time.monotonic()
	try:
		in_workers.say(name, text)
	except sessions.SessionBusy:
		return ["busy", time.monotonic() - began]
	return ["stored", time.monotonic() - began]
