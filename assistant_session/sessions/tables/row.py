"""The stored form of a session: which columns there are, what belongs together, and how two writers merge.

A `Row` holds the values as the database gives them; JSON stays text. Rows are immutable, so that the same one
can sit in worker memory and in any number of Sessions.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from ... import json_texts


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

Changes = Mapping[str, Any]


def entry(row: Row) -> str:
	"""What the register says while this row is the last one committed."""
	return f"{row.version}:{row.revision}"


def decode(text: str | None) -> dict:
	return json_texts.loads(text) if text else {}


def encode(value: dict) -> str | None:
	return json.dumps(value, ensure_ascii=False, separators=(",", ":")) if value else None


def same_json(one: Any, other: Any) -> bool:
	"""Whether two values are the same in JSON, where true is not 1."""
	return one == other and json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
