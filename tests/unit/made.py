"""Rows as they would be stored, made by hand."""

from datetime import datetime, timedelta

from assistant_session.sessions.tables.row import Row

NOON = datetime(2026, 1, 1, 12)


def row(**values) -> Row:
	"""An active session of a minute ago; `values` are other columns."""
	columns: dict = dict.fromkeys(Row._fields)
	counted = ("legal_hold", "authenticated", "agent_fence", "turn_count", "restored_count", "event_count")
	columns.update(dict.fromkeys((*counted, "hidden_turns", "purged_turns", "purged_events"), 0))
	columns.update(
		name="one", channel="Web", status="Active", ttl=86400, version=1, revision="aaaa", creation=NOON,
		last_activity=NOON, expires_at=NOON + timedelta(days=1),
	)  # fmt: skip
	return Row(**{**columns, **values})


def row_with(column: str, value) -> Row:
	return row(**{column: value})
