"""Documents of Frappe that point at ours: whoever may not read a conversation cannot point at one, nor learn from trying.

Before Frappe asks whether somebody may save a document, it looks up what its links name, with whatever value the client
sent: a filter in the place of a name read our rows letter by letter. So links to our DocTypes are looked at before that. A
file even writes into a field of the document it says it belongs to.
"""

from functools import wraps
from typing import Any

import frappe
from frappe import _

from .. import permissions


def guard() -> None:
	"""Let Frappe look up no link to our DocTypes for whoever may not read them. Once per process (see `methods`)."""
	from frappe.model.base_document import BaseDocument

	BaseDocument.get_invalid_links = _guarded(BaseDocument.get_invalid_links)


def file_is_attached(doc: Any, _event: str | None = None) -> None:
	"""A File says what it belongs to (hook): a document its author may read, and never a field of it."""
	doctype = _ours(doc.attached_to_doctype)
	if doctype is None:
		return
	if doc.attached_to_field:
		frappe.throw(_("{0} has no field for a file.").format(_(doctype)), frappe.ValidationError)
	_require(doc, doctype, doc.attached_to_name, _("Attached To Name"))


def web_form_is_saved(doc: Any, _event: str | None = None) -> None:
	"""A web form saves for everybody without asking for permission (hook): none of ours."""
	if doctype := _ours(doc.doc_type):
		frappe.throw(_("There are no web forms for {0}.").format(_(doctype)), frappe.ValidationError)


def _guarded(look_up: Any) -> Any:
	@wraps(look_up)
	def get_invalid_links(self: Any, *arguments: Any, **more: Any) -> Any:
		for field in _links(self):
			value = self.get(field.fieldname)
			named = field.options if field.fieldtype == "Link" else self.get(field.options)
			if value and (doctype := _ours(named)):
				_require(self, doctype, value, _(field.label))
		return look_up(self, *arguments, **more)

	return get_invalid_links


def _links(doc: Any) -> list:
	return [*doc.meta.get_link_fields(), *doc.meta.get("fields", {"fieldtype": "Dynamic Link"})]


def _ours(doctype: Any) -> str | None:
	"""Which of our DocTypes a value names, None if it names another."""
	if not doctype or getattr(frappe.local, "request", None) is None:
		return None
	return next(iter(permissions.named(permissions.plain({"doctype": doctype}))), None)


def _require(doc: Any, doctype: str, value: Any, label: str) -> None:
	"""What Frappe says of a name that does not exist. Code of the site that ignores permissions may point at a document,
	but only by its name."""
	may = doc.flags.ignore_permissions or permissions.may_read(doctype, frappe.session.user)
	if not (may and isinstance(value, str | int)):
		text = _("Could not find {0}").format(f"{label}: {value if isinstance(value, str | int) else ''}")
		frappe.throw(text, frappe.LinkValidationError)
