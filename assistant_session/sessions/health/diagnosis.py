"""What can be wrong with stored sessions: found by looking at rows, turns and events together, in one snapshot.

A finding has a kind, what exactly is wrong, and a remedy if there is one right answer. What has none is reported and
left alone: broken JSON, missing turns, an audit trail that does not fit. Nothing here writes. Texts show ids, counts,
names of fields and times, never content.
"""

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime

import frappe
from pypika.functions import Count, Max, Min

from ... import second_connection
from .. import config
from ..secrets import encryption
from ..secrets.keys import KeyMissing
from ..session import ACTIVE, CLOSED, EXPIRED
from ..tables import audit_chain, events, proof, seals, session_rows, turns
from ..tables.row import JSON_COLUMNS, Row
from ..tables.statements import ask, table
from . import turn_diagnosis
from .findings import (
	BROKEN_JSON,
	EVENTS_BROKEN,
	EVENTS_UNCOUNTED,
	IMPOSSIBLE,
	NOT_ENDED,
	OVERDUE_AUTHENTICATION,
	OVERDUE_LOCK,
	OVERDUE_SESSION,
	ROW_ALTERED,
	TURNS_MISSING,
	TURNS_UNCOUNTED,
	UNREADABLE,
	Finding,
)

ENCRYPTED = ("user_profile", "pending_message")
COUNTS = ("version", "turn_count", "event_count", "ttl", "purged_turns", "purged_events")


@dataclass(frozen=True)
class Turns:
	"""A session's turns, summed up."""

	count: int = 0
	first: int = 0
	last: int = 0

	def follow(self, purged: int) -> bool:
		"""Whether they are without a gap, after the first `purged`, which are past their retention."""
		return not self.count or (self.first == purged + 1 and self.last == purged + self.count)


def examine(names: list[str], *, deep: bool = True) -> tuple[dict[str, Row], list[Finding]]:
	"""The rows of those `names` that exist, and what is wrong with them, as committed right now.

	`deep` verifies every event's digest, and seal and metadata of every turn; without it counts, heads and the seals of
	the rows are looked at.
	"""
	with second_connection.committed_snapshot() as db:
		rows = {row.name: row for row in _rows(names, db)}
		counted, trails = _turns(names, db), _trails(names, db)
		findings = [finding for row in rows.values() for finding in _of_row(row)]
		for name, row in rows.items():
			findings += _of_turns(row, counted.get(name, Turns()))
			findings += _of_trail(row, trails.get(name, []), deep)
		if deep:
			findings += turn_diagnosis.examine(
				{name: of.count for name, of in counted.items() if name in rows}, db
			)
	return rows, _evidence(findings)


def _evidence(findings: list[Finding]) -> list[Finding]:
	"""A row whose audit trail does not fit is not sealed anew: nobody can say what it should be."""
	broken = {one.session for one in findings if one.kind == EVENTS_BROKEN}
	return [
		replace(one, evidence=True) if one.kind == ROW_ALTERED and one.session in broken else one
		for one in findings
	]


def _of_row(row: Row) -> list[Finding]:
	findings = [Finding(row.name, kind, detail) for kind, detail in _impossible(row)]
	if findings:
		return findings
	findings += [
		Finding(row.name, BROKEN_JSON, column) for column in sorted(JSON_COLUMNS) if _is_broken(row, column)
	]
	findings += [
		Finding(row.name, UNREADABLE, column) for column in ENCRYPTED if not _is_readable(row, column)
	]
	if problem := seals.problem(row):
		kind = UNREADABLE if problem == seals.KEY_GONE else ROW_ALTERED
		findings.append(Finding(row.name, kind, f"seal: {problem}"))
	findings += [Finding(row.name, kind, detail) for kind, detail in overdue(row)]
	return findings


def _impossible(row: Row) -> list[tuple[str, str]]:
	wrong = []
	if row.status not in (ACTIVE, CLOSED, EXPIRED):
		wrong.append("status")
	wrong += [column for column in COUNTS if not _is_count(row, column)]
	wrong += [
		column for column in ("last_activity", "expires_at", "revision") if getattr(row, column) is None
	]
	return [(IMPOSSIBLE, column) for column in wrong]


def _is_count(row: Row, column: str) -> bool:
	value = getattr(row, column)
	return isinstance(value, int) and value >= (1 if column in ("version", "ttl") else 0)


def _is_broken(row: Row, column: str) -> bool:
	text = getattr(row, column)
	return bool(text) and not turn_diagnosis.is_object(text)


def _is_readable(row: Row, column: str) -> bool:
	try:
		text = encryption.decrypted(getattr(row, column))
		return text is None or column != "user_profile" or turn_diagnosis.is_object(text)
	except (KeyMissing, ValueError):
		return False


def overdue(row: Row) -> list[tuple[str, str]]:
	"""What of this row should have ended by now: kinds and details."""
	now = config.now()
	if row.status != ACTIVE:
		left = [
			column
			for column in ("authenticated", "active_key", "active_agent", "user_profile")
			if getattr(row, column)
		]
		return [(NOT_ENDED, ", ".join(left))] if left else []
	late = []
	if row.expires_at <= now:
		late.append((OVERDUE_SESSION, f"since {row.expires_at:%Y-%m-%d %H:%M:%S}"))
	if row.active_agent and (not row.agent_lock_expires_at or row.agent_lock_expires_at <= now):
		late.append((OVERDUE_LOCK, f"{row.active_agent}, {_since(row.agent_lock_expires_at)}"))
	if row.authenticated and not proof.in_time(row, now):
		late.append((OVERDUE_AUTHENTICATION, _since(row.auth_expires_at)))
	return late


def _since(moment: datetime | None) -> str:
	return f"until {moment:%Y-%m-%d %H:%M:%S}" if moment else "without an end"


def _of_turns(row: Row, counted: Turns) -> list[Finding]:
	if not all(_is_count(row, column) for column in ("turn_count", "purged_turns")):
		return []  # said already
	there, counts = row.purged_turns + counted.count, f"{counted.count} stored"
	if row.purged_turns:
		counts = f"{row.purged_turns} purged, {counts}"
	if counted.follow(row.purged_turns) and counted.count and there > row.turn_count:
		return [Finding(row.name, TURNS_UNCOUNTED, f"{counts}, {row.turn_count} counted", there)]
	if not counted.follow(row.purged_turns) or there != row.turn_count:
		detail = f"{counts} up to {counted.last}, {row.turn_count} counted"
		return [Finding(row.name, TURNS_MISSING, detail)]
	return []


def _of_trail(row: Row, trail: list[tuple], deep: bool) -> list[Finding]:
	problem = broken_at(row, trail) if deep else _unfitting_end(row, trail)
	if not problem:
		return []
	if deep and _goes_on_from(row, trail):
		count, head = trail[-1][0], trail[-1][-1]
		detail = f"{count} stored, {row.event_count} counted"
		return [Finding(row.name, EVENTS_UNCOUNTED, detail, count, head)]
	return [Finding(row.name, EVENTS_BROKEN, problem)]


def _goes_on_from(row: Row, trail: list[tuple]) -> bool:
	"""Whether the trail is whole and the row, as one from an older backup, counts only its beginning."""
	if not _is_count(row, "event_count") or _unfitting_link(row, trail):
		return False
	heads = {row.purged_events: audit_chain.base_of(row), **{event[0]: event[-1] for event in trail}}
	return row.event_count < max(heads) and (heads.get(row.event_count) or None) == (row.event_head or None)


def broken_at(row: Row, trail: list[tuple]) -> str | None:
	"""Where the chain of events (in order, as `_trails` gives them) stops fitting; None if it is whole."""
	return _unfitting_link(row, trail) or _unfitting_end(row, trail)


def digest_after(row: Row, sequence: int) -> str | None:
	"""The digest of a session's event, None unless the trail fits up to there."""
	with second_connection.committed_snapshot() as db:
		stored = _trails([row.name], db).get(row.name, [])
	trail = [event for event in stored if event[0] <= sequence]
	if not trail or trail[-1][0] != sequence or _unfitting_link(row, trail):
		return None
	return trail[-1][-1]


def _unfitting_link(row: Row, trail: list[tuple]) -> str | None:
	head = audit_chain.base_of(row)
	if head is None:
		return "what stands for purged events was altered"
	reduced = max((event[0] for event in trail if event[1] == "erased"), default=0)
	for place, event in enumerate(trail, row.purged_events + 1):
		if event[0] != place:
			return f"event {place} is missing"
		if not _fits(row.name, head, *event) or (not event[4] and place >= reduced):
			return (
				f"event {place} was altered"  # reduced to a commitment, and no erasing that follows says so
			)
		head = event[-1]
	return None


def _fits(
	name: str,
	head: str,
	sequence: int,
	event: str,
	actor: str,
	details: str,
	salt: str,
	creation,
	digest: str,
) -> bool:
	try:
		said = audit_chain.commitment(actor or "", details or "", salt)
		key_id = (digest or "").partition(":")[0]
		return audit_chain.link(head, name, sequence, event or "", said, creation, key_id=key_id) == digest
	except (KeyMissing, AttributeError, LookupError, RecursionError, TypeError, ValueError):
		return False  # whatever somebody wrote there


def _unfitting_end(row: Row, trail: list[tuple]) -> str | None:
	head = trail[-1][-1] if trail else audit_chain.base_of(row)
	there, fits = row.purged_events + len(trail), (head or None) == (row.event_head or None)
	if there != row.event_count or not fits:
		return f"{there} events stored or purged, {row.event_count} counted, the last one {'fits' if fits else 'differs'}"
	return None


def _rows(names: list[str], db) -> list[Row]:
	query, wanted = session_rows.select_all().where(table(session_rows.DOCTYPE).name.isin(names)), set(names)
	return [row for row in map(Row._make, ask(query, on=db)) if row.name in wanted]


def _turns(names: list[str], db) -> dict[str, Turns]:
	of = table(turns.DOCTYPE)
	query = frappe.qb.from_(of).select(of.session, Count("*"), Min(of.sequence), Max(of.sequence))
	rows = ask(query.where(of.session.isin(names)).groupby(of.session), on=db)
	return {name: Turns(int(count), first, last) for name, count, first, last in rows}


def _trails(names: list[str], db) -> dict[str, list[tuple]]:
	of = table(events.DOCTYPE)
	columns = (of.session, of.sequence, of.event, of.actor, of.details, of.salt, of.creation, of.digest)
	query = frappe.qb.from_(of).select(*columns).where(of.session.isin(names))
	trails = defaultdict(list)
	for name, *event in ask(query.orderby(of.session).orderby(of.sequence), on=db):
		trails[name].append(tuple(event))
	return trails
