"""The chatbot that answers in the tests: what it does is asked for by the message itself."""

import frappe

from assistant_session import authentication, sessions
from tests import databases


def respond(turn):
	if turn.message.startswith("require ") and not turn.outcome:
		_, intent, question = turn.message.split(" ", 2)
		turn.reply(authentication.require(turn.session, intent, question).prompt)
	elif turn.message.startswith("raise"):
		raise RuntimeError(f"secret {turn.message}")
	if turn.message.startswith("state "):
		turn.session.transition(turn.message.removeprefix("state "))
		turn.reply("moved")
	elif turn.message.startswith("fail "):
		_let_fail(*turn.message.split()[1:])
	elif turn.message.startswith("call back"):
		_call_back(*turn.message.split()[2:])
		turn.reply("ok")
	elif turn.message.startswith("move "):
		turn.reply(_moved(turn.message.removeprefix("move ")))
	elif turn.message.startswith("kill database"):
		databases.kill(databases.connection_number())
	else:
		turn.reply(f"you said: {turn.message}")


def _let_fail(statement: str, code: str, *how: str) -> None:
	"""From now on this connection raises `code` at a statement that begins so ("any": at each); "afterwards": once the
	server has done it; "away": nobody can connect any more; "and raise": the chatbot fails as well."""
	frappe.db._cursor = Failing(frappe.db._cursor, statement, int(code), "afterwards" in how)
	if "away" in how:  # nobody can connect again either
		frappe.db.connect = lambda: frappe.db._cursor.execute(statement)
	if "raise" in how:
		raise RuntimeError("the chatbot fails as well")


def _call_back(when: str, what: str) -> None:
	"""Have something done "before" or "after" COMMIT: a function that writes and "raise"s, or that "swallow"s what the
	database refuses."""

	def write_and_raise():
		frappe.get_doc({"doctype": "ToDo", "description": "called back"}).insert(ignore_permissions=True)
		raise RuntimeError("as a test asked for")

	def swallow():
		try:
			frappe.db.sql("select nothing from `tabNowhere`")
		except Exception:
			return

	queue = frappe.db.before_commit if when == "before" else frappe.db.after_commit
	queue.add(write_and_raise if what == "raise" else swallow)


def _moved(other: str) -> str:
	databases.said("lock wait", seconds=1)
	try:
		sessions.transition(other, "MOVED")
	except sessions.SessionBusy:
		return "it is busy"
	return "moved"


class Failing:
	"""A cursor that raises at some statements; the rest is the driver's own."""

	def __init__(self, cursor, statement: str, code: int, afterwards: bool):
		self.__dict__.update(cursor=cursor, statement=statement, code=code, afterwards=afterwards)

	def execute(self, query, values=None):
		hit = self.statement in ("any", query.strip().split()[0].lower())
		if not hit or self.afterwards:
			self.cursor.execute(query, values)
		if hit:
			raise frappe.db.OperationalError(self.code, "as a test asked for")

	def __getattr__(self, name):
		return getattr(self.cursor, name)

	def __setattr__(self, name, value):
		setattr(self.cursor, name, value)
