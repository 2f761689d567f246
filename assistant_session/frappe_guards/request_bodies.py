"""A request to us whose body cannot be read is answered by us.

Frappe reads the body before it asks any app, answers malformed JSON with an error of its own, and on 15 logs the body
with it, which may hold credentials. Its reader is replaced where it stands, as a worker starts, by one that leaves the
answer to the endpoint. The very first request of a worker comes before that: then what Frappe has logged is taken back.
"""

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import frappe

from ..sessions.coherence import register

OURS = "assistant_session.api."
READER = "make_form_dict"
QUEUE = "insert_queue_for_Error Log"
LOOKED_AT = 200  # of what was queued last


def replace(stand_in: Callable[[Callable, Callable], None]) -> None:
	"""Put our reader in the place of Frappe's; `stand_in(original, replacement)` does it wherever one is known."""
	if server := sys.modules.get("frappe.app"):
		reader = getattr(server, READER)
		stand_in(reader, _reading(reader))


def is_unreadable() -> bool:
	"""Whether the body of this request could not be read."""
	return bool(frappe.local.flags.assistant_session_unreadable)


def forget_logged(response: Any = None, request: Any = None) -> None:
	"""Take back what Frappe logged of a body it could not read (hook `after_request`)."""
	if request is None or response is None or response.status_code < 500 or not _is_ours(request):
		return
	here = register.connection()
	if here.call(_take_back, here) is None:
		frappe.logger("assistant_session").error(
			"Redis is away: the Error Log may hold a body nobody could read"
		)


def _take_back(here: register.Connection) -> int:
	"""Remove what waits to be inserted into the Error Log about bodies of ours; how many records."""
	queue = f"{frappe.local.conf.db_name}|{QUEUE}"
	records = here.redis.lrange(queue, -LOOKED_AT, -1)
	mine = [record for record in records if READER.encode() in record and OURS.encode() in record]
	return sum(here.redis.lrem(queue, 0, record) for record in mine)


def _reading(read: Callable) -> Callable:
	@wraps(read)
	def reading(request: Any) -> None:
		try:
			read(request)
		except (ValueError, RecursionError, frappe.ValidationError, frappe.DataError):
			if not _is_ours(request):
				raise
			frappe.local.form_dict = frappe._dict(_in_url(request))
			frappe.local.message_log = []
			frappe.local.flags.assistant_session_unreadable = True

	return reading


def _in_url(request: Any) -> dict[str, str]:
	return {name: value for name, value in request.args.items() if name == "cmd"}


def _is_ours(request: Any) -> bool:
	return OURS in request.path or OURS in request.args.get("cmd", "")
