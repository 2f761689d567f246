"""Who may read conversations in Desk and over Frappe's own REST: one rule, asked in every way Frappe asks.

Staff roles read; everybody else reads nothing, website users who own a session included (they use api.py).
Nobody writes. Field levels come on top: lists may be filtered only by fields the user may read, since a
filter answers questions about a field as well as showing it would. Many functions that Frappe answers over HTTP
never ask here: `frappe_guards/methods.py` asks for them.
"""

import json
import unicodedata
from collections.abc import Mapping
from typing import Any

import frappe
import regex
from frappe import _

from . import roles

DENY = "1=0"
SESSION, TURN, EVENT = "Conversation Session", "Conversation Turn", "Session Event"
ATTEMPT, METRIC = "Verification Attempt", "Session Metric"
READERS = {
	SESSION: roles.IN_DESK, TURN: roles.IN_DESK, EVENT: roles.OVERSEERS, ATTEMPT: roles.OVERSEERS, METRIC: roles.IN_DESK,
}  # fmt: skip
# How people are verified and which channels are trusted: no secret, and not for everybody's questions either.
ADMINISTRATOR_ROLES = roles.OVERSEERS | {roles.SYSTEM_MANAGER}
CLOSED = {
	**READERS,
	**dict.fromkeys(
		(
			"Identity Check", "Identity Check Credential", "Identity Check Field", "Protected Intent",
			"Assistant Session Settings", "Assistant Session Channel",
		),
		ADMINISTRATOR_ROLES,
	),
}  # fmt: skip
READING = frozenset({"read", "select", "report", "print", "export", "email"})
SUPERUSER = "Administrator"

# A character in JSON, in JSON within JSON, and so on: any number of backslashes, each looked at once.
ESCAPED = regex.compile(r"(?<!\\)\\++u([0-9a-fA-F]{4})")
LINE_END = regex.compile(r"(?<!\\)\\++[nrtfb]")
# Accents, invisible and control characters: a database may compare without them.
IGNORED = regex.compile(r"(?:[\p{Mn}\p{Me}\p{Cf}]|[^\P{Cc}\n])+")
SPACES = regex.compile(r"\s\s+")
LONGEST = 5  # seconds
WORD = regex.compile(r"\w+")
SEARCHED = frozenset({"txt", "text"})  # what somebody types to find something names nothing


def may_read(doctype: str, user: str) -> bool:
	"""The rule."""
	return user == SUPERUSER or bool(CLOSED[doctype].intersection(frappe.get_roles(user)))


def has_permission(doc, ptype: str | None = "read", user: str | None = None, **_more) -> bool:
	"""For those who may not read, a document that exists looks like one that does not. `ptype` is None where
	Frappe asks what is allowed at all, and goes on to the roles if anything may be."""
	user = user or frappe.session.user
	if user == SUPERUSER:
		return True
	allowed = ptype is None or ptype in READING
	if isinstance(doc, str):
		return allowed and may_read(doc, user)
	hide(doc, ptype, user)
	return allowed and may_read(doc.doctype, user)


def hide(doc, ptype: str | None = "read", user: str | None = None) -> None:
	"""Raise what Frappe raises for an unknown name, unless `user` may read this document (or is making it).

	To refuse would tell that the id exists; and `frappe.desk.form.linked_with.get` asks for permission without
	looking at the answer.
	"""
	if doc.get("__islocal") or not doc.name or may_read(doc.doctype, user or frappe.session.user):
		return
	try:
		if ptype == "delete":
			raise frappe.DoesNotExistError  # without a text, as delete_doc does
		frappe.throw(_("{0} {1} not found").format(_(doc.doctype), doc.name), frappe.DoesNotExistError)
	except frappe.DoesNotExistError as error:
		error.doctype = doc.doctype  # Frappe 16 answers by it
		raise


def session_conditions(user: str | None = None) -> str:
	return _conditions(SESSION, user)


def turn_conditions(user: str | None = None) -> str:
	return _conditions(TURN, user)


def event_conditions(user: str | None = None) -> str:
	return _conditions(EVENT, user)


def attempt_conditions(user: str | None = None) -> str:
	return _conditions(ATTEMPT, user)


def metric_conditions(user: str | None = None) -> str:
	return _conditions(METRIC, user)


def tag_link_conditions(user: str | None = None) -> str:
	return _pointing_conditions("Tag Link", "document_type", user)


def follow_conditions(user: str | None = None) -> str:
	return _pointing_conditions("Document Follow", "ref_doctype", user)


def _pointing_conditions(doctype: str, column: str, user: str | None) -> str:
	"""Rows that point at documents the user may not read are not for them."""
	user = user or frappe.session.user
	hidden = [frappe.db.escape(one) for one in CLOSED if not may_read(one, user)]
	return f"`tab{doctype}`.`{column}` not in ({', '.join(hidden)})" if hidden else ""


def has_pointing_permission(doc, ptype: str | None = "read", user: str | None = None, **_more) -> bool:
	"""The same for one of them."""
	if isinstance(doc, str):
		return True
	points_at = doc.get("document_type") or doc.get("ref_doctype")
	return points_at not in CLOSED or may_read(points_at, user or frappe.session.user)


def may_ask(doctype: str, user: str) -> bool:
	"""Whether the current request may ask about rows of `doctype`: it may be read, and no hidden field is named."""
	return may_read(doctype, user) and not _names_hidden_fields(user)


def _conditions(doctype: str, user: str | None) -> str:
	return "" if may_ask(doctype, user or frappe.session.user) else DENY


def plain(arguments: Mapping[str, Any]) -> str:
	"""Everything a request says, as a database compares names: case, width, accents and JSON's escapes do not count.
	Raises TimeoutError for what takes too long."""
	said = {name: value for name, value in arguments.items() if name not in SEARCHED}
	text = json.dumps(said, default=str, ensure_ascii=False)
	text = ESCAPED.sub(lambda found: chr(int(found[1], 16)), text, timeout=LONGEST)
	text = LINE_END.sub("\n", text, timeout=LONGEST)
	if not text.isascii():
		text = unicodedata.normalize("NFKD", text)
	return IGNORED.sub("", text).casefold()


# Standing alone: a whole argument, an item, a key, a table in SQL; not within a sentence.
NAMED = regex.compile(
	rf"(?:(?<=[^\w\s])|(?<=\n)|(?<=\btab))\s*({'|'.join(map(str.casefold, CLOSED))})\s*(?=[^\w\s]|\n)"
)


def named(text: str) -> set[str]:
	"""Which of our DocTypes a request names, in any argument and however it is written (see `plain`)."""
	mentioned = [doctype for doctype in CLOSED if doctype.casefold() in text]  # quick, and rarely anything
	if not mentioned:
		return set()
	found = set(NAMED.findall(SPACES.sub(lambda run: "\n" if "\n" in run[0] else " ", text)))
	return {doctype for doctype in mentioned if doctype.casefold() in found}


def _names_hidden_fields(user: str) -> bool:
	"""Whether the request names a field above the user's level, in any argument and however it is written:
	filters, sorting and grouping answer questions about a field, and Frappe has many names for each.
	"""
	if user == SUPERUSER or getattr(frappe.local, "request", None) is None:
		return False
	return not _hidden_fields(user).isdisjoint(WORD.findall(plain(frappe.local.form_dict)))


def _hidden_fields(user: str) -> set[str]:
	"""Of all DocTypes the user may read: a list of turns can be filtered by fields of their session."""
	hidden: set[str] = set()
	for doctype in (doctype for doctype in READERS if may_read(doctype, user)):
		meta = frappe.get_meta(doctype)
		levels = set(meta.get_permlevel_access("read", user=user))
		hidden.update(field.fieldname for field in meta.fields if field.permlevel not in levels)
	return hidden
