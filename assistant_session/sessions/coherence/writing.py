"""Writing a session: mark, compare-and-set, merge if somebody was faster, turns and events in the same go.

Inside the caller's transaction this never commits. If the database throws the whole transaction away
(deadlock, snapshot too old), it is repeated when it held nothing but this write; otherwise the caller gets a
SessionConflict, because work of theirs is gone as well.
"""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

import frappe

from ... import database, database_errors
from ...counters import Counts, counters
from .. import config
from ..errors import SessionClosed, SessionConflict, SessionExpired, SessionNotFound
from ..tables import audit_chain, events, listing, proof, seals, session_rows, turns
from ..tables.audit_chain import Event
from ..tables.merging import merge
from ..tables.row import Changes, Row
from ..tables.turns import Draft, Turn
from ..vantage import COMMITTED, LOCKED
from . import figures, repeating
from .ledger import ledger

Decide = Callable[[Row], "Write"]


class Kind(Enum):
	"""On which sessions a write is allowed."""

	ORDINARY = "active ones"
	ALSO_ENDED = "closed and expired ones too"
	MUST_HAPPEN = "those too, and without its events if the audit trail has no place for them"


ORDINARY, ALSO_ENDED, MUST_HAPPEN = Kind.ORDINARY, Kind.ALSO_ENDED, Kind.MUST_HAPPEN


@dataclass
class Write:
	"""What is to happen to a session: changed columns, new turns, new events."""

	changes: Changes = field(default_factory=dict)
	turns: list[Draft] = field(default_factory=list)
	events: list[Event] = field(default_factory=list)
	touch: bool = False  # counts as activity: the session lives longer
	kind: Kind = ORDINARY
	seal_anew: bool = False  # also where the row does not fit its seal: somebody decided to mend that
	asked_at: float | None = None  # when this turn was asked for (time.monotonic)

	@property
	def is_empty(self) -> bool:
		return not (self.changes or self.turns or self.events or self.touch)


@dataclass
class Result:
	row: Row
	turns: list[Turn]
	written: bool = True


def save(
	base: Row,
	write: Write,
	*,
	decide: Decide | None = None,
	fence: int | None = None,
	mark_is_safe: bool = False,
) -> Result:
	"""Store `write`, which was decided on `base`.

	If the row has moved on: with `decide`, that function decides again on the row as it is; without, the changes
	of both sides are merged. `fence` refuses the write unless it is the current one. `mark_is_safe` says that the
	trip that put the mark also confirmed `base`.

	Raises SessionNotFound, SessionExpired, SessionClosed, SessionConflict, SessionBusy, SessionStoreUnavailable.
	"""
	if write.is_empty:
		require_live(base, write)
		return Result(base, [])
	return repeating.repeated(
		base.name, lambda first: _save(base, write, decide, fence, mark_is_safe and first)
	)


def change(name: str, decide: Decide, *, fence: int | None = None) -> Result:
	"""Lock the row as it is now, decide on it, write. For changes that are rare or must not be merged.

	Raises what `save` raises.
	"""
	return repeating.repeated(name, lambda _first: _change(name, decide, fence))


def write_locked(writes: list[tuple[Row, Write]]) -> int:
	"""Store a batch of writes on rows that this transaction has locked as they are; returns how many. One that cannot
	be stored is left as it is, and logged."""
	here, stored = ledger(), 0
	here.mark_all([row.name for row, _write in writes])
	for row, write in writes:
		try:
			result = _attempt(row, write, None)
		except SessionConflict:
			result = None
		if result is None:
			frappe.logger("assistant_session").error(f"{row.name} cannot be written: see the doctor")
			here.unmark_unwritten(row.name)
			continue
		here.wrote(row.name, result.row)
		stored += 1
	return stored


class AlreadyStored(Exception):
	"""Another worker stored the message of this write meanwhile: our lease was lost. Never leaves the package."""

	def __init__(self, sequence: int, digest: str):
		self.sequence, self.digest = sequence, digest


def _save(base: Row, write: Write, decide: Decide | None, fence: int | None, mark_is_safe: bool) -> Result:
	require_live(base, write)
	ledger().mark(base.name)
	result = _attempt(base, write, fence)
	if result is None:
		mark_is_safe = False
		result = _on_current(base.name, lambda current: _again(base, current, write, decide), fence)
		if result.written:
			ledger().count(result.row, {("conflicts", "merged"): 1})
	if result.written:
		ledger().wrote(base.name, result.row, mark_is_safe=mark_is_safe)
	else:
		ledger().unmark_unwritten(base.name)
	return result


def _change(name: str, decide: Decide, fence: int | None) -> Result:
	ledger().mark(name)
	result = _on_current(name, decide, fence)
	if result.written:
		ledger().wrote(name, result.row)
	else:
		ledger().unmark_unwritten(name)
	return result


def _on_current(name: str, decide: Decide, fence: int | None) -> Result:
	"""Decide on the row as it is, locked, whatever snapshot the transaction has; then write."""
	with _leaving_theirs_usable(name):
		current = session_rows.select(name, LOCKED)
	if current is None:
		if name in session_rows.existing([name]):
			raise database_errors.SnapshotTooOld(name)
		counters.count("sessions_not_found", "unknown")
		raise SessionNotFound.of(name)
	if fence is not None and current.agent_fence != fence:
		raise SessionConflict.on(name, "agent_fence")
	write = decide(current)
	require_live(current, write)
	if write.is_empty:
		return Result(current, [], written=False)
	result = _attempt(current, write, fence)
	if result is None:
		raise SessionConflict.on(name, "version")
	return result


def _again(base: Row, current: Row, write: Write, decide: Decide | None) -> Write:
	_raise_if_stored(write)
	return decide(current) if decide else merged(base, write, current)


def merged(base: Row, write: Write, current: Row) -> Write:
	"""`write`, decided on `base`, put together with what somebody else has made of the row since. Raises SessionConflict."""
	return replace(write, changes=merge(base, write.changes, current))


def require_live(row: Row, write: Write | None = None) -> None:
	"""Raise SessionClosed or SessionExpired unless the session can be worked with."""
	if write and write.kind is not ORDINARY:
		return
	if row.status == "Closed":
		raise SessionClosed.of(row.name)
	if row.status == "Expired" or row.expires_at <= config.now():
		raise SessionExpired.of(row.name)


def _attempt(row: Row, write: Write, fence: int | None) -> Result | None:
	now = config.now()
	write = _without_lapsed(row, write, now)
	chained, records = audit_chain.chain(row, write.events, now)
	changes = {**write.changes, **_activity(row, write, now), **_last_said(write), **chained}
	with _leaving_theirs_usable(row.name):
		replaced = session_rows.replace(row, changes, now, fence=fence, sealed_anew=write.seal_anew or None)
	if replaced is None:
		return None
	stored: list[Turn] = []
	try:
		if write.turns:
			with database.refusable():
				stored = turns.append(row.name, row.turn_count, write.turns, replaced.current_state, now)
		if records:
			replaced = _told(row, replaced, write, records)
	except Exception as error:
		_take_back(row, replaced, changes, stored, error)
		raise
	ledger().count(replaced, _counts(row, replaced, write, now))
	return Result(replaced, stored)


def _leaving_theirs_usable(name: str) -> AbstractContextManager:
	"""Somebody who is told SessionBusy may go on with their transaction, a bot in its block too; ours is rolled back then."""
	return nullcontext() if ledger().may_be_left_failed(name) else database.refusable()


def _told(before: Row, after: Row, write: Write, records: list[tuple]) -> Row:
	"""Store the events. Where the trail goes on further than the row counts, they have no place: what ends, holds or
	erases a session is done all the same, and the doctor names the trail."""
	try:
		with database.refusable():
			events.store(records)
	except Exception as error:
		if not (write.kind is MUST_HAPPEN and database_errors.is_duplicate(error)):
			raise
		frappe.logger("assistant_session").error(
			f"{before.name}: its audit trail does not fit, see the doctor"
		)
		uncounted = {"event_count": before.event_count, "event_head": before.event_head}
		return session_rows.replace(after, uncounted, config.now()) or after
	return after


def _counts(before: Row, after: Row, write: Write, now: datetime) -> Counts:
	happened, roles = [event.event for event in write.events], [draft.role for draft in write.turns]
	counts = figures.of_write(before, after, happened, roles, now)
	if write.asked_at is not None:
		counts.update(figures.of_turn(time.monotonic() - write.asked_at))
	return counts


def _take_back(before: Row, after: Row, changes: Changes, stored: list[Turn], error: Exception) -> None:
	"""Leave nothing of a write that failed half-way in the caller's transaction, which goes on."""
	if database_errors.is_lost_transaction(error) or database_errors.is_connection_lost(error):
		return  # gone already
	turns.take_back(stored)
	undone = {column: getattr(before, column, None) for column in changes}
	row = session_rows.replace(after, undone, config.now(), sealed_anew=seals.fits(before))
	ledger().wrote(before.name, row)
	if database_errors.is_duplicate(error):
		raise SessionConflict.on(before.name, "the turns") from error


def _raise_if_stored(write: Write) -> None:
	"""Somebody wrote while we had the lease, so it was lost: did they process the same message?"""
	for draft in write.turns:
		found = turns.by_message_key(draft.message_key, COMMITTED) if draft.message_key else None
		if found:
			raise AlreadyStored(*found)


def _without_lapsed(row: Row, write: Write, now: datetime) -> Write:
	"""An authentication whose time is over, or that does not fit the row's seal, ends with the next write: what counts as
	activity must not bring it back."""
	if not row.authenticated or "authenticated" in write.changes or proof.holds(row, now):
		return write
	reason = "row altered" if proof.in_time(row, now) else "time"
	event = Event("deauthenticated", {"reason": reason})
	return replace(write, changes={**proof.ENDED, **write.changes}, events=[event, *write.events])


def _last_said(write: Write) -> dict[str, str]:
	said = [draft for draft in write.turns if draft.role != turns.SYSTEM]
	return listing.of_last(said[-1].role, said[-1].content) if said else {}


def _activity(row: Row, write: Write, now: datetime) -> dict[str, Any]:
	if not write.turns and not write.touch:
		return {}
	expires = now + timedelta(seconds=row.ttl)
	changes = {"turn_count": row.turn_count + len(write.turns), "expires_at": expires}
	if write.touch or not row.authenticated or any(draft.role == turns.USER for draft in write.turns):
		changes["last_activity"] = now  # what a bot says by itself is no sign that the person is still there
	return changes
