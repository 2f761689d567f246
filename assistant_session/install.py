"""What a site needs besides DocTypes: roles, a key, the first channel, the composite indexes. Idempotent."""

import frappe

from . import hooks
from .sessions import config, keys

ROLES = {
	"Assistant Session Administrator": True,
	"Assistant Session Agent": True,
	"Assistant Session Auditor": True,
	"Assistant Session Service": False,  # for routers and webhooks; never opens Desk
	"Assistant Session Monitoring": False,  # for Prometheus; reads the endpoint `metrics` and nothing else
}

# The lookups of the scheduler's jobs; single-column indexes stand in the DocTypes.
INDEXES = {
	"Conversation Session": (
		["status", "expires_at"],
		["status", "agent_lock_expires_at"],
		["status", "closed_at"],
		["authenticated", "auth_expires_at"],
		["status", "last_activity"],
		["party_type", "party"],
		["status", "channel"],
	),
	"Verification Attempt": (["modified", "locked_until"],),
	"Session Metric": (["metric", "hour"],),
}


def after_install() -> None:
	_make_roles()
	_make_first_channel()
	_make_indexes()
	_set_retention()
	keys.ensure()


def _set_retention() -> None:
	"""What newer versions of Frappe do by themselves from the hook: an entry in Log Settings."""
	settings = frappe.get_single("Log Settings")
	known = {row.ref_doctype for row in settings.logs_to_clear}
	for doctype, days in hooks.default_log_clearing_doctypes.items():
		if doctype not in known:
			settings.append("logs_to_clear", {"ref_doctype": doctype, "days": days})
			settings.save(ignore_permissions=True)


def after_migrate() -> None:
	_make_roles()
	_make_indexes()
	keys.ensure()


def _make_roles() -> None:
	for role, desk_access in ROLES.items():
		if not frappe.db.exists("Role", role):
			values = {"doctype": "Role", "role_name": role, "desk_access": int(desk_access)}
			frappe.get_doc(values).insert(ignore_permissions=True)


def _make_first_channel() -> None:
	settings = frappe.get_single(config.DOCTYPE)
	if not settings.channels:
		settings.append("channels", {"channel": "Web", "guests": 1})
		settings.save(ignore_permissions=True)


def _make_indexes() -> None:
	for doctype, indexes in INDEXES.items():
		for columns in indexes:
			frappe.db.add_index(doctype, columns)
