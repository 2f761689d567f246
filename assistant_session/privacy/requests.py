"""Frappe's own requests for personal data reach what is held about the user in conversations.

Anybody can file one: Frappe's web forms are public, and whom a request names is what its author typed. So a request
is believed only for its author, or if a System Manager filed it; what is handed out belongs to the person alone, and who
asked is looked at again when the job runs.

A Personal Data Download Request makes a private file beside Frappe's; the person is mailed the link. A Personal Data
Deletion Request, once Frappe has carried it out, erases the user's sessions in the same transaction, and the signed
receipt is attached to it.
"""

import json

import frappe
from frappe import _
from frappe.utils.verified_command import get_signed_params

from .. import roles
from ..sessions.coherence import register
from . import erasing
from .person import Person, export, note_export
from .traces import DOWNLOAD, HANDED_OUT

DELETION = "Personal Data Deletion Request"
LINK = "/api/method/frappe.utils.file_manager.download_file"


def download_requested(doc, _event: str | None = None) -> None:
	"""Somebody asked for somebody's data: hand it out if they may."""
	if not may_ask(frappe.session.user, doc.user):
		text = f"{doc.name}: conversations are not handed out, it was not filed by the person or a System Manager"
		frappe.logger("assistant_session").warning(text)
		return
	frappe.enqueue(
		"assistant_session.privacy.requests.hand_out",
		queue="long",
		enqueue_after_commit=True,
		request=doc.name,
		user=doc.user,
		asker=frappe.session.user,
	)


def may_ask(asker: str, user: str) -> bool:
	"""Whether a request by `asker` for the data of `user` is believed: both exist and are enabled, and they are the same
	or the asker is a System Manager."""
	if not all(frappe.db.get_value("User", {"name": one, "enabled": 1}) == one for one in (asker, user)):
		return False
	return asker != "Guest" and (asker == user or roles.SYSTEM_MANAGER in frappe.get_roles(asker))


def hand_out(request: str, user: str, asker: str) -> None:
	"""Mail `user` the link to their conversations, as JSON in a file that nobody else may read. A job.

	What was true when it was asked for must still be: the request names the same user and author, who may ask.
	"""
	asked = frappe.db.get_value(DOWNLOAD, request, ["user", "owner"])
	if asked != (user, asker) or not may_ask(asker, user):
		frappe.logger("assistant_session").warning(f"{request}: not handed out, it is not what was asked for")
		return
	person = Person.by_user(user)
	if not note_export(person, how=DOWNLOAD):
		return
	content = json.dumps(list(export(person)), ensure_ascii=False, indent=1)
	file = _file(f"{HANDED_OUT}{request}.json", content)
	file.db_set("owner", user, update_modified=False)
	link = frappe.utils.get_url(LINK) + "?" + get_signed_params({"file_url": file.file_url})
	text = _("Your conversations can be downloaded here: {0}").format(link)
	frappe.sendmail(recipients=user, subject=_("Your conversations"), message=text)


def deletion_changed(doc, _event: str | None = None) -> None:
	"""Erase when Frappe has carried it out, which it shows by having renamed the user to the request's name; the status
	alone proves nothing."""
	if doc.status != "Deleted" or not _is_carried_out(doc):
		return
	for user in (doc.email, doc.name):
		person = Person.by_user(user)
		if person.sessions():
			erasing.erase(person, on_receipt=lambda receipt: _file_later(doc.name, receipt))


def _is_carried_out(doc) -> bool:
	renamed = frappe.db.exists("User", doc.name) and not frappe.db.exists("User", doc.email)
	return bool(renamed) and roles.SYSTEM_MANAGER in frappe.get_roles()


def _file_later(request: str, receipt: erasing.Receipt) -> None:
	"""After COMMIT, where nothing can be written any more: a job does it."""
	try:
		frappe.enqueue(
			"assistant_session.privacy.requests.file_receipt",
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
	_file(
		f"Receipt-{receipt['receipt']}.json", content, attached_to_doctype=DELETION, attached_to_name=request
	)
	text = _("{0} conversations were erased, {1} are under legal hold and were kept.")
	lines = [text.format(len(receipt["sessions"]), len(receipt["kept"])), *receipt["left"]]
	frappe.get_doc(DELETION, request).add_comment("Info", "<br>".join(map(frappe.utils.escape_html, lines)))


def _file(name: str, content: str, **attached_to: str):
	"""A private File. Who may read what it is attached to may read it as well."""
	values = {"doctype": "File", "file_name": name, "content": content, "is_private": 1, **attached_to}
	return frappe.get_doc(values).insert(ignore_permissions=True)
