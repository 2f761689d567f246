"""The site's own chatbot: a function(turn) named by the hook `assistant_session_responder`.

assistant_session_responder = "shop.bot.respond"      # in hooks.py; the last installed app wins
"assistant_session_responder": "shop.bot.respond"     # in site_config.json, for one site; wins over hooks
"""

import frappe
from frappe import _

from .. import compat
from ..sessions import TurnInProgress
from ..sessions.errors import ResponderFailed, SessionError
from .endpoint import log

HOOK = "assistant_session_responder"


def respond(turn: TurnInProgress) -> None:
	"""Let the chatbot answer. Its own errors become ResponderFailed, and nothing of the turn is stored."""
	path = frappe.local.conf.get(HOOK) or (frappe.get_hooks(HOOK) or [None])[-1]
	if not path:
		return
	try:
		frappe.get_attr(path)(turn)
	except SessionError:
		raise
	except Exception as error:
		if compat.is_connection_lost(error) or compat.is_lost_transaction(error):
			raise
		log("responder", error)
		text = _("The chatbot could not answer. Nothing was stored: send the message again.")
		raise ResponderFailed(text) from error
