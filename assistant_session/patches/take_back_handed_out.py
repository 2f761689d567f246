"""Copies of conversations that were handed out to whoever named somebody in a Personal Data Download Request.

Where the request is one that would be believed today, the file now belongs to the person alone. Any other is removed:
it is a copy in a stranger's hands.
"""

import frappe

from ..privacy.requests import may_ask
from ..privacy.traces import DOWNLOAD, HANDED_OUT


def execute() -> None:
	filters = {"attached_to_doctype": DOWNLOAD, "file_name": ("like", f"{HANDED_OUT}%")}
	for name in frappe.get_all("File", filters, pluck="name", limit_page_length=0):
		_take_back(frappe.get_doc("File", name))


def _take_back(file) -> None:
	asked = frappe.db.get_value(DOWNLOAD, file.attached_to_name, ["user", "owner"], as_dict=True)
	if asked and may_ask(asked.owner, asked.user):
		file.db_set({"owner": asked.user, "attached_to_doctype": None, "attached_to_name": None})
	else:
		file.delete(ignore_permissions=True)
