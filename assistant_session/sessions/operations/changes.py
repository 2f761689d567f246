"""Changing a session outside of a turn: state, context, flows, intent. One write each."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from frappe import _

from .. import bounds
from ..coherence import reading, writing
from ..errors import InvalidSessionData, SessionConflict
from ..flows import Flow
from ..session import Session, changing
from ..tables.events import Event
from . import finding
from .agents import Grant

UPDATABLE = frozenset(
	{"context", "flows", "current_state", "state", "locked_intent", "pending_intent", "pending_message"}
)

Change = Mapping[str, Any] | Callable[[Session], Any]


def update(session_id: str, change: Change, *, grant: Grant | None = None) -> Session:
	"""Change a session: `change` maps fields to new values, or is a function that is given a Session to change.

	Fields: context, flows, current_state, locked_intent, pending_intent, pending_message. If somebody else writes
	at the same moment a function is applied again to the newer row; the values of a mapping are merged by
	field (context and flows by key), and SessionConflict names a field both changed. With `grant` the
	write is refused (SessionConflict) once another agent holds the lock.
	"""
	name = bounds.session_id(session_id)
	apply = change if callable(change) else _assignment(change)

	decide = changing(lambda session: _told(session, apply))
	row, origin = reading.read(name)
	fence = grant.fence if grant else None
	result = writing.save(row, decide(row), decide=decide if callable(change) else None, fence=fence)
	return Session(result.row, origin)


def _told(session: Session, apply: Callable[[Session], object]) -> None:
	"""Change it; a new state is told to the audit trail."""
	apply(session)
	before, after = session.row.current_state, session.current_state
	if before != after:
		session.happened.append(Event("state_changed", {"from": before, "to": after}))


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

	def clear(session: Session) -> None:
		session.clear_context(state=state, keep=tuple(keep))
		session.happened.append(Event("context_cleared", {"state": state}))

	decide = changing(clear)
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

	What older code stored is migrated first, to the version registered for the flow (see `flow_versions`) or given here;
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
	return finding.get(session_id).get_flow(flow, version=version)


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


def _assignment(change: Mapping[str, Any]) -> Callable[[Session], None]:
	if not isinstance(change, Mapping):
		raise InvalidSessionData(_("change: an object of fields, or a function, is needed."))
	if unknown := [field for field in change if field not in UPDATABLE]:
		names = ", ".join(sorted(UPDATABLE))
		raise InvalidSessionData(
			_("change: only these fields can be changed: {0} ({1} others given).").format(names, len(unknown))
		)

	def assign(session: Session) -> None:
		for field, value in change.items():
			if field in ("current_state", "state") and value is not None:
				session.transition(value)
			else:
				setattr(session, field, value)

	return assign
