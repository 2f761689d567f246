"""Flows: multi-step forms inside a session, kept in its JSON column `flows` under their name.

Stored form: {"bulk_order": {"step": …, "data": {…}, "version": 1, "started_at": …, "expires_at": …}}.
Several flows live side by side; two writers of different flows never meet. Which version of a flow the running code
speaks, and how stored data gets there, is registered once: see `versions`.
"""

import copy
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from frappe import _

from . import bounds, config, flow_versions
from .errors import InvalidSessionData


@dataclass
class Flow:
	"""A copy of a flow's place; change the stored one with set_flow."""

	name: str
	step: str
	data: dict[str, Any] = field(default_factory=dict)
	version: int = 1
	outdated: bool = False  # in another version than the code's: newer, or no migration is registered
	started_at: datetime | None = None
	expires_at: datetime | None = None
	public: tuple[str, ...] = ()  # keys of `data` that the person's page may have


def check(stored: dict[str, Any]) -> None:
	"""Each flow is what `put` writes: everybody who reads the session relies on that. Raises InvalidSessionData."""
	for name, flow in stored.items():
		try:
			flow_versions.checked(flow["version"])
			bounds.label(flow["step"], "step")
			bounds.json_object(flow["data"], "data")
			public_keys(flow.get("public") or ())
			as_stored(stored, name)
		except (KeyError, TypeError, ValueError) as error:
			raise InvalidSessionData(_("flows: step, data and version are needed in each.")) from error


def put(
	stored: dict[str, Any],
	name: str,
	step: str,
	data: dict | None,
	*,
	version: int | None,
	ttl: int | None,
	public: Iterable[str] | None = None,
) -> Flow:
	"""Write a flow into `stored`: a running one is brought to the code's version first, keeps its data, its start and
	what is public, and gets `data` on top. Raises InvalidSessionData, FlowNotMigrated, FlowIsNewer."""
	name, step = bounds.label(name, "flow"), bounds.label(step, "step")
	if data is not None:
		bounds.json_object(data, "data")
	now, wanted = config.now(), flow_versions.wanted(name, version)
	running = _running(stored, name)
	if running is None:
		running = {
			"data": {},
			"started_at": now.isoformat(),
			"version": flow_versions.FIRST if wanted is None else wanted,
		}
	before = flow_versions.to_be_written(name, running, wanted)
	merged = {**running, **before, "step": step, "data": {**before["data"], **(data or {})}}
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


def take(stored: dict[str, Any], name: str, *, version: int | None) -> Flow | None:
	"""A copy of the flow for the code's version; None if there is none or its time is over. Raises FlowNotMigrated
	where its migration fails."""
	name = bounds.label(name, "flow")
	wanted = flow_versions.wanted(name, version)
	wanted = flow_versions.FIRST if wanted is None else wanted
	found = _running(stored, name)
	if found is None:
		return None
	flow = _flow(name, {**found, **flow_versions.to_be_read(name, found, wanted)})
	flow.outdated = flow.version != wanted
	return flow


def as_stored(stored: dict[str, Any], name: str) -> Flow | None:
	"""A copy of the flow in the version it is stored in; None if its time is over."""
	found = _running(stored, name)
	return _flow(name, found) if found else None


def _running(stored: dict[str, Any], name: str) -> dict[str, Any] | None:
	"""The stored form of a flow whose time is not over."""
	found = stored.get(bounds.label(name, "flow"))
	return found if found and not _is_over(found, config.now()) else None


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
