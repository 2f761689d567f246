"""The stored form of a session: which columns there are, what belongs together, and how two writers merge.

A `Row` holds the values as the database gives them; JSON stays text. Rows are immutable, so that the same one
can sit in worker memory and in any number of Sessions.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from ..errors import SessionConflict


class Row(NamedTuple):
	"""A session as it is stored, column by column in this order; times are the site's, without a zone."""

	name: str
	channel: str
	external_id: str | None
	device_id: str | None
	user: str | None
	party_type: str | None
	party: str | None
	status: str
	ttl: int
	creation: datetime
	last_activity: datetime
	expires_at: datetime
	closed_at: datetime | None
	close_reason: str | None
	legal_hold: int
	authenticated: int
	auth_method: str | None
	authenticated_at: datetime | None
	auth_expires_at: datetime | None
	identity_hash: str | None
	user_profile: str | None
	locked_intent: str | None
	pending_intent: str | None
	pending_message: str | None
	active_agent: str | None
	agent_locked_at: datetime | None
	agent_lock_expires_at: datetime | None
	agent_fence: int
	current_state: str | None
	previous_state: str | None
	context: str | None
	flows: str | None
	version: int
	revision: str
	turn_count: int
	restored_count: int
	active_key: str | None
	token_hash: str | None
	old_token_hash: str | None
	old_token_until: datetime | None
	old_token_key: str | None
	event_count: int
	event_head: str | None
	hidden_turns: int
	purged_turns: int
	purged_events: int
	event_base: str | None
	seal: str | None


COLUMNS = Row._fields

STATUSES = {text: text for text in ("Active", "Closed", "Expired")}
_STATUS = COLUMNS.index("status")


def from_database(values: Sequence[Any]) -> Row:
	"""A row to be remembered: of the text that all of them have, memory holds one."""
	values = list(values)
	values[_STATUS] = STATUSES.get(values[_STATUS], values[_STATUS])
	return Row._make(values)


JSON_COLUMNS = frozenset({"context", "flows"})

# Columns that only make sense together: two writers that change any of a group differently are in conflict.
GROUPS = (
	(
		"authenticated",
		"auth_method",
		"authenticated_at",
		"auth_expires_at",
		"identity_hash",
		"user_profile",
		"locked_intent",
		"pending_intent",
		"pending_message",
	),
	("active_agent", "agent_locked_at", "agent_lock_expires_at", "agent_fence"),
	("current_state", "previous_state"),
	("user", "party_type", "party"),
	("token_hash", "old_token_hash", "old_token_until", "old_token_key"),
)
GROUP_OF = {column: group for group in GROUPS for column in group}

Changes = Mapping[str, Any]


def entry(row: Row) -> str:
	"""What the register says while this row is the last one committed."""
	return f"{row.version}:{row.revision}"


def decode(text: str | None) -> dict:
	return json.loads(text) if text else {}


def encode(value: dict) -> str | None:
	return json.dumps(value, ensure_ascii=False, separators=(",", ":")) if value else None


def same_json(one: Any, other: Any) -> bool:
	"""Whether two values are the same in JSON, where true is not 1."""
	return one == other and json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def merge(base: Row, changes: Changes, current: Row) -> dict[str, Any]:
	"""What is to be written on `current` so that both its changes since `base` and `changes` hold.

	JSON columns merge by top-level key, groups as a whole, other columns one by one. Raises SessionConflict,
	naming the field, where both sides changed the same thing differently.
	"""
	merged: dict[str, Any] = {}
	for column, mine in changes.items():
		if column in JSON_COLUMNS:
			merged[column] = _merge_json(base, column, mine, current)
		elif _moved(base, current, column) and _differs(changes, current, column):
			raise SessionConflict.on(base.name, column)
		else:
			merged[column] = mine
	return merged


def _moved(base: Row, current: Row, column: str) -> bool:
	group = GROUP_OF.get(column, (column,))
	return any(getattr(base, other) != getattr(current, other) for other in group)


def _differs(changes: Changes, current: Row, column: str) -> bool:
	group = GROUP_OF.get(column, (column,))
	return any(other in changes and changes[other] != getattr(current, other) for other in group)


def _merge_json(base: Row, column: str, changed: str | None, current: Row) -> str | None:
	before, after, theirs = decode(getattr(base, column)), decode(changed), decode(getattr(current, column))
	merged = dict(theirs)
	for key in before.keys() | after.keys():
		mine, was, now = after.get(key), before.get(key), theirs.get(key)
		if same_json(mine, was) and (key in before) == (key in after):
			continue  # we did not touch it
		if not (same_json(now, was) or same_json(now, mine)):
			raise SessionConflict.on(base.name, f"{column}.{key}")
		if key in after:
			merged[key] = mine
		else:
			merged.pop(key, None)
	return encode(merged)
