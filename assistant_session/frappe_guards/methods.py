"""Functions of Frappe, and of other apps, that answer over HTTP about any DocType without asking who may know.

Counts are the worst of them: with LIKE they tell a text letter by letter. A function has many names (aliases in other
modules, endpoints that resolve a dotted path they are given), so nothing here looks at names of functions. Before Frappe
calls one for a request it asks whether the function is in `frappe.whitelisted`; that list is replaced, once per process,
by one that also asks whether the request names a DocType of ours, in any argument, and whether the caller may ask about
it. What is new in the next Frappe is closed in the same way. Sites of the same process without this app notice nothing.

Some functions tell of our documents without being asked about them. Those are replaced where they stand.
"""

import inspect
import sys
import threading
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any

import frappe

from .. import permissions, roles
from . import links, request_bodies, spreadsheets

APP = "assistant_session"
# They ask for permission themselves, and people use them with names of DocTypes that are none of our rows: to describe a
# DocType, to customise one, to save a document that has one in a field, to pick one in a link, to draw a workspace.
ASK_THEMSELVES = frozenset(
	{
		"frappe.client.insert",
		"frappe.client.save",
		"frappe.client.set_value",
		"frappe.client.validate_link",
		"frappe.client.validate_link_and_fetch",
		"frappe.desk.desktop.get_desktop_page",
		"frappe.desk.form.load.getdoctype",
		"frappe.desk.form.save.savedocs",
	}
)
FOR_MANAGERS = ("frappe.core.doctype.doctype.", "frappe.core.page.permission_manager.", "frappe.custom.")

_closing = threading.Lock()


def close() -> None:
	"""Close the doors of this process, unless they are; at the beginning of every request and job (hooks)."""
	with _closing:
		if isinstance(frappe.whitelisted, Guarded):
			return
		for path, tell in TELLING.items():
			_replace(path, tell)
		spreadsheets.replace(_stand_in)
		request_bodies.replace(_stand_in)
		links.guard()
		kind = GuardedSet if isinstance(frappe.whitelisted, set) else GuardedList
		frappe.whitelisted = kind(frappe.whitelisted)


class Guarded:
	"""`frappe.whitelisted` as it was, in which nobody finds a function for a request they may not make."""

	def __init__(self, before):
		super().__init__(before)  # type: ignore[call-arg]
		self.before = before  # a module that is being loaded this very moment may still add to it

	def __contains__(self, function: object) -> bool:
		there = super().__contains__(function)  # type: ignore[misc]
		return (there or function in self.before) and may_call(function)


class GuardedList(Guarded, list):
	"""As Frappe 15 keeps it."""


class GuardedSet(Guarded, set):
	"""As Frappe 16 keeps it."""


def may_call(function: Any) -> bool:
	"""Whether this request may call `function`: it names no DocType of ours that the user may not ask about."""
	path, user = path_of(function), frappe.session.user
	if getattr(frappe.local, "request", None) is None or path.startswith(f"{APP}.") or path in ASK_THEMSELVES:
		return True
	if user == permissions.SUPERUSER or (
		path.startswith(FOR_MANAGERS) and roles.SYSTEM_MANAGER in frappe.get_roles()
	):
		return True
	try:
		said = permissions.plain({**frappe.form_dict, "of": _charted(frappe.form_dict)})
	except TimeoutError:
		return False
	named = permissions.named(said)
	if not named or not _is_installed() or _is_customising(named):
		return True
	return all(permissions.may_ask(doctype, user) for doctype in named)


def _is_customising(named: set[str]) -> bool:
	"""A System Manager who asks about documents of another DocType, in which ours are named: custom fields, reports, DocTypes.
	They could give themselves a role that reads ours; no other rule holds them back."""
	asked = frappe.form_dict.get("doctype")
	return isinstance(asked, str) and asked not in named and roles.SYSTEM_MANAGER in frappe.get_roles()


@lru_cache(maxsize=5000)
def path_of(function: Any) -> str:
	"""Where a function is defined, also one that stands within decorators."""
	function = innermost(function)
	return f"{function.__module__}.{function.__qualname__}"


def innermost(function: Any) -> Any:
	"""What decorators stand around; some of Frappe 15's do not say so."""
	function = inspect.unwrap(function)
	cells = function.__closure__ or () if "<locals>" in function.__qualname__ else ()
	inner = [cell.cell_contents for cell in cells if inspect.isfunction(cell.cell_contents)]
	return innermost(inner[0]) if inner else function


def _is_installed() -> bool:
	"""Other sites may be served by the same process."""
	return APP in frappe.get_installed_apps()


def _charted(arguments: dict[str, Any]) -> list[str]:
	"""The DocTypes of charts that are named only by their own names: a chart is answered from a cache that all users
	share, whoever asks for it."""
	try:
		chart = frappe.parse_json(arguments.get("chart"))
	except (ValueError, RecursionError):
		chart = None
	names = [arguments.get("chart_name"), chart.get("name") if isinstance(chart, dict) else None]
	found = (
		frappe.db.get_value("Dashboard Chart", name, "document_type")
		for name in names
		if name and isinstance(name, str)
	)
	return [doctype for doctype in found if doctype]


def _labels(answer: Any) -> Any:
	"""How often each value of a field occurs: Desk writes the values into its sidebar as HTML."""
	if not permissions.named(permissions.plain(frappe.form_dict)) or not isinstance(answer, list):
		return answer
	return [
		{**row, "name": frappe.utils.escape_html(row["name"])} if isinstance(row.get("name"), str) else row
		for row in answer
	]


def _without_ours(answer: Any) -> Any:
	"""An answer with rows of many DocTypes (by DocType, or each with its own), without those the user may not read."""
	user = frappe.session.user
	hidden = {doctype for doctype in permissions.CLOSED if not permissions.may_read(doctype, user)}
	if isinstance(answer, dict):
		return {doctype: rows for doctype, rows in answer.items() if doctype not in hidden}
	if isinstance(answer, list):
		return [row for row in answer if not (isinstance(row, dict) and row.get("doctype") in hidden)]
	return answer


# Functions whose answers tell of documents they were not asked about, or are drawn as HTML.
TELLING: dict[str, Callable[[Any], Any]] = {
	"frappe.desk.form.linked_with.get": _without_ours,
	"frappe.desk.doctype.tag.tag.get_documents_for_tag": _without_ours,
	"frappe.desk.listview.get_group_by_count": _labels,
}


def _replace(path: str, tell: Callable[[Any], Any]) -> None:
	"""Put a function in the place of another, wherever that is known by a name, whose answer goes through `tell`."""
	original = frappe.get_attr(path)

	@wraps(original)
	def telling(*arguments: Any, **named: Any) -> Any:
		answer = original(*arguments, **named)
		asked = getattr(frappe.local, "request", None) is not None and _is_installed()
		return tell(answer) if asked else answer

	methods = frappe.allowed_http_methods_for_whitelisted_func[original]
	replacement = frappe.whitelist(methods=methods)(telling)
	_stand_in(original, replacement)
	frappe.whitelisted.remove(original)


def _stand_in(original: Callable, replacement: Callable) -> None:
	"""Let every module that knows `original` by some name know `replacement` by it."""
	for module in list(sys.modules.values()):
		known = getattr(module, "__dict__", None) or {}
		for name in [name for name, value in known.items() if value is original]:
			setattr(module, name, replacement)
