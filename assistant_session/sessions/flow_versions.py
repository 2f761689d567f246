"""Which version of a flow the running code speaks, and how data stored by older code gets there.

A bot's app registers both once, in its hooks, by the name of the flow:

    assistant_session_flow_versions = {"booking": 2}
    assistant_session_flow_migrations = {"booking": "clinic.flows.migrate_booking"}

    def migrate_booking(data, from_version, to_version, step):
        return {**data, "service": data["treatment"]}, "confirm"

A migration is called by `get_flow` and by `set_flow`, before anything is merged, with a copy of what is stored by older
code; it returns the data, or data and step. A function of three arguments is called without the step. It may be
called again for the same flow (reading stores nothing), so it changes nothing else.

Data is never brought back to an older version. During a rolling deploy a worker with the older code may meet a flow that
newer code has stored: `get_flow` gives it as it is, `outdated`, and `set_flow` raises FlowIsNewer (409), so that the
message is stored by nobody and sent again. A flow that registers nothing is of version 1.
"""

import copy
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import frappe
from frappe import _

from .. import database_errors
from . import bounds
from .errors import FlowIsNewer, FlowNotMigrated, InvalidSessionData

VERSIONS, MIGRATIONS = "assistant_session_flow_versions", "assistant_session_flow_migrations"
FIRST, HIGHEST = 1, 10**6  # of a flow about which nobody says anything

Stored = Mapping[str, Any]


def checked(version: Any) -> int:
	return bounds.number(version, "version", 0, HIGHEST)


def wanted(name: str, said: int | None) -> int | None:
	"""The version of the running code: what the call says, else what is registered; None if neither is."""
	if said is not None:
		return checked(said)
	registered = _registered(VERSIONS, name)
	if registered is None:
		return None
	try:
		return checked(registered)
	except InvalidSessionData as error:
		text = _("The hook {0} must give a whole number for the flow {1}.")
		raise InvalidSessionData(text.format(VERSIONS, name)) from error


def to_be_read(name: str, stored: Stored, version: int) -> Stored:
	"""Version, step and data of a stored flow in `version`; as they are if it is newer or nothing knows the way."""
	path = _registered(MIGRATIONS, name) if stored["version"] < version else None
	return _migrated(name, stored, version, path) if path else stored


def to_be_written(name: str, stored: Stored, version: int | None) -> Stored:
	"""The same for who is about to merge something into it. Without a version it stays in its own; what no migration
	can bring to it is refused, so that data of two versions never mix."""
	if version is None or stored["version"] == version:
		return stored
	if stored["version"] > version:
		raise FlowIsNewer.of(name, stored["version"], version)
	path = _registered(MIGRATIONS, name)
	if path is None:
		raise FlowNotMigrated.for_want_of(MIGRATIONS, name, stored["version"], version)
	return _migrated(name, stored, version, path)


def _migrated(name: str, stored: Stored, version: int, path: str) -> Stored:
	try:
		data, step = _called(frappe.get_attr(path), stored, version)
		bounds.json_object(data, "data")
		bounds.label(step, "step")
	except Exception as error:
		if database_errors.is_connection_lost(error) or database_errors.is_lost_transaction(error):
			raise
		log = frappe.logger("assistant_session")
		log.error(f"migration of flow {name}, {stored['version']} to {version}: {type(error).__name__}")
		raise FlowNotMigrated.because(error, name, stored["version"], version) from error
	return {"version": version, "step": step, "data": data}


def _called(migrate: Callable, stored: Stored, version: int) -> tuple[Any, Any]:
	"""Data and step, as it returns them."""
	given = copy.deepcopy(stored["data"]), stored["version"], version
	said = migrate(*given, stored["step"]) if _takes_step(migrate) else migrate(*given)
	return said if isinstance(said, tuple) and len(said) == 2 else (said, stored["step"])


def _takes_step(migrate: Callable) -> bool:
	try:
		inspect.signature(migrate).bind("data", 1, 2, "step")
	except TypeError:
		return False
	return True


def _registered(hook: str, name: str) -> Any:
	"""What apps registered for a flow, None if nothing; the last installed one wins."""
	found = (frappe.get_hooks(hook) or {}).get(name)
	return found[-1] if isinstance(found, list) else found
