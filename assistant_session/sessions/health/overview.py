"""One session at a glance, for an operator: where it stands, and what a reconnect would do. Nothing secret."""

from typing import Any

from .. import bounds
from ..coherence import reading
from ..errors import SessionNotFound
from ..session import Session


def inspect(session_id: str) -> dict[str, Any]:
	"""What is known of a session; `exists` is False, and little else there, if it is unknown."""
	name = bounds.session_id(session_id)
	try:
		row, origin = reading.look_up(name)
	except SessionNotFound:
		return {"session_id": name, "exists": False, "reconnect": "404: opens a new session"}
	session = Session(row, origin)
	return {
		"session_id": name, "exists": True, "channel": row.channel, "user": row.user, "status": row.status,
		"state": row.current_state, "authenticated": session.authenticated, "agent": session.active_agent,
		"opened": row.creation, "last_activity": row.last_activity, "expires_at": row.expires_at,
		"turns": row.turn_count, "context": _context(session), "flows": _flows(session),
		"version": row.version, "restored": row.restored_count, "reconnect": _reconnect(session),
	}  # fmt: skip


def line(found: dict[str, Any]) -> str:
	"""The same on one line."""
	if not found["exists"]:
		return f"{found['session_id']}: unknown · reconnect → {found['reconnect']}"
	parts = [
		found["status"], f"{found['channel']}, user {found['user'] or 'guest'}", f"state {found['state'] or '-'}",
		f"opened {found['opened']:%Y-%m-%d %H:%M:%S}", f"last {found['last_activity']:%Y-%m-%d %H:%M:%S}",
		f"until {found['expires_at']:%Y-%m-%d %H:%M:%S}", f"{found['turns']} turns",
		f"context: {', '.join(found['context']) or 'none'}",
		f"flows: {', '.join(f'{name} ({step})' for name, step in found['flows'].items()) or 'none'}",
		f"agent: {found['agent'] or 'none'}", "authenticated" if found["authenticated"] else "not authenticated",
		f"reconnect → {found['reconnect']}",
	]  # fmt: skip
	return f"{found['session_id']}: " + " · ".join(parts)


BROKEN = "(broken)"


def _context(session: Session) -> list[str]:
	try:
		return sorted(session.context)
	except (TypeError, ValueError):
		return [BROKEN]


def _flows(session: Session) -> dict[str, str]:
	try:
		return {name: flow["step"] for name, flow in session.flows.items()}
	except (AttributeError, KeyError, TypeError, ValueError):
		return {BROKEN: "?"}


def _reconnect(session: Session) -> str:
	if session.closed:
		return "410: closed"
	if session.expired:
		return "410: expired"
	greeting = "greets" if session.should_greet else "no greeting"
	return f"restored in state {session.current_state or '-'}, {session.turn_count} messages, {greeting}"
