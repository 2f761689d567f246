"""The few edits of a session that Desk may make: checked, made a new version of the row, and told to every worker."""

import json
from datetime import timedelta
from itertools import product
from typing import Any

import frappe
from frappe import _

from .. import bounds, config, flows
from ..coherence.ledger import ledger
from ..errors import InvalidSessionData, SessionNotFound
from ..tables import events, listing, seals, session_rows, turns
from ..tables.row import Row
from ..tables.statements import ask, table
from ..vantage import LOCKED

# Changed by Frappe itself on every save, or harmless to everybody but Desk.
FRAMEWORK_FIELDS = frozenset(
	{
		"version",
		"revision",
		"modified",
		"modified_by",
		"idx",
		"_user_tags",
		"_comments",
		"_assign",
		"_liked_by",
		"_seen",
	}
)


def differs(doc, before, field: str) -> bool:
	"""Whether a save would change the stored value (a form sends numbers and times as text)."""
	new, old = doc.get(field), before.get(field)
	return (new or None) != (old or None) and str(new or "") != str(old or "")


def check_edit(doc) -> None:
	"""The editable fields hold what the service could have written."""
	try:
		bounds.ttl(int(doc.ttl or 0))
		for field in ("current_state", "previous_state"):
			doc.set(field, bounds.optional_label(doc.get(field) or None, field))
		for field in ("context", "flows"):
			value = json.loads(doc.get(field) or "{}")
			doc.set(field, bounds.json_object(value, field) if value else None)
		flows.check(json.loads(doc.flows or "{}"))
	except InvalidSessionData as error:
		frappe.throw(str(error), frappe.ValidationError)
	except (KeyError, TypeError, ValueError, RecursionError):
		text = _(
			"TTL is a number; context is a JSON object; flows is one of flows with step, data and version."
		)
		frappe.throw(text, frappe.ValidationError)


def supersede(doc) -> None:
	"""Make this save a new version of the row; Frappe has locked it. What the seal covers stays exactly as it is."""
	ledger().mark(doc.name)
	before = session_rows.select(doc.name, LOCKED)
	if before is None:
		raise SessionNotFound.of(doc.name)
	after = before._replace(version=before.version + 1, revision=session_rows.new_revision())
	if int(doc.ttl) != before.ttl:
		after = after._replace(expires_at=before.last_activity + timedelta(seconds=int(doc.ttl)))
	after = seals.carried(before, after)
	for column in {*seals.SEALED, "seal", "expires_at"} - {"name", "creation"}:
		doc.set(column, getattr(after, column))


def announce(name: str) -> None:
	"""The row was changed: at COMMIT its register entry goes."""
	ledger().mark(name)
	ledger().wrote(name, None)


def forget(name: str) -> None:
	"""The row is being deleted: so are its turns and events, and at COMMIT its register entry."""
	announce(name)
	turns.delete(name)
	events.delete(name)


def linked_was_renamed(doc, _event=None, old: str = "", new: str = "", *_merge) -> None:
	"""Frappe changes links by plain SQL: sessions of a renamed user or party become new versions of themselves."""
	renamed = table(session_rows.DOCTYPE)
	if doc.doctype == "DocType":
		condition = renamed.party_type == new
	else:
		condition = (renamed.party_type == doc.doctype) & (renamed.party == new)
	if doc.doctype == "User":
		condition |= renamed.user == new
	for (name,) in ask(frappe.qb.from_(renamed).select(renamed.name).where(condition)):
		announce(name)
		if row := session_rows.select(name, LOCKED):
			session_rows.replace(
				row, listing.of_row(row), config.now(), sealed_anew=_fitted(row, doc.doctype, old, new)
			)


def _fitted(row: Row, doctype: str, old: str, new: str) -> bool:
	"""Whether the row fits its seal, or did until Frappe wrote `new` for `old` in it."""
	links = {"party_type"} if doctype == "DocType" else {"party"} if row.party_type == doctype else set()
	links |= {"user"} if doctype == "User" else set()
	changed = [column for column in sorted(links) if getattr(row, column) == new]
	return any(
		seals.fits(_with(row, dict(zip(changed, values, strict=True))))
		for values in product((new, old), repeat=len(changed))
	)


def _with(row: Row, values: dict[str, Any]) -> Row:
	return row._replace(**values)
