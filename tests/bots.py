"""The chatbot that answers in the tests: what it does is asked for by the message itself."""

import frappe

from assistant_session import authentication


def respond(turn):
	if turn.message.startswith("require ") and not turn.outcome:
		_, intent, question = turn.message.split(" ", 2)
		turn.reply(authentication.require(turn.session, intent, question).prompt)
	elif turn.message.startswith("raise"):
		raise RuntimeError(f"secret {turn.message}")
	if turn.message.startswith("state "):
		turn.session.transition(turn.message.removeprefix("state "))
		turn.reply("moved")
	elif turn.message.startswith("kill database"):
		frappe.db.sql(f"kill {frappe.db.sql('select connection_id()')[0][0]}")
	else:
		turn.reply(f"you said: {turn.message}")
