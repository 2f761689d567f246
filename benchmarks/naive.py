"""The same turn as Frappe code is often written: the whole chat in one JSON field of one document.

Two ways of it, each with one commit. `once`: one function loads the document to see whether the session is
alive, another loads it again, appends message and reply to the JSON, and saves. `each`: a function that loads
the document, appends one message and saves is called for the message and again for the reply.

Both are kept on the fast side: no controller and no hooks of its own, no Versions, no Link to check, and
Administrator's permissions; no repeated message is looked for and no lease taken. The data are the app's: the
document has the fields of Conversation Session, filled alike, and `history` says of each message what a row of
Conversation Turn says. Its DocType is a custom one and exists only while the benchmark runs.
"""

import json
from datetime import timedelta

import frappe
from frappe.utils import get_datetime, now_datetime

from assistant_session.sessions.tables.row import COLUMNS

from .histories import MESSAGE, REPLY, STATE, Conversation

DOCTYPE = "Assistant Session Benchmark Chat"
LIFE = timedelta(days=1)
PLAIN = {"Int", "Check", "Datetime", "JSON", "Small Text", "Text", "Long Text", "Code"}
NEXT = f"{STATE}_DONE"
LONG = 1000  # turns of history from which on it takes part in every fifth round, or a run would last too long


class Naive:
	"""`saves`: 1 for both messages together, 2 for one each."""

	def __init__(self, length: int, *, saves: int):
		self.length, self.saves = length, saves
		self.every = 1 if length < LONG else 5
		self.history = json.dumps([_old(number) for number in range(1, length + 1)])
		row = Conversation(1).row._asdict()
		values = {name: row[name] for name in COLUMNS if name not in ("name", "creation")}
		self.name = frappe.get_doc({"doctype": DOCTYPE, **values, **self._start()}).insert().name
		frappe.db.commit()

	def rewind(self) -> None:
		frappe.db.set_value(DOCTYPE, self.name, self._start(), update_modified=False)

	def ready(self) -> None:
		"""Nothing of it is kept in this process."""

	def begin(self) -> None:
		"""Nothing but its session has to be ready."""

	def turn(self, message_id: str) -> None:
		if self.saves == 1:
			once(self.name, message_id)
		else:
			each(self.name, message_id)

	def done(self) -> None:
		assert frappe.db.get_value(DOCTYPE, self.name, "turn_count") == self.length + 2

	def _start(self) -> dict:
		now = now_datetime()
		return {
			"current_state": STATE, "previous_state": None, "turn_count": self.length, "last_activity": now,
			"expires_at": now + LIFE, "history": self.history,
		}  # fmt: skip


def once(name: str, message_id: str) -> None:
	session = live(name)
	question = {"role": "user", "content": MESSAGE, "message_id": message_id}
	add_to_history(session.name, [question, {"role": "assistant", "content": REPLY}], NEXT)
	frappe.db.commit()


def each(name: str, message_id: str) -> None:
	add_to_history(name, [{"role": "user", "content": MESSAGE, "message_id": message_id}], STATE)
	add_to_history(name, [{"role": "assistant", "content": REPLY}], NEXT)
	frappe.db.commit()


def live(name: str):
	"""The session's document, if it can be worked with."""
	session = frappe.get_doc(DOCTYPE, name)
	if session.status != "Active" or get_datetime(session.expires_at) < now_datetime():
		frappe.throw("This session is over.")
	return session


def add_to_history(name: str, messages: list[dict], state: str) -> None:
	session, now = live(name), now_datetime()
	history = json.loads(session.history or "[]")
	history.extend({**message, "state": state, "intent": None, "timestamp": str(now)} for message in messages)
	session.history = json.dumps(history)
	session.turn_count = len(history)
	if state != session.current_state:
		session.previous_state, session.current_state = session.current_state, state
	session.last_activity, session.expires_at = now, now + LIFE
	session.save()


def make() -> None:
	"""Create the DocType (a custom one: no files), after removing one a killed run may have left."""
	remove()
	fields = [{"fieldname": name, "fieldtype": kind, "label": name} for name, kind in _fields()]
	permissions = [{"role": "System Manager", "read": 1, "write": 1, "create": 1, "delete": 1}]
	values = {"doctype": "DocType", "name": DOCTYPE, "module": "Custom", "custom": 1, "autoname": "hash"}
	frappe.get_doc({**values, "fields": fields, "permissions": permissions}).insert()
	frappe.db.commit()


def remove() -> None:
	"""Remove the DocType, its table, and the comments Frappe makes about that."""
	frappe.db.rollback()
	if frappe.db.exists("DocType", DOCTYPE):
		frappe.delete_doc("DocType", DOCTYPE, force=True, delete_permanently=True)
	frappe.db.delete("Comment", {"comment_type": "Deleted", "subject": ("like", f"%{DOCTYPE}")})
	frappe.db.commit()
	frappe.db.sql_ddl(f"DROP TABLE IF EXISTS `tab{DOCTYPE}`")
	frappe.clear_cache(doctype=DOCTYPE)


def _fields() -> list[tuple[str, str]]:
	"""Those the app reads of a session, with a Data for every Link and Select, and the history."""
	found = [df for df in frappe.get_meta("Conversation Session").fields if df.fieldname in COLUMNS]
	kinds = [(df.fieldname, df.fieldtype if df.fieldtype in PLAIN else "Data") for df in found]
	return [*kinds, ("history", "JSON")]


def _old(number: int) -> dict:
	"""A message as `add_to_history` leaves it."""
	role, content = ("user", MESSAGE) if number % 2 else ("assistant", REPLY)
	named = {"message_id": f"old-{number}", "metadata": {"page": "/shop"}} if number % 2 else {}
	moment = "2025-08-15 20:55:03.283738"
	return {"role": role, "content": content, **named, "state": STATE, "intent": None, "timestamp": moment}
