"""A pension fund: whoever asks about their own pension proves who they are, here in the chat.

The prompts, the reading of the numbers, the lockout and the remembered question are the app's; the bot says which
intent a message has, and answers.
"""

from .. import authentication
from . import directory

INTENTS = {"pension": "pension_inquiry", "payment": "payment_inquiry", "opening hours": "opening_hours"}


def respond(turn):
	intent = turn.intent or intent_of(turn)
	gate = authentication.require(turn.session, intent, turn.message)
	if not gate.open:
		turn.reply(gate.prompt)
		return
	if turn.outcome:  # they have just proven who they are
		turn.reply(welcome(turn))
	turn.reply(ANSWERS.get(intent, general)(turn.session.user_profile))


def intent_of(turn):
	said = turn.message.lower()
	return next((intent for word, intent in INTENTS.items() if word in said), None)


def welcome(turn):
	name = turn.session.user_profile["name"]
	return f"Welcome back, {name}!" if turn.outcome.returning else f"Welcome, {name}! You are new here."


def fund(member):
	return f"Your fund {member['fund']} stands at {member['balance']} euros."


def payment(member):
	return f"Your next payment is on {member['next_payment']}."


def hours(_member):
	return "We are open from 9 to 17, Monday to Friday."


def general(_member):
	return "I can tell you about your pension, your payments and our opening hours."


def verify(credentials):
	"""The same question to the register as a function: what an app registers in the hook assistant_session_verifiers."""
	found = directory.find(credentials["member_number"], credentials["national_number"])
	return None if found is None else {"full_name": found.full_name, "fund": found.fund}


ANSWERS = {"pension_inquiry": fund, "payment_inquiry": payment, "opening_hours": hours}
