"""The public Python API: `from assistant_session import sessions`.

Everything a controller needs to keep a conversation. Calls take and return plain values and snapshots; a
`Session` belongs to whoever holds it. Inside a request or job these calls take part in the caller's database
transaction and never commit it; only what was committed is ever seen by others. Errors: `sessions.errors`.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from . import bounds, config
from .coherence import reading, writing
from .coherence.ledger import ledger
from .coherence.writing import Write
from .errors import (
	FlowIsNewer,
	FlowNotMigrated,
	InvalidSessionData,
	SessionAltered,
	SessionBusy,
	SessionClosed,
	SessionConflict,
	SessionError,
	SessionExpired,
	SessionNotFound,
	SessionStoreUnavailable,
	VerificationLocked,
)
from .flows import Flow
from .health.overview import counts
from .health.repair import ConsistencyReport, RecoveryReport, ensure_consistency, recover, report
from .operations import expiry, opening
from .operations.agents import DeviceLock, Grant, active_agent, lock_agent, release_agent
from .operations.devices import clear_session_lock, get_session_lock, set_session_lock
from .operations.identity import authenticate, deauthenticate, revoke
from .operations.legal_hold import LegalHold, lift_legal_hold, set_legal_hold
from .operations.turn_block import TurnBlock, TurnInProgress
from .secrets import masking
from .session import Session
from .tables import turns
from .tables.events import Event
from .tables.row import Row
from .tables.turns import Turn

__all__ = [
	"ConsistencyReport", "DeviceLock", "Flow", "FlowIsNewer", "FlowNotMigrated", "Grant", "InvalidSessionData",
	"LegalHold", "RecoveryReport", "Session", "SessionAltered", "SessionBusy", "SessionClosed", "SessionConflict", "SessionError",
	"SessionExpired", "SessionNotFound", "SessionStoreUnavailable", "Turn", "TurnInProgress", "VerificationLocked", "active_agent", "add_turn",
	"authenticate", "cleanup_expired", "cleanup_expired_sessions", "clear_context", "clear_flow",
	"clear_session_lock", "close", "counts", "deauthenticate", "ensure_consistency", "get", "get_flow",
	"get_session_lock", "history", "lift_legal_hold", "lock_agent", "lock_intent", "open", "recover",
	"release_agent", "release_intent", "report", "revoke", "set_flow", "set_legal_hold", "set_session_lock",
	"transition", "turn", "update",
]  # fmt: skip

turn = TurnBlock

UPDATABLE = frozenset(
	{"context", "flows", "current_state", "state", "locked_intent", "pending_intent", "pending_message"}
)

Change = Mapping[str, Any] | Callable[[Session], Any]


def open(
	session_id: str | None = None,
	*,
	channel: str = "Web",
	external_id: str | None = None,
	device_id: str | None = None,
	user: str | None = None,
	party: tuple[str, str] | None = None,
	ttl: int | None = None,
	state: str | None = None,
) -> Session:
	"""Restore a session or create one; `.origin` of the result says which ("created", "memory", "database").

	By `session_id`: an active one is restored, an unknown one created under that id (an HTTP guest may not),
	an expired or closed one raises SessionExpired or SessionClosed, unless a person or device is named too:
	then a new session is opened and takes over their key. By person (`channel` and `external_id`) or `device_id`
	(a UUID): their one active session, or a new one. Such a key never opens an authenticated session, unless
	Settings say that the channel's provider verifies its senders; a fresh session without the key is opened
	instead. `ttl` in seconds, `party` as (DocType, name), `state` for a new session.

	Raises SessionNotFound (the session belongs to another `user`), SessionExpired, SessionClosed,
	InvalidSessionData, SessionConflict, SessionBusy, SessionStoreUnavailable.
	"""
	return opening.open_session(
		opening.wanted(session_id, channel, external_id, device_id, user, party, ttl, state)
	)


def get(session_id: str, *, max_age: float = 0) -> Session:
	"""The session as last committed by anybody. Costs one Redis GET, nothing the second time in a request.

	`max_age` (seconds) accepts worker memory that was confirmed so lately without asking. While the database is
	away a remembered session is returned with `.stale` set. Raises SessionNotFound, SessionExpired,
	SessionClosed, InvalidSessionData, SessionStoreUnavailable.
	"""
	return opening.find(bounds.session_id(session_id), max_age=max_age)


def update(session_id: str, change: Change, *, grant: Grant | None = None) -> Session:
	"""Change a session: `change` maps fields to new values, or is a function that is given a Session to change.

	Fields: context, flows, current_state, locked_intent, pending_intent, pending_message. If somebody else writes
	at the same moment a function is applied again to the newer row; the values of a mapping are merged by
	field (context and flows by key), and SessionConflict names a field both changed. With `grant` the
	write is refused (SessionConflict) once another agent holds the lock.
	"""
	name = bounds.session_id(session_id)
	function = change if callable(change) else None
	apply = change if callable(change) else _assignment(change)

	def decide(row: Row) -> Write:
		session = Session(row, "database")
		apply(session)
		changes = session.changes()
		if "current_state" in changes:
			state = {"from": row.current_state, "to": changes["current_state"]}
			session.happened.append(Event("state_changed", state))
		return Write(changes, events=session.happened)

	row, _origin = reading.read(name)
	fence = grant.fence if grant else None
	result = writing.save(row, decide(row), decide=decide if function else None, fence=fence)
	return Session(result.row, _origin)


def transition(
	session_id: str, state: str, *, expected: str | None = None, grant: Grant | None = None
) -> Session:
	"""Move the session to `state`; with `expected`, only from there (else SessionConflict on current_state)."""
	bounds.label(state, "state")
	bounds.optional_label(expected, "expected")

	def move(session: Session) -> None:
		if expected is not None and session.current_state != expected:
			raise SessionConflict.on(session.id, "current_state")
		session.transition(state)

	return update(session_id, move, grant=grant)


def clear_context(session_id: str, *, state: str | None = None, keep: tuple[str, ...] = ()) -> Session:
	"""Drop context and flows (but for the context keys in `keep`), and move to `state`, in one write."""
	bounds.optional_label(state, "state")
	name = bounds.session_id(session_id)

	def decide(row: Row) -> Write:
		session = Session(row, "database")
		session.clear_context(state=state, keep=tuple(keep))
		return Write(session.changes(), events=[Event("context_cleared", {"state": state})])

	row, origin = reading.read(name)
	return Session(writing.save(row, decide(row), decide=decide).row, origin)


def set_flow(
	session_id: str,
	flow: str,
	step: str,
	data: dict[str, Any] | None = None,
	*,
	version: int | None = None,
	ttl: int | None = None,
	public: Iterable[str] | None = None,
) -> Session:
	"""Start a flow, or move it to `step`; `data` is added to what it holds. `ttl` (seconds) from now on.

	What older code stored is migrated first, to the version registered for the flow (see `versions`) or given here;
	without either it stays in its own. Raises FlowNotMigrated, or FlowIsNewer where newer code stored it; nothing is
	changed then.
	A page is told which flows there are and at which step, and of their data what is named in `public`: keys of `data`,
	for this and later calls.
	"""
	return update(
		session_id,
		lambda session: session.set_flow(flow, step, data, version=version, ttl=ttl, public=public),
	)


def get_flow(session_id: str, flow: str, *, version: int | None = None) -> Flow | None:
	"""The flow in the version registered for it, or in `version`; nothing is stored. `.outdated` if it is as some other
	code stored it: newer code, or older and no migration is registered. Raises FlowNotMigrated if one fails."""
	return get(session_id).get_flow(flow, version=version)


def clear_flow(session_id: str, flow: str, *, completed: bool = False) -> bool:
	"""End a flow; `completed` counts it as done. Says whether there was one."""
	found = False

	def clear(session: Session) -> None:
		nonlocal found
		found = session.clear_flow(flow, completed=completed)

	update(session_id, clear)
	return found


def lock_intent(session_id: str, intent: str) -> Session:
	"""Serve the authenticated person for `intent` until they change it. An event says what it was before."""
	intent = bounds.label(intent, "intent")
	return update(session_id, lambda session: session.lock_intent(intent))


def release_intent(session_id: str) -> Session:
	"""Serve no particular intent any more."""
	return update(session_id, lambda session: session.lock_intent(None))


def add_turn(
	session_id: str,
	role: str,
	content: str,
	*,
	intent: str | None = None,
	message_id: str | None = None,
	metadata: dict[str, Any] | None = None,
) -> Turn:
	"""Store one message of `user`, `assistant` or `system`; a `message_id` stored before returns that turn.

	For a message that is answered use `turn`: it keeps question and answer together.
	"""
	if role not in turns.ROLES:
		raise InvalidSessionData("role: user, assistant or system is needed.")
	with TurnBlock(session_id, content, message_id=message_id, intent=intent, metadata=metadata) as block:
		block.role = role
	return block.stored[0]


def history(
	session_id: str, *, before: int | None = None, after: int | None = None, limit: int = 50
) -> list[Turn]:
	"""At most `limit` turns in order: the last ones, those before sequence `before`, or those after `after`.

	Costs the same however long the conversation is. Also for closed sessions. Turns from before somebody else was
	verified in the session are another person's, and not given. Raises SessionNotFound.
	"""
	name = bounds.session_id(session_id)
	bounds.number(limit, "limit", 1, config.settings().history_page)
	for value, text in ((before, "before"), (after, "after")):
		if value is not None:
			bounds.number(value, text, 0, 2**31)
	row, _origin = reading.read(name)
	last = min(row.turn_count, (before - 1) if before is not None else row.turn_count)
	hold = ledger().in_block(name)
	old = not hold.fresh if hold else reading.snapshot_may_be_old()
	beside = old and name not in ledger().written
	running = ledger().turn_of(name)
	gone = max(row.purged_turns, row.hidden_turns, running.session.hidden_turns if running else 0)
	if after is not None:
		after = max(after, gone)
		return turns.between(name, after + 1, min(after + limit, last), beside=beside)
	return turns.between(name, max(last - limit, gone) + 1, last, beside=beside)


def close(session_id: str, reason: str) -> None:
	"""End a session for good: it keeps its turns and events and gives up key, locks and authentication."""
	opening.end(bounds.session_id(session_id), masking.reason(reason))


def cleanup_expired() -> int:
	"""Mark sessions past their time as expired, one bounded batch; returns how many."""
	return expiry.expire_sessions()


def cleanup_expired_sessions() -> int:
	"""Take away agent locks past their time, one bounded batch; returns how many."""
	return expiry.expire_agent_locks()


def _assignment(change: Mapping[str, Any]) -> Callable[[Session], None]:
	if not isinstance(change, Mapping):
		raise InvalidSessionData("change: an object of fields, or a function, is needed.")
	if unknown := [field for field in change if field not in UPDATABLE]:
		names = ", ".join(sorted(UPDATABLE))
		raise InvalidSessionData(
			f"change: only these fields can be changed: {names} ({len(unknown)} others given)."
		)

	def assign(session: Session) -> None:
		for field, value in change.items():
			if field in ("current_state", "state") and value is not None:
				session.transition(value)
			else:
				setattr(session, field, value)

	return assign
