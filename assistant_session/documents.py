"""What the controllers of our DocTypes have in common: texts are shown as text, and what the service owns nobody else writes."""

import json

import frappe
from frappe import _
from frappe.model.document import Document

from . import permissions

# Of these Frappe makes texts of its own, which may have HTML in them.
MADE_BY_FRAPPE = frozenset({"Date", "Datetime", "Time", "Currency", "HTML"})


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
