"""Frappe's own requests for personal data reach what is held about the user in conversations.

A Personal Data Download Request gets a private file of its own beside Frappe's; the person is mailed the link. A Personal
Data Deletion Request, once Frappe has carried it out, erases the user's sessions in the same transaction, and the
receipt stands as a comment on it.
"""

import json

import frappe
from frappe import _
from frappe.utils.verified_command import get_signed_params

from . import erasing
from .person import Person, export, note_export

DOWNLOAD = "Personal Data Download Request"
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
	file = frappe.get_doc(
		{
			"doctype": "File",
			"file_name": f"Conversations-{request}.json",
			"attached_to_doctype": DOWNLOAD,
			"attached_to_name": request,
			"content": json.dumps(list(export(person)), ensure_ascii=False, indent=1),
			"is_private": 1,
		}
	).insert(ignore_permissions=True)
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
			doc.add_comment("Info", _summary(erasing.erase(person)))


def _summary(receipt: erasing.Receipt) -> str:
	text = _("{0} conversations were erased (receipt {1}); {2} are under legal hold and were kept.")
	return text.format(len(receipt.sessions), receipt.receipt, len(receipt.kept))
