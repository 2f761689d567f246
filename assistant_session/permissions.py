"""Who may read conversations in Desk and over Frappe's own REST: one rule, asked in every way Frappe asks.

Staff roles read; everybody else reads nothing, website users who own a session included (they use api.py).
Nobody writes. Field levels come on top: lists may be filtered only by fields the user may read, since a
filter answers questions about a field as well as showing it would.
"""

import json

import frappe
from frappe import _

DENY = "1=0"
SESSION, TURN, EVENT = "Conversation Session", "Conversation Turn", "Session Event"
STAFF = frozenset({"Assistant Session Administrator", "Assistant Session Agent", "Assistant Session Auditor"})
READERS = {SESSION: STAFF, TURN: STAFF, EVENT: STAFF - {"Assistant Session Agent"}}
SUPERUSER = "Administrator"


def may_read(doctype: str, user: str) -> bool:
	"""The rule."""
	return user == SUPERUSER or bool(READERS[doctype].intersection(frappe.get_roles(user)))


def has_permission(doc, ptype: str = "read", user: str | None = None, **_more) -> bool:
	user = user or frappe.session.user
	if user == SUPERUSER:
		return True
	readable = ptype in ("read", "select", "report", "print", "export", "email")
	return readable and may_read(doc if isinstance(doc, str) else doc.doctype, user)


def query_conditions(user: str | None = None, doctype: str = SESSION) -> str:
	user = user or frappe.session.user
	if not may_read(doctype, user) or _asks_about_hidden_fields(doctype, user):
		return DENY
	return ""


@frappe.whitelist()
def get_count(
	doctype: str,
	filters: str | dict | list | None = None,
	debug: bool = False,
	cache: bool = False,
):
	"""frappe.client.get_count checks no permission; for our DocTypes this does. All others go there."""
	from frappe.client import get_count as frappes

	if doctype in READERS:
		user = frappe.session.user
		if query_conditions(user, doctype) == DENY:
			frappe.throw(_("No permission for {0}").format(_(doctype)), frappe.PermissionError)
	return frappes(doctype, filters, debug, cache)


def _asks_about_hidden_fields(doctype: str, user: str) -> bool:
	"""Whether the current request filters, groups or sorts by a field above the user's level."""
	request = getattr(frappe.local, "request", None)
	if request is None or user == SUPERUSER:
		return False
	asked = json.dumps([frappe.local.form_dict.get(name) for name in _ASKING], default=str)
	meta = frappe.get_meta(doctype)
	levels = set(meta.get_permlevel_access("read", user=user))
	return any(field.permlevel not in levels and field.fieldname in asked for field in meta.fields)


_ASKING = ("filters", "or_filters", "order_by", "group_by", "fields", "start", "txt", "searchfield")
