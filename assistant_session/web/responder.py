"""The site's own chatbot: a function(turn) named by the hook `assistant_session_responder`.

assistant_session_responder = "shop.bot.respond"      # in hooks.py; the last installed app wins
"assistant_session_responder": "shop.bot.respond"     # in site_config.json, for one site; wins over hooks
"""

from collections.abc import Callable

import frappe
from frappe import _

from .. import authentication, database_errors
from ..sessions import TurnInProgress
from ..sessions.errors import ResponderFailed, SessionError
from .endpoint import log

HOOK = "assistant_session_responder"


def converse(turn: TurnInProgress) -> None:
	"""Answer a message: the verification answers what belongs to it, the chatbot everything else."""
	_guarded(turn, lambda: ask_chatbot(turn) if authentication.gate(turn) else None)


def verify(turn: TurnInProgress) -> None:
	"""Take the message for credentials; the chatbot then answers what the person had asked before."""
	_guarded(turn, lambda: ask_chatbot(turn) if authentication.answer(turn) else None)


def ask_chatbot(turn: TurnInProgress) -> None:
	path = frappe.local.conf.get(HOOK) or (frappe.get_hooks(HOOK) or [None])[-1]
	if path:
		frappe.get_attr(path)(turn)


def _guarded(turn: TurnInProgress, answer: Callable[[], object]) -> None:
	"""The site's own errors become ResponderFailed, and nothing of the turn is stored."""
	try:
		answer()
	except SessionError:
		raise
	except Exception as error:
		if database_errors.is_connection_lost(error) or database_errors.is_lost_transaction(error):
			raise
		log(f"responder in session {turn.session.id}", error)
		text = _("The chatbot could not answer. Nothing was stored: send the message again.")
		raise ResponderFailed(text) from error
