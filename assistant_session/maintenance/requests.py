"""Frappe's own requests for personal data reach what is held about the user in conversations.

A Personal Data Download Request gets a private file of its own beside Frappe's; the person is mailed the link. A Personal
Data Deletion Request, once Frappe has carried it out, erases the user's sessions in the same transaction, and the
signed receipt is attached to it.
"""

import json

import frappe
from frappe import _
from frappe.utils.verified_command import get_signed_params

from ..sessions import register
from . import erasing
from .person import Person, export, note_export
from .traces import DOWNLOAD

DELETION = "Personal Data Deletion Request"
LINK = "/api/method/frappe.utils.file_manager.download_file"


def download_requested(doc, _event: str | None = None) -> None:
	"""A person, or a System Manager for them, asked for their data."""
	frappe.enqueue(
		"assistant_session.maintenance.requests.hand_out",
		queue="long",
		enqueue_after_commit=True,
		request=doc.name,
	)


def hand_out(request: str) -> None:
	"""Attach the conversations of the request's user to it, as JSON, and mail the link. A job."""
	asked = frappe.get_doc(DOWNLOAD, request)
	person = Person.by_user(asked.user)
	if not note_export(person, how=DOWNLOAD):
		return
	content = json.dumps(list(export(person)), ensure_ascii=False, indent=1)
	file = _attach(DOWNLOAD, request, f"Conversations-{request}.json", content)
	link = frappe.utils.get_url(LINK) + "?" + get_signed_params({"file_url": file.file_url})
	text = _("Your conversations can be downloaded here: {0}").format(link)
	frappe.sendmail(recipients=asked.user, subject=_("Your conversations"), message=text)


def deletion_changed(doc, _event: str | None = None) -> None:
	"""Frappe has renamed the user to the request's name by the time it says that all is deleted."""
	if doc.status != "Deleted":
		return
	for user in (doc.email, doc.name):
		person = Person.by_user(user)
		if person.sessions():
			erasing.erase(person, told=lambda receipt: _file_later(doc.name, receipt))


def _file_later(request: str, receipt: erasing.Receipt) -> None:
	"""After COMMIT, where nothing can be written any more: a job does it."""
	try:
		frappe.enqueue(
			"assistant_session.maintenance.requests.file_receipt",
			queue="short",
			request=request,
			receipt=receipt.as_dict(),
		)
	except register.ERRORS as error:
		text = f"receipt {receipt.receipt} of {request} could not be filed: {type(error).__name__}"
		frappe.logger("assistant_session").error(text)


def file_receipt(request: str, receipt: dict) -> None:
	"""Attach a receipt to the request it answers, and say in a comment what it says. A job."""
	content = json.dumps(receipt, ensure_ascii=False, indent=1)
	_attach(DELETION, request, f"Receipt-{receipt['receipt']}.json", content)
	text = _("{0} conversations were erased, {1} are under legal hold and were kept.")
	lines = [text.format(len(receipt["sessions"]), len(receipt["kept"])), *receipt["left"]]
	frappe.get_doc(DELETION, request).add_comment("Info", "<br>".join(map(frappe.utils.escape_html, lines)))


def _attach(doctype: str, name: str, file_name: str, content: str):
	values = {
		"doctype": "File", "attached_to_doctype": doctype, "attached_to_name": name, "file_name": file_name,
		"content": content, "is_private": 1,
	}  # fmt: skip
	return frappe.get_doc(values).insert(ignore_permissions=True)
