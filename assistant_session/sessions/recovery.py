"""Comparing what this worker remembers, what the register says and what the database holds.

The database is the truth: repairs only ever drop memory and delete register entries. Nothing is copied from
memory into the database.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

from . import bounds, register, store
from .memory import memory
from .rows import JSON_COLUMNS, Row, entry
from .snapshot import Session
from .transaction import ledger, seen

SECRET = frozenset(
	{
		"token_hash", "old_token_hash", "old_token_key", "identity_hash", "user_profile", "pending_message",
		"event_head", "active_key",
	}
)  # fmt: skip


@dataclass
class ConsistencyReport:
	"""What was found, and what was done about it (`action_taken`: "none" or what was repaired)."""

	session_id: str
	memory_exists: bool = False
	database_exists: bool = False
	memory_authenticated: bool = False
	database_authenticated: bool = False
	register: str = "absent"  # absent, current, outdated
	differences: list[dict[str, Any]] = field(default_factory=list)
	action_taken: str = "none"
	consistent: bool = True

	def as_dict(self) -> dict[str, Any]:
		return asdict(self)


@dataclass
class RecoveryReport(ConsistencyReport):
	"""The same, after memory was forgotten and the row read anew. `origin` is "database", or "none"."""

	origin: str = "none"


def compare(session_id: str, kind: type = ConsistencyReport) -> ConsistencyReport:
	"""Look at memory, register and row of one session without changing anything."""
	name = bounds.session_id(session_id)
	row = store.select(name, beside=name not in ledger().written)
	remembered = memory.get(name)
	said = register.read(name)
	report = kind(name, memory_exists=remembered is not None, database_exists=row is not None)
	if said is not None:
		report.register = "current" if row and said == entry(row) else "outdated"
	if remembered:
		report.memory_authenticated = Session(remembered.row, "memory").authenticated
		report.differences = _differences(remembered.row, row)
	report.database_authenticated = bool(row) and Session(row, "database").authenticated
	report.consistent = report.register != "outdated" and not report.differences
	return report


def ensure_consistency(session_id: str) -> ConsistencyReport:
	"""Compare, and let memory and register follow the database where they differ."""
	report = compare(session_id)
	if not report.consistent:
		report.action_taken = _follow_database(report)
	return report


def recover(session_id: str) -> RecoveryReport:
	"""Forget what this worker remembers and read the current row; the register is repaired with it."""
	report = compare(session_id, RecoveryReport)
	report.action_taken = _follow_database(report)
	if report.database_exists:
		report.origin = "database"
	return report


def _follow_database(report: ConsistencyReport) -> str:
	name, done = report.session_id, []
	if memory.drop(name):
		done.append("memory dropped")
	seen().forget(name)
	if report.register == "outdated" and name not in ledger().written:
		register.forget([name])
		done.append("register entry deleted")
	return ", ".join(done) or "none"


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
	if column in SECRET or column in JSON_COLUMNS:
		return None if value is None else f"{len(str(value))} characters"
	return value
