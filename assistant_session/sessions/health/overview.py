"""What an operator sees: one session at a glance, and how many there are of all. Nothing secret.

The numbers are counted in the database, so they survive every restart.
"""

from typing import Any

import frappe
from pypika.functions import Count, Sum

from .. import bounds
from ..coherence import reading
from ..errors import SessionNotFound
from ..session import Session
from ..tables import events, session_rows
from ..tables.statements import ask, table

BROKEN = "(broken)"


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


def counts() -> dict[str, int]:
	"""Sessions created (in all), active, closed, expired; restorations; flows completed."""
	sessions = table(session_rows.DOCTYPE)
	query = frappe.qb.from_(sessions).select(sessions.status, Count("*")).groupby(sessions.status)
	by_status = dict(ask(query))
	restored = ask(frappe.qb.from_(sessions).select(Sum(sessions.restored_count)))[0][0]
	return {
		"created": sum(by_status.values()),
		"active": by_status.get("Active", 0),
		"closed": by_status.get("Closed", 0),
		"expired": by_status.get("Expired", 0),
		"restored": int(restored or 0),
		"flows_completed": events.count_of("flow_completed"),
	}
