"""Ending a session: it keeps its turns and events, and gives up key, token, locks and authentication."""

from .. import bounds, config, tokens
from ..coherence import writing
from ..coherence.writing import ALSO_ENDED, MUST_HAPPEN, Write
from ..secrets import masking
from ..session import ACTIVE, CLOSED, EXPIRED
from ..tables.audit_chain import Event
from ..tables.row import Row

ENDS_EMPTY = (
	"active_key", "auth_expires_at", "user_profile", "pending_intent", "pending_message",
	"active_agent", "agent_locked_at", "agent_lock_expires_at", *tokens.REPLACED,
)  # fmt: skip


def close(session_id: str, reason: str) -> None:
	"""End a session for good: it keeps its turns and events and gives up key, locks and authentication. Nothing happens
	to one that is closed."""
	name, reason = bounds.session_id(session_id), masking.reason(reason)

	def decide(row: Row) -> Write:
		if row.status == CLOSED:
			return Write(kind=ALSO_ENDED)
		return ending(row, reason, CLOSED)

	writing.change(name, decide)


def expire(name: str) -> bool:
	"""End a session if its time is over; says whether it was."""

	def decide(row: Row) -> Write:
		if row.status == ACTIVE and row.expires_at <= config.now():
			return ending(row, "time", EXPIRED)
		return Write(kind=ALSO_ENDED)

	return writing.change(name, decide).written


def ending(row: Row, reason: str, status: str) -> Write:
	"""The write that ends a session."""
	changes = dict.fromkeys(ENDS_EMPTY)
	changes.update(status=status, closed_at=config.now(), close_reason=reason, authenticated=0)
	event = Event("closed" if status == CLOSED else "expired", {"reason": reason})
	return Write(changes, events=[event], kind=MUST_HAPPEN)
