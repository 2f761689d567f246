"""The chatbot that answers in the tests: what it does is asked for by the message itself."""

from assistant_session import authentication
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
	elif turn.message.startswith("kill database"):
		databases.kill(databases.connection_number())
	else:
		turn.reply(f"you said: {turn.message}")
