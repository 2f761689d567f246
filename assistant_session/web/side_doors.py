"""Endpoints of Frappe that answer about any DocType without asking whether the caller may know.

Each (`_doors` in hooks.py) is replaced by one that asks if our DocTypes are named anywhere in the call, and
then does what Frappe does. Counts are the worst of them: with LIKE they tell a text letter by letter. A chart is
answered from a cache that all users share, whoever asks for it by its name.
"""

from collections.abc import Callable
from typing import Any

import frappe
from frappe import _

from .. import permissions
from ..hooks import _doors


def _closed(path: str) -> Callable:
	def door(**arguments: Any) -> Any:
		user, said = frappe.session.user, permissions.plain({**arguments, "of": _charted(arguments)})
		for doctype in permissions.CLOSED:
			if doctype.casefold() in said and not permissions.may_ask(doctype, user):
				frappe.throw(_("No permission for {0}").format(_(doctype)), frappe.PermissionError)
		return _readable(frappe.call(frappe.get_attr(path), **arguments), user)

	return frappe.whitelist()(door)


def _charted(arguments: dict[str, Any]) -> list[str]:
	"""The DocTypes of charts that are named only by their own names."""
	chart = frappe.parse_json(arguments.get("chart"))
	names = [arguments.get("chart_name"), chart.get("name") if isinstance(chart, dict) else None]
	found = (
		frappe.db.get_value("Dashboard Chart", name, "document_type")
		for name in names
		if isinstance(name, str)
	)
	return [doctype for doctype in found if doctype]


def _readable(answer: Any, user: str) -> Any:
	"""Without our rows where an answer has rows of many DocTypes, as what is linked to a document has."""
	if not isinstance(answer, dict):
		return answer
	unreadable = [doctype for doctype in permissions.CLOSED if not permissions.may_read(doctype, user)]
	for doctype in unreadable:
		answer.pop(doctype, None)
	return answer


globals().update({path.replace(".", "_"): _closed(path) for path in _doors})
