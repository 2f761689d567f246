"""What a client is told of a session: enough to redraw the page, nothing it may not have."""

from dataclasses import asdict
from datetime import datetime
from math import ceil
from typing import Any

from .. import sessions
from ..authentication import Outcome
from ..sessions import ConsistencyReport, LegalHold, Session, Turn, config
from ..sessions.tables import turns
from ..sessions.tables.row import Row
from .endpoint import moment

FIRST_PAGE = 50


def session(found: Session) -> dict[str, Any]:
	return {
		"session_id": found.id,
		"origin": found.origin,
		"channel": found.channel,
		"status": found.status,
		"state": found.current_state,
		"authenticated": found.authenticated,
		"pending_question": found.pending_intent,
		"agent": found.active_agent,
		"should_greet": found.should_greet,
		"turns": found.turn_count,
		"expires_at": moment(found.expires_at),
	}


def verification(outcome: Outcome) -> dict[str, Any]:
	"""What became of credentials: verified, missing, not_matched, unavailable, locked, help, cancelled, nothing_asked."""
	return {
		"outcome": outcome.kind,
		"missing": list(outcome.missing),
		"returning": outcome.returning,
		"locked_until": moment(outcome.locked_until),
	}


def reconnect(found: Session) -> dict[str, Any]:
	"""Everything to redraw a conversation, the last page of its history included. Of a flow the page is told where it
	is, and of its data what the bot said is public."""
	flows = {
		flow.name: {
			"step": flow.step,
			"data": {key: flow.data[key] for key in flow.public if key in flow.data},
		}
		for flow in found.live_flows()
	}
	return {**session(found), "flows": flows, **history(found.row, limit=FIRST_PAGE)}


def history(
	row: Row, *, before: int | None = None, after: int | None = None, limit: int = FIRST_PAGE
) -> dict[str, Any]:
	"""A page of what was said, and whether there is more before it. Without the notes of bots and staff, and without the
	turns before somebody else was verified in the same session."""
	page = sessions.history(row.name, before=before, after=after, limit=limit)
	shown = [one for one in page if one.role != turns.SYSTEM]
	while page and not shown:  # nothing but notes: the page goes on beyond them
		before = page[0].sequence if after is None else before
		after = after if after is None else page[-1].sequence
		page = sessions.history(row.name, before=before, after=after, limit=limit)
		shown = [one for one in page if one.role != turns.SYSTEM]
	first = max(row.hidden_turns, row.purged_turns) + 1
	return {"history": [turn(one) for one in shown], "has_more": bool(page) and page[0].sequence > first}


def report(seen: dict[str, Any], compared: ConsistencyReport) -> dict[str, Any]:
	"""What staff see of a session: no secret, no message, no profile."""
	times = {name: moment(value) for name, value in seen.items() if isinstance(value, datetime)}
	return {**seen, **times, **compared.as_dict()}


def legal_hold(found: LegalHold) -> dict[str, Any]:
	return {**asdict(found), "since": moment(found.since)}


def tried(said: dict[str, Any]) -> dict[str, Any]:
	"""What an administrator is told of a check they tried; when they are locked out, until when and for how many minutes."""
	if "locked_until" not in said:
		return said
	until = said["locked_until"]
	minutes = max(ceil((until - config.now()).total_seconds() / 60), 1)
	return {**said, "locked_until": moment(until), "minutes": minutes}


def turn(one: Turn) -> dict[str, Any]:
	return {
		"sequence": one.sequence,
		"role": one.role,
		"content": one.content,
		"intent": one.intent,
		"state": one.state,
		"reply_to": one.reply_to,
		"metadata": one.metadata if one.role == turns.ASSISTANT else {},
		"creation": moment(one.creation),
	}
