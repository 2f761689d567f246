"""Seals: keyed digests of a session's row and of each turn, which nobody makes who has the database alone.

A row's seal covers its version and revision, count and head of its audit trail, and whatever decides who may have the
session and who the person is (`SEALED`): no older pair of count and head fits, and no authentication that was not
written here. A turn's seal covers all that was stored of it.

A write does not launder: where the row it goes on from does not fit its seal, the new version gets none, until somebody
seals it on purpose (`recovery`). A row that is put back whole to an earlier moment, with its turns and events, fits:
inside one database nothing tells it from what it once was. See `maintenance.anchor` for that.
"""

import json
from collections.abc import Sequence
from typing import Any

import frappe

from ..secrets import keys
from .row import Row

SEALED = (
	"name", "creation", "version", "revision", "status", "channel", "external_id", "device_id", "active_key",
	"user", "party_type", "party", "token_hash", "old_token_hash", "old_token_until", "old_token_key",
	"last_activity", "expires_at", "legal_hold",
	"authenticated", "auth_method", "authenticated_at", "auth_expires_at", "identity_hash", "user_profile",
	"locked_intent", "turn_count", "hidden_turns", "purged_turns",
	"event_count", "event_head", "purged_events", "event_base",
)  # fmt: skip
# What a controller keeps its own work in, and what only says when something is tidied up.
UNSEALED = (
	"ttl", "closed_at", "close_reason", "pending_intent", "pending_message", "active_agent", "agent_locked_at",
	"agent_lock_expires_at", "agent_fence", "current_state", "previous_state", "context", "flows",
	"restored_count", "seal",
)  # fmt: skip
LOOKED_AT = "assistant_session_fitting"  # the one row this request, or job, looked at last
NONE, OTHER, KEY_GONE = "has none", "does not fit", "its key is not in site_config.json"

_text = json.JSONEncoder(default=str, separators=(",", ":")).encode
_places = tuple(Row._fields.index(column) for column in SEALED)


def sealed(row: Row) -> Row:
	"""The same row with its seal. Raises KeyMissing."""
	whole = row._replace(seal=_of_row(row))
	_remember(whole, True)
	return whole


def carried(base: Row, after: Row, *, sealed_anew: bool | None = None) -> Row:
	"""`after`, a write on `base`: with its seal if `base` fits (or, where it was decided upon, `sealed_anew`), else
	without one. Raises KeyMissing."""
	trusted = fits(base) if sealed_anew is None else sealed_anew
	whole = sealed(after)
	if trusted:
		return whole
	frappe.logger("assistant_session").error(f"{base.name}: its seal {problem(base)}, see the doctor")
	return after._replace(seal=None)


def fits(row: Row) -> bool:
	"""Whether nobody but this app changed the row; False without a key. Looks at the same row once."""
	seen, keys_then, answer = getattr(frappe.local, LOOKED_AT, (None, None, False))
	if seen is row and keys_then is _keys():
		return answer
	answer = problem(row) is None
	_remember(row, answer)
	return answer


def is_altered(row: Row) -> bool:
	"""Whether somebody else changed the row. Raises KeyMissing: without a key nobody can tell."""
	if fits(row):
		return False
	keys.digest(keys.SEAL, "")
	return True


def problem(row: Row) -> str | None:
	"""Why the row's seal does not fit, None if it does."""
	return _problem(row.seal, lambda key_id: _of_row(row, key_id=key_id))


def of_turn(values: Sequence[Any]) -> str:
	"""The seal of a turn with these stored `values`, in the order of `turns.SEALED`. Raises KeyMissing."""
	return _of_turn(values)


def problem_of_turn(values: Sequence[Any], seal: str | None) -> str | None:
	"""Why the turn's seal does not fit, None if it does."""
	return _problem(seal, lambda key_id: _of_turn(values, key_id=key_id))


def _problem(seal: str | None, again) -> str | None:
	if not seal:
		return NONE
	try:
		return None if again(seal.partition(":")[0] or None) == seal else OTHER
	except keys.KeyMissing:
		return KEY_GONE


def _of_row(row: Row, *, key_id: str | None = None) -> str:
	return keys.digest(keys.SEAL, "row", _text([row[place] for place in _places]), key_id=key_id)


def _of_turn(values: Sequence[Any], *, key_id: str | None = None) -> str:
	return keys.digest(keys.SEAL, "turn", _text(list(values)), key_id=key_id)


def _keys() -> Any:
	return frappe.local.conf.get(keys.CONFIG)


def _remember(row: Row, answer: bool) -> None:
	setattr(frappe.local, LOOKED_AT, (row, _keys(), answer))
