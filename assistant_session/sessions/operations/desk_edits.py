"""What the DocType controllers do: keep Desk, REST and scripts from changing what the service owns, and let the
few allowed edits take part in coherence."""

import json
from itertools import product
from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document

from ... import permissions
from .. import bounds, config, flows
from ..coherence.ledger import ledger
from ..errors import InvalidSessionData, SessionNotFound
from ..tables import events, seals, session_rows, turns
from ..tables.row import Row
from ..tables.statements import table

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


class PlainText(Document):
	"""A document whose texts are shown as text: Frappe's print formats show what `get_formatted` returns as HTML."""

	def get_formatted(self, fieldname, *arguments, **more):
		shown = super().get_formatted(fieldname, *arguments, **more)
		field = self.meta.get_field(fieldname)
		typed = isinstance(self.get(fieldname), str) and (
			field is None or field.fieldtype not in MADE_BY_FRAPPE
		)
		return frappe.utils.escape_html(shown) if typed and isinstance(shown, str) else shown


def require_author(doc) -> None:
	"""Who changes settings or checks over HTTP may: a web form, for one, saves for everybody without asking."""
	if getattr(frappe.local, "request", None) is not None:
		frappe.has_permission(doc.doctype, "write", throw=True)


# Of these Frappe makes texts of its own, which may have HTML in them.
MADE_BY_FRAPPE = frozenset({"Date", "Datetime", "Time", "Currency", "HTML"})


class ServiceDocument(PlainText):
	"""A row the service owns: not made, renamed or copied by anybody else."""

	def before_insert(self):
		refuse(self)

	def before_rename(self, *_names):
		refuse(self)

	def check_if_latest(self):
		"""`run_doc_method` compares times before it asks for permission: no answer for those who may not read."""
		permissions.hide(self)
		super().check_if_latest()

	def is_whitelisted(self, method_name):
		"""REST looks for the method before it asks for permission."""
		permissions.hide(self)
		super().is_whitelisted(method_name)

	def as_json(self):
		"""Deleting leaves no copy of the conversation in Deleted Document."""
		if self.flags.in_delete:
			return json.dumps({"doctype": self.doctype, "name": self.name})
		return super().as_json()


class WrittenOnce(ServiceDocument):
	"""Neither edited nor deleted, by the user Administrator neither; it goes when its session goes."""

	def validate(self):
		refuse(self)

	def on_trash(self):
		refuse(self)


def refuse(doc) -> None:
	"""Nobody creates, edits or renames this here."""
	text = _("{0} is written by the session service alone.").format(_(doc.doctype))
	frappe.throw(text, frappe.PermissionError)


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
	before = session_rows.select_locked(doc.name)
	if before is None:
		raise SessionNotFound.of(doc.name)
	after = before._replace(version=before.version + 1, revision=session_rows.new_revision())
	after = seals.carried(before, after)
	for column in {*seals.SEALED, "seal"} - {"name", "creation"}:
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
	for (name,) in frappe.qb.from_(renamed).select(renamed.name).where(condition).run():
		announce(name)
		if row := session_rows.select_locked(name):
			session_rows.replace(row, {}, config.now(), sealed_anew=_fitted(row, doc.doctype, old, new))


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
