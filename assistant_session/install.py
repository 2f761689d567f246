"""What a site needs besides DocTypes: roles, a key, the first channel, the composite indexes. Idempotent."""

import frappe
from frappe import _

from . import database, hooks, roles
from .maintenance import sealing
from .sessions import config
from .sessions.secrets import keys

DATABASES = ("mariadb", "postgres")

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


KEPT_WITH_SESSIONS = ("Conversation Turn", "Session Event")


def before_install() -> None:
	"""Refuse a database on which verification would wait for itself for ever: its counters are written on a second
	connection, while the first one writes the session."""
	if frappe.db.db_type not in DATABASES:
		frappe.throw(
			_("Assistant Session needs MariaDB or PostgreSQL; this site is on {0}.").format(frappe.db.db_type)
		)


def after_install() -> None:
	_make_roles()
	_make_first_channel()
	_make_indexes()
	_set_retention()
	keys.ensure()
	sealing.note()


def after_migrate() -> None:
	_make_roles()
	_set_retention()
	_make_indexes()
	keys.ensure()


def _set_retention() -> None:
	"""Entries in Log Settings that are missing, before Frappe makes them by itself. Turns and events stay at least as
	long as the site was told to keep sessions: nothing goes that nobody decided upon."""
	settings = frappe.get_single("Log Settings")
	known = {row.ref_doctype: row.days for row in settings.logs_to_clear}
	missing = {name: days for name, days in hooks.default_log_clearing_doctypes.items() if name not in known}
	for doctype, days in missing.items():
		if doctype in KEPT_WITH_SESSIONS:
			days = max(days, known.get("Conversation Session", 0))
		settings.append("logs_to_clear", {"ref_doctype": doctype, "days": days})
	if missing:
		settings.save(ignore_permissions=True)


def _make_roles() -> None:
	for role in roles.ALL:
		if not frappe.db.exists("Role", role):
			values = {"doctype": "Role", "role_name": role, "desk_access": int(role in roles.IN_DESK)}
			frappe.get_doc(values).insert(ignore_permissions=True)


def _make_first_channel() -> None:
	settings = frappe.get_single(config.DOCTYPE)
	if not settings.channels:
		settings.append("channels", {"channel": "Web", "guests": 1})
		settings.strict_intents = 1  # sites from before have bots whose intents nobody listed
		settings.save(ignore_permissions=True)


def _make_indexes() -> None:
	for doctype, indexes in INDEXES.items():
		for columns in indexes:
			database.add_index(doctype, columns)
	for doctype in hooks._ours:
		database.add_search_indexes(doctype)
