"""What Frappe leaves when it uninstalls the app is taken away: it drops our DocTypes with their rows, and keeps the roles,
the settings, and whatever in its own tables points at them.

The site's key stays in site_config.json, on purpose: receipts, anchors and backups from before are verified with it.
"""

import json
from pathlib import Path

import frappe

from . import hooks, roles
from .privacy import traces
from .sessions.coherence import register

APP = hooks.app_name
# Beside what a single document may leave: what belongs to a whole DocType, or to the app.
NAMING = {
	**{doctype: columns[0] for doctype, columns in traces.POINTING.items()},
	"Custom Field": "dt",
	"Property Setter": "doc_type",
	"Custom DocPerm": "parent",
	"List Filter": "reference_doctype",
	"Kanban Board": "reference_doctype",
	"Logs To Clear": "ref_doctype",
	"Singles": "doctype",
	"File": "attached_to_doctype",
}
OF_ROLES = {"Has Role": "role", "Custom DocPerm": "role", "DocPerm": "role"}


def after_uninstall() -> None:
	"""Frappe has committed by now. Files on disk go last: they cannot be brought back."""
	attached = frappe.get_all("File", {"attached_to_doctype": ("in", doctypes())}, pluck="file_url")
	_remove_rows(NAMING, doctypes())
	_remove_jobs_and_patches()
	_remove_roles()
	_remove_rows({"Workspace Sidebar Item": "link_to"}, [*doctypes(), hooks.app_title])
	_remove_rows({"Block Module": "module"}, [hooks.app_title])
	_remove_rows({"Desktop Icon": "app"}, [APP])
	_remove_rows(
		{"Deleted Document": "deleted_name", "DocType Link": "link_doctype"}, [*doctypes(), *roles.ALL]
	)
	_forget_in_redis()
	frappe.db.commit()
	for left in traces.remove_contents(attached):
		frappe.logger("assistant_session").error(f"uninstalling: {left}")
	frappe.clear_cache()


def doctypes() -> list[str]:
	"""Every DocType of the app, from its files: the site knows none of them any more."""
	folder = Path(__file__).parent / APP / "doctype"
	return sorted(json.loads(file.read_text())["name"] for file in folder.glob("*/*.json"))


def _remove_rows(columns: dict[str, str], values: list[str]) -> None:
	for doctype, column in columns.items():
		if doctype == "Singles" or (
			frappe.db.table_exists(doctype) and frappe.db.has_column(doctype, column)
		):
			frappe.db.delete(doctype, {column: ("in", values)})


def _remove_jobs_and_patches() -> None:
	ours = ("like", f"{APP}.%")
	jobs = ("in", ["", *frappe.get_all("Scheduled Job Type", {"method": ours}, pluck="name")])
	frappe.db.delete("Scheduled Job Log", {"scheduled_job_type": jobs})
	frappe.db.delete("Scheduled Job Type", {"name": jobs})
	frappe.db.delete("Patch Log", {"patch": ours})


def _remove_roles() -> None:
	_remove_rows(OF_ROLES, list(roles.ALL))
	frappe.db.delete("Role", {"name": ("in", list(roles.ALL))})


def _forget_in_redis() -> None:
	"""Registers, leases, limits and notes; what Redis does not hear now expires."""
	here, pattern = register.connection(), register.key("", "").removesuffix(b":")
	found = here.call(lambda: list(here.redis.scan_iter(pattern + b"*"))) or []
	if found:
		here.call(here.redis.delete, *found)
