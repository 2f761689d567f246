"""How two writers of one session meet: what both changed is put together, or one of them is told SessionConflict."""

from typing import Any

from ..errors import SessionConflict
from .row import JSON_COLUMNS, Changes, Row, decode, encode, same_json

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
