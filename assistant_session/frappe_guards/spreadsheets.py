"""What people typed stays text in a spreadsheet: a cell that begins like a formula gets an apostrophe in front.

Frappe writes CSV and Excel files of lists and reports as the values are. Its writers are replaced where they stand (see
`methods`) by ones that look at what the request, or the job that answers it later, exports; for everything that names
no DocType of ours they do what they did.
"""

import functools
from collections.abc import Callable, Iterable
from typing import Any

import frappe

from .. import permissions

FORMULA = tuple("=+-@\t\r")
WRITERS = (
	"frappe.desk.utils.get_csv_bytes",
	"frappe.utils.xlsxutils.make_xlsx",
)  # their first argument is the rows


def replace(stand_in: Callable[[Callable, Callable], None]) -> None:
	"""Put the writers in their places; `stand_in(original, replacement)` does it wherever one is known."""
	for path in WRITERS:
		writer = frappe.get_attr(path)
		stand_in(writer, _changed(writer, lambda rows: [neutral(row) for row in rows]))
	from frappe.utils.csvutils import UnicodeWriter

	UnicodeWriter.writerow = _changed(UnicodeWriter.writerow, neutral, of=1)


def neutral(row: Iterable[Any]) -> list[Any]:
	"""The cells of a row, of which no text is taken for a formula."""
	return [f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell for cell in row]


def _changed(write: Callable, change: Callable, *, of: int = 0) -> Callable:
	"""A function whose argument number `of` is changed before, if it is ours."""

	@functools.wraps(write)
	def written(*arguments: Any, **named: Any) -> Any:
		given = list(arguments)
		if _is_ours() and len(given) > of:
			given[of] = change(given[of])
		return write(*given, **named)

	return written


def _is_ours() -> bool:
	"""Whether what this request or job exports has rows of ours."""
	known = frappe.local.flags
	if known.assistant_session_exports is None:
		known.assistant_session_exports = _names_ours()
	return known.assistant_session_exports


def _names_ours() -> bool:
	about = dict(getattr(frappe.local, "form_dict", None) or {})
	if job := getattr(frappe.local, "job", None):
		about["job"] = job.kwargs
	text = permissions.plain(about)
	if permissions.named(text):
		return True
	ours = {"ref_doctype": ("in", list(permissions.CLOSED))}
	reports = frappe.get_all("Report", ours, pluck="name", limit_page_length=0)
	return any(report.casefold() in text for report in reports)
