"""Comparing what this worker remembers, what the register says and what the database holds; and mending it.

The database is the truth: memory is dropped and register entries are deleted where they differ, and nothing is ever
copied from memory into the database. What is wrong within the database (see `diagnosis`) is mended where one answer
is right, by a write like any other, with an event; the rest is reported and left alone.
"""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from .. import bounds
from ..coherence import register, repeating, writing
from ..coherence.ledger import ledger, seen
from ..coherence.memory import memory
from ..coherence.writing import ALSO_ENDED, Write
from ..errors import SessionError
from ..operations import closing
from ..session import EXPIRED, Session
from ..tables import seals
from ..tables.audit_chain import Event
from ..tables.row import JSON_COLUMNS, Row, entry
from . import diagnosis
from .findings import (
	EVENTS_UNCOUNTED,
	NOT_ENDED,
	OVERDUE_AUTHENTICATION,
	OVERDUE_LOCK,
	OVERDUE_SESSION,
	REMEDIES,
	ROW_ALTERED,
	TURNS_UNCOUNTED,
	Finding,
)

COUNTED = {TURNS_UNCOUNTED: "turn_count", EVENTS_UNCOUNTED: "event_count"}
SECRET = frozenset(
	{
		"token_hash", "old_token_hash", "old_token_key", "identity_hash", "user_profile", "pending_message",
		"event_head", "active_key", "seal",
	}
)  # fmt: skip


@dataclass
class ConsistencyReport:
	"""What was found, and what was done about it (`action_taken`: "none" or what was repaired).

	`differences` are fields in which memory and database differ; `findings` what is wrong in the database: `kind`,
	`detail`, `remedy` (None where it is left alone). `consistent` says how it was before anything was done.
	"""

	session_id: str
	memory_exists: bool = False
	database_exists: bool = False
	memory_authenticated: bool = False
	database_authenticated: bool = False
	register: str = "absent"  # absent, current, outdated
	differences: list[dict[str, Any]] = field(default_factory=list)
	findings: list[dict[str, Any]] = field(default_factory=list)
	action_taken: str = "none"
	consistent: bool = True

	def as_dict(self) -> dict[str, Any]:
		return asdict(self)


@dataclass
class RecoveryReport(ConsistencyReport):
	"""The same, after memory was forgotten and the row read anew. `origin` is "database", or "none"."""

	origin: str = "none"


def ensure_consistency(session_id: str) -> ConsistencyReport:
	"""Compare memory, register, row, turns and events; mend what has one right answer. The caller commits.

	Raises InvalidSessionData, SessionBusy, SessionStoreUnavailable.
	"""
	report, row, findings = _compare(session_id, ConsistencyReport)
	done = _follow_database(report) if report.differences or report.register == "outdated" else []
	if row:
		done += repair(row, findings)
	report.action_taken = ", ".join(done) or "none"
	return report


def report(session_id: str) -> ConsistencyReport:
	"""The same comparison, and nothing is changed: the findings say what `ensure_consistency` would do."""
	return _compare(session_id, ConsistencyReport)[0]


def recover(session_id: str) -> RecoveryReport:
	"""Forget what this worker remembers and read the current row; the register is repaired with it."""
	report, row, _found = _compare(session_id, RecoveryReport)
	report.action_taken = ", ".join(_follow_database(report)) or "none"
	report.origin = "database" if row else "none"
	return report


def repair(row: Row, findings: list[Finding]) -> list[str]:
	"""Mend what has a remedy, decided once more on the locked row; says what was done."""
	wanted = {finding.kind for finding in findings if finding.remedy}
	if not wanted:
		return []
	uncounted = {finding.kind: finding for finding in findings if finding.kind in COUNTED}
	if EVENTS_UNCOUNTED in uncounted:  # first, and by itself: no event has a place before
		writing.change(row.name, lambda current: _events_counted(current, row, uncounted[EVENTS_UNCOUNTED]))
	turns = uncounted.get(TURNS_UNCOUNTED)
	result = writing.change(row.name, lambda current: _mended(current, row, wanted, turns))
	left = {kind for kind, _detail in diagnosis.overdue(result.row)}
	left |= {kind for kind, one in uncounted.items() if getattr(result.row, COUNTED[kind]) < one.stored}
	left |= set() if seals.fits(result.row) else {ROW_ALTERED}
	return [f"{kind}: {REMEDIES[kind]}" for kind in sorted(wanted - left)]


def _events_counted(row: Row, seen: Row, finding: Finding) -> Write:
	if row.event_count != seen.event_count:
		return Write(kind=ALSO_ENDED)
	return Write({"event_count": finding.stored, "event_head": finding.head}, kind=ALSO_ENDED)


def _mended(row: Row, seen: Row, wanted: set[str], turns: Finding | None) -> Write:
	"""The one write that mends a row."""
	still = {kind for kind, _detail in diagnosis.overdue(row)} & wanted
	still |= wanted & ({ROW_ALTERED} if not seals.fits(row) else set())
	ended = OVERDUE_SESSION in still
	write = closing.ending(row, "time", EXPIRED) if ended else _mended_within(row, still)
	if turns and row.turn_count == seen.turn_count:
		write.changes, still = {**write.changes, "turn_count": turns.stored}, still | {TURNS_UNCOUNTED}
	if still := still | (wanted & {EVENTS_UNCOUNTED}):
		write.events.append(Event("repaired", {"what": sorted(still)}))
	write.seal_anew = ROW_ALTERED in still
	return write


def _mended_within(row: Row, still: set[str]) -> Write:
	session = Session(row, "database")
	if OVERDUE_AUTHENTICATION in still:
		session.deauthenticate("expired")
	elif ROW_ALTERED in still:
		session.deauthenticate("row altered")
	if OVERDUE_LOCK in still:
		session.release_agent("expired")
	changes = session.changes()
	if NOT_ENDED in still:
		changes.update(dict.fromkeys(closing.ENDS_EMPTY), authenticated=0)
	return Write(changes, events=session.happened, kind=ALSO_ENDED)


def _compare(session_id: str, kind: type) -> tuple[Any, Row | None, list[Finding]]:
	"""Look at one session without changing anything."""
	name = bounds.session_id(session_id)
	rows, findings = _examined(name)
	row, remembered, said = rows.get(name), memory.get(name), register.read(name)
	report = kind(name, memory_exists=remembered is not None, database_exists=row is not None)
	if said is not None:
		report.register = "current" if row and said == entry(row) else "outdated"
	if remembered:
		report.memory_authenticated = Session(remembered.row, "memory").authenticated
		report.differences = _differences(remembered.row, row)
	report.database_authenticated = row is not None and Session(row, "database").authenticated
	report.findings = [{"kind": one.kind, "detail": one.detail, "remedy": one.remedy} for one in findings]
	report.consistent = report.register != "outdated" and not report.differences and not findings
	return report, row, findings


def _examined(name: str) -> tuple[dict[str, Row], list[Finding]]:
	try:
		return diagnosis.examine([name])
	except SessionError:
		raise
	except Exception as error:
		raise repeating.translate(error, name) from error


def _follow_database(report: ConsistencyReport) -> list[str]:
	name, done = report.session_id, []
	if memory.drop(name):
		done.append("memory dropped")
	seen().forget(name)
	if name not in ledger().written:
		register.forget([name])  # also where this worker, in trouble with Redis lately, takes it for absent
		if report.register != "absent":
			done.append("register entry deleted")
	return done


def _differences(remembered: Row, row: Row | None) -> list[dict[str, Any]]:
	"""Field by field; secret values are never shown, only that they differ."""
	if row is None:
		return [{"field": "name", "memory": remembered.name, "database": None}]
	return [
		{"field": column, "memory": _shown(column, remembered), "database": _shown(column, row)}
		for column in row._fields
		if getattr(remembered, column) != getattr(row, column)
	]


def _shown(column: str, row: Row) -> Any:
	value = getattr(row, column)
	if isinstance(value, datetime):
		return value.isoformat(sep=" ")
	if column in SECRET or column in JSON_COLUMNS:
		return None if value is None else f"{len(str(value))} characters"
	return value
