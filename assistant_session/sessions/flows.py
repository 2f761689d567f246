"""Flows: multi-step forms inside a session, kept in its JSON column `flows` under their name.

Stored form: {"bulk_order": {"step": …, "data": {…}, "version": 1, "started_at": …, "expires_at": …}}.
Several flows live side by side; two writers of different flows never meet.

A site registers migrations in its hooks, flow → dotted path of function(data, from_version, to_version) → data:

    assistant_session_flow_migrations = {"bulk_order": "shop.flows.migrate_bulk_order"}
"""

import copy
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import frappe
from frappe import _

from . import bounds, config
from .errors import InvalidSessionData

HOOK = "assistant_session_flow_migrations"
HIGHEST_VERSION = 10**6


@dataclass
class Flow:
	"""A copy of a flow's place; change the stored one with set_flow."""

	name: str
	step: str
	data: dict[str, Any] = field(default_factory=dict)
	version: int = 1
	outdated: bool = False  # stored by other code than asks, and no migration knows the way
	started_at: datetime | None = None
	expires_at: datetime | None = None
	public: tuple[str, ...] = ()  # keys of `data` that the person's page may have


def check(stored: dict[str, Any]) -> None:
	"""Each flow is what `put` writes: everybody who reads the session relies on that. Raises InvalidSessionData."""
	for name, flow in stored.items():
		try:
			version = bounds.number(flow["version"], "version", 0, HIGHEST_VERSION)
			bounds.label(flow["step"], "step")
			bounds.json_object(flow["data"], "data")
			public_keys(flow.get("public") or ())
			take(stored, name, version=version)
		except (KeyError, TypeError, ValueError) as error:
			raise InvalidSessionData(_("flows: step, data and version are needed in each.")) from error


def put(
	stored: dict[str, Any],
	name: str,
	step: str,
	data: dict | None,
	*,
	version: int,
	ttl: int | None,
	public: Iterable[str] | None = None,
) -> Flow:
	"""Write a flow into `stored`: a running one keeps its data, its start and what is public, and gets `data` on top."""
	name, step = bounds.label(name, "flow"), bounds.label(step, "step")
	bounds.number(version, "version", 0, HIGHEST_VERSION)
	if data is not None:
		bounds.json_object(data, "data")
	now = config.now()
	running = stored.get(name)
	if not running or _is_over(running, now):
		running = {"data": {}, "started_at": now.isoformat()}
	merged = {**running, "step": step, "version": version, "data": {**running["data"], **(data or {})}}
	if ttl is not None:
		merged["expires_at"] = (now + timedelta(seconds=bounds.ttl(ttl))).isoformat()
	if public is not None:
		merged["public"] = public_keys(public)
	stored[name] = merged
	return _flow(name, merged)


def public_keys(keys: Iterable[str]) -> list[str]:
	"""Names of what a page may be told of a flow's data, as they are stored."""
	if isinstance(keys, str):
		raise InvalidSessionData(_("{0}: a list of texts is needed.").format("public"))
	return sorted({bounds.label(key, "public") for key in keys})


def take(stored: dict[str, Any], name: str, *, version: int) -> Flow | None:
	"""A copy of the flow for code of `version`; None if there is none or its time is over."""
	found = stored.get(bounds.label(name, "flow"))
	if not found or _is_over(found, config.now()):
		return None
	flow = _flow(name, found)
	if flow.version != version:
		_migrate(flow, version)
	return flow


def _migrate(flow: Flow, version: int) -> None:
	paths = (frappe.get_hooks(HOOK) or {}).get(flow.name) or []
	if not paths:
		flow.outdated = True
		return
	data = frappe.get_attr(paths[-1] if isinstance(paths, list) else paths)(flow.data, flow.version, version)
	if not isinstance(data, dict):
		text = _("The migration of the flow {0} must return a JSON object.")
		raise InvalidSessionData(text.format(flow.name))
	flow.data, flow.version = data, version


def _flow(name: str, stored: dict[str, Any]) -> Flow:
	return Flow(
		name,
		stored["step"],
		copy.deepcopy(stored["data"]),
		stored["version"],
		started_at=_moment(stored.get("started_at")),
		expires_at=_moment(stored.get("expires_at")),
		public=tuple(stored.get("public") or ()),
	)


def _is_over(stored: dict[str, Any], now: datetime) -> bool:
	expires = _moment(stored.get("expires_at"))
	return expires is not None and expires <= now


def _moment(text: str | None) -> datetime | None:
	return datetime.fromisoformat(text) if text else None
