"""What the framework keeps about sessions outside our tables: comments, files, logs, reports.

Rows go in the caller's transaction. What cannot be brought back (files on disk, see also `queues`) goes only after COMMIT.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

import frappe

from ..maintenance import sweep
from ..sessions.tables import events, session_rows, turns

OURS = (session_rows.DOCTYPE, turns.DOCTYPE, events.DOCTYPE)
DOWNLOAD = "Personal Data Download Request"
HANDED_OUT = "Conversations-"  # and the name of the request: a file of the user's, attached to nothing
# DocTypes that point at documents, and the fields with which they do. Comments last: what goes before may leave some.
POINTING = {
	"Communication": ("reference_doctype", "reference_name"),
	"Activity Log": ("reference_doctype", "reference_name"),
	"View Log": ("reference_doctype", "reference_name"),
	"Email Queue": ("reference_doctype", "reference_name"),
	"Error Log": ("reference_doctype", "reference_name"),
	"ToDo": ("reference_type", "reference_name"),
	"Version": ("ref_doctype", "docname"),
	"Document Follow": ("ref_doctype", "ref_docname"),
	"Notification Log": ("document_type", "document_name"),
	"Tag Link": ("document_type", "document_name"),
	"DocShare": ("share_doctype", "share_name"),
	"Deleted Document": ("deleted_doctype", "deleted_name"),
	"Access Log": ("export_from", "reference_document"),
	"Comment": ("reference_doctype", "reference_name"),
}
CHILDREN = {"Communication": "Communication Link", "Email Queue": "Email Queue Recipient"}
PAGE = 500  # log entries looked at in one go
ON_DISK = re.compile(r"/(?:private/)?files/[^/]+")  # a File may be a link to somewhere else as well
NOTHING = r"(?!)"
# What an id is made of does not end it; a full stop or colon does, unless the id goes on after it.
BEFORE, AFTER = r"(?<![\w-])(?<!\w[.:])", r"(?![\w-]|[.:]\w)"


def mentions(terms: Iterable[str]) -> re.Pattern[str]:
	"""Finds one of these texts, each as a whole: never `chat_1` in `chat_10`; nothing if there are none."""
	texts = "|".join(map(re.escape, sorted(terms)))
	return re.compile(f"{BEFORE}(?:{texts}){AFTER}" if texts else NOTHING)


def logs(wanted: re.Pattern[str]) -> list[str]:
	"""Names of Error Log entries that mention what is wanted, found in one pass. The doctor's own calls stay: they name
	sessions, and nobody."""
	found, after = [], ""
	while page := _page(after):
		found += [one.name for one in page if one.method != sweep.TITLE and _is_wanted(one, wanted)]
		after = page[-1].name
	return found


def remove(names: set[str], users: set[str], log_names: list[str]) -> tuple[Counter, list[str]]:
	"""Remove what points at these sessions, their turns and events, what was handed out to these users, and these log
	entries: how many rows of each DocType, and the files whose contents are to go after COMMIT."""
	removed: Counter = Counter()
	mails = list(_pointing("Communication", *POINTING["Communication"], names))
	reports = _prepared_reports()
	files = [*_files(OURS, names), *_attached("Communication", mails), *_attached("Prepared Report", reports)]
	files += _handed_out(users)
	urls = [url for _name, url in files]
	removed["File"] += _delete("File", [name for name, _url in files])
	removed["Prepared Report"] += _delete("Prepared Report", reports)
	for doctype, fields in POINTING.items():
		found = set(_pointing(doctype, *fields, names))
		removed[doctype] += _delete(doctype, [*found, *(log_names if doctype == "Error Log" else ())])
	return +removed, urls


def remove_contents(urls: list[str]) -> list[str]:
	"""Remove these files from disk unless another File has the same; what could not be removed."""
	from frappe.utils.file_manager import delete_file

	left = []
	for url in urls:
		if not ON_DISK.fullmatch(url or "") or frappe.db.exists("File", {"file_url": url}):
			continue
		try:
			delete_file(url)
		except OSError as error:
			left.append(f"file {url}: {type(error).__name__}")
	return left


def _page(after: str) -> list:
	fields = ["name", "method", "error"]
	return frappe.get_all(
		"Error Log", {"name": (">", after)}, fields, order_by="name", limit_page_length=PAGE
	)


def _is_wanted(entry, wanted: re.Pattern[str]) -> bool:
	return any(wanted.search(text or "") for text in (entry.method, entry.error))


def _pointing(doctype: str, type_field: str, name_field: str, names: set[str]) -> Iterator[str]:
	rows = frappe.get_all(
		doctype, {type_field: ("in", OURS)}, ["name", f"{name_field} as pointed"], limit_page_length=0
	)
	return (row.name for row in rows if _is_of(row.pointed, names))


def _is_of(pointed: str | None, names: set[str]) -> bool:
	"""A session of these, or one of its turns and events: <session>-<sequence>."""
	return pointed in names or (pointed or "").rpartition("-")[0] in names


def _files(doctypes: Iterable[str], names: set[str]) -> list[tuple[str, str]]:
	fields = ["name", "file_url", "attached_to_name"]
	rows = frappe.get_all("File", {"attached_to_doctype": ("in", doctypes)}, fields, limit_page_length=0)
	return [(row.name, row.file_url) for row in rows if _is_of(row.attached_to_name, names)]


def _attached(doctype: str, names: list[str]) -> list[tuple[str, str]]:
	return _files((doctype,), set(names)) if names else []


def _handed_out(users: set[str]) -> list[tuple[str, str]]:
	"""Copies of conversations that Frappe's requests for personal data made (see `requests`)."""
	asked = frappe.get_all(DOWNLOAD, {"user": ("in", [*users, ""])}, pluck="name", limit_page_length=0)
	made = tuple(f"{HANDED_OUT}{name}" for name in asked)
	filters = {"file_name": ("like", f"{HANDED_OUT}%"), "owner": ("in", [*users, ""])}
	rows = frappe.get_all("File", filters, ["name", "file_name", "file_url"], limit_page_length=0)
	return [(row.name, row.file_url) for row in rows if row.file_name.startswith(made)]


def _prepared_reports() -> list[str]:
	"""All over our DocTypes: who is in one cannot be told, and they can be prepared again."""
	reports = frappe.get_all("Report", {"ref_doctype": ("in", OURS)}, pluck="name", limit_page_length=0)
	return frappe.get_all(
		"Prepared Report", {"report_name": ("in", [*reports, ""])}, pluck="name", limit_page_length=0
	)


def _delete(doctype: str, names: list[str]) -> int:
	names = sorted(set(names))
	for first in range(0, len(names), PAGE):
		some = names[first : first + PAGE]
		if child := CHILDREN.get(doctype):
			frappe.db.delete(child, {"parent": ("in", some)})
		frappe.db.delete(doctype, {"name": ("in", some)})
	return len(names)
