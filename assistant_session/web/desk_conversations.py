"""What staff read of a conversation and do to it, in Desk. Who may is asked in `api.py`."""

from datetime import datetime
from typing import Any

import frappe

from .. import permissions, sessions
from ..authentication import lockout
from ..sessions import Session, bounds
from ..sessions.coherence import reading
from ..sessions.operations import agents, finding
from ..sessions.tables import events, turns
from ..sessions.tables.row import Row
from . import views
from .endpoint import moment

PAGE = 50  # messages
MOST_EVENTS = 4 * PAGE
MOST_FOUND = 50


def conversation(session_id: str | None, before: int | None, after: int | None) -> dict[str, Any]:
	"""A page of everything that was said, oldest first, with what happened between; notes, and what was said before
	somebody else was verified, as well. For whoever may read the audit trail its events stand in their place."""
	name = bounds.session_id(session_id)
	row, origin = reading.read(name)
	first, last = _range(row, before, after)
	page = turns.between(name, first, last)
	return {
		**_head(Session(row, origin)),
		"turns": [views.turn(one) for one in page],
		"events": _events(row, first, last) if _reads_the_trail() else [],
		"has_more": first > row.purged_turns + 1,
	}


def found(text: str | None) -> dict[str, list[str]]:
	"""Names of the conversations of somebody, the latest first: by a phone number in any spelling, an e-mail address, the
	name of a party or user as lists show it, or a session id."""
	return {"found": finding.names_of(bounds.key(text, "text"), MOST_FOUND)}


def _range(row: Row, before: int | None, after: int | None) -> tuple[int, int]:
	"""The first and last sequence of a page."""
	if after is not None:
		first = bounds.number(after, "after", 0, 2**31) + 1
		return max(first, row.purged_turns + 1), min(first + PAGE - 1, row.turn_count)
	last = row.turn_count
	if before is not None:
		last = min(last, bounds.number(before, "before", 0, 2**31) - 1)
	return max(last - PAGE, row.purged_turns) + 1, last


def _head(found: Session) -> dict[str, Any]:
	return {
		"session_id": found.id,
		"status": _status(found),
		"turn_count": found.turn_count,
		"version": found.version,
		"state": found.current_state,
		"agent": found.active_agent,
		"verified": _verified(found),
		"locked_until": moment(lockout.session_locked_until(found.id)),
		"purged": found.purged_turns,
	}


def _status(found: Session) -> str:
	return "Expired" if found.expired else found.status


def _verified(found: Session) -> dict[str, Any] | None:
	if not found.authenticated:
		return None
	return {
		"method": found.auth_method,
		"at": moment(found.authenticated_at),
		"until": moment(found.auth_expires_at),
		"intent": found.locked_intent,
	}


def _reads_the_trail() -> bool:
	return permissions.may_read(permissions.EVENT, frappe.session.user)


def _events(row: Row, first: int, last: int) -> list[dict[str, Any]]:
	"""What happened from the message before the page until the one after it, so that between two pages nothing is lost."""
	around = turns.between(row.name, first - 1, last + 1)
	since = around[0].creation if around and around[0].sequence < first else None
	until = around[-1].creation if around and around[-1].sequence > last else None
	return [_event(*values) for values in events.within(row.name, since, until, MOST_EVENTS)]


def _event(sequence: int, event: str, actor: str, details: str, creation: datetime) -> dict[str, Any]:
	return {
		"sequence": sequence,
		"event": event,
		"actor": actor,
		"details": details,
		"creation": moment(creation),
	}


def closed(session_id: str | None, reason: str | None) -> dict[str, Any]:
	name = bounds.session_id(session_id)
	sessions.close(name, bounds.label(reason, "reason"))
	return _after(name)


def deauthenticated(session_id: str | None) -> dict[str, Any]:
	return _head(sessions.deauthenticate(bounds.session_id(session_id), "ended by staff"))


def released(session_id: str | None) -> dict[str, Any]:
	name = bounds.session_id(session_id)
	agents.release(name, "released by staff")
	return _after(name)


def linked(session_id: str | None, party_type: str | None, party: str | None) -> dict[str, Any]:
	pair = (party_type or "", party or "") if party_type or party else None
	return _head(sessions.link_party(bounds.session_id(session_id), pair))


def _after(name: str) -> dict[str, Any]:
	row, origin = reading.read(name)
	return _head(Session(row, origin))
