"""The gate in front of a chatbot: messages that are part of the verification are answered here.

	with sessions.turn(session_id, text, message_id=message_id) as turn:
		if authentication.gate(turn):
			answer(turn)

`send_message` does the same. Which intent a message has is for the site to say, either in the chatbot, which calls
`authentication.require` itself, or before it, with the hook `assistant_session_intent`, a function(turn) → intent:
the chatbot is then not even asked for an intent that the person may not be served for.
"""

import frappe

from ..sessions import TurnInProgress
from ..sessions.secrets import masking
from . import credential_reading, dialogue, phrases
from .checks import Check, catalogue


def gate(turn: TurnInProgress) -> bool:
	"""Whether the chatbot is to answer.

	False: the message was answered here, or is a repeated one. True after a verification: `turn.message` is then what
	the person had asked before, `turn.intent` its intent, `turn.outcome` says whether they are `returning`.
	"""
	if turn.repeated:
		return False
	check = dialogue.asked_check(turn.session)
	if check and _is_an_answer(check, turn.raw_message):
		return answer(turn)
	if check:
		turn.conceal(masking.without_numbers(turn.raw_message))  # it may be a credential mistyped
	return _may_pass(turn)


def answer(turn: TurnInProgress) -> bool:
	"""Take the message for credentials; whether the chatbot is to answer what was asked before."""
	turn.verification.outcome = outcome = dialogue.submit(turn.session, turn.raw_message)
	if outcome.verified and outcome.message:
		turn.message = turn.raw_message = outcome.message
		turn.intent = outcome.intent
		return True
	turn.reply(outcome.text)
	return False


def _is_an_answer(check: Check, text: str) -> bool:
	return (
		phrases.is_help(text)
		or phrases.is_cancel(text)
		or bool(credential_reading.read(check.credentials, text))
	)


def _may_pass(turn: TurnInProgress) -> bool:
	path = catalogue().intent_of
	if not path:
		return True
	turn.intent = turn.intent or frappe.get_attr(path)(turn)
	passed = dialogue.require(turn.session, turn.intent, turn.message)
	if not passed.open:
		turn.reply(passed.prompt or "")
	return passed.open
