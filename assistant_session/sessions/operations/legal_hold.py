"""The legal hold: a session under it is neither erased, purged nor deleted until somebody lifts it.

Who, when and why stand in columns of the session that no `Row` holds: only Desk and an auditor look at them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import frappe

from .. import bounds, config
from ..coherence import writing
from ..coherence.writing import MUST_HAPPEN, Write
from ..tables.audit_chain import Event
from ..tables.row import Row

LONGEST_REASON = 500
LIFTED = {"legal_hold": 0, "legal_hold_reason": None, "legal_hold_by": None, "legal_hold_at": None}


@dataclass(frozen=True)
class LegalHold:
	"""Whether a session is held, and if so why, by whom and since when."""

	session_id: str
	held: bool = False
	reason: str | None = None
	by: str | None = None
	since: datetime | None = None


def set_legal_hold(session_id: str | None, reason: str | None) -> LegalHold:
	"""Keep everything of a session, whatever its state, until `lift_legal_hold`; who, when and why are noted.

	A second hold replaces the reason. Raises InvalidSessionData, SessionNotFound and what every write raises.
	"""
	name, reason = _checked(session_id, reason)
	by, since = frappe.session.user, config.now()
	held = {"legal_hold": 1, "legal_hold_reason": reason, "legal_hold_by": by, "legal_hold_at": since}
	_write(name, lambda _row: held, {"held": True, "reason": reason})
	return LegalHold(name, True, reason, by, since)


def lift_legal_hold(session_id: str | None, reason: str | None) -> LegalHold:
	"""Lift the hold; without one nothing happens. The audit trail keeps who held and who lifted it, and why."""
	name, reason = _checked(session_id, reason)
	_write(name, lambda row: LIFTED if row.legal_hold else {}, {"held": False, "reason": reason})
	return LegalHold(name)


def _checked(session_id: str | None, reason: str | None) -> tuple[str, str]:
	return bounds.session_id(session_id), bounds.key(reason, "reason", length=LONGEST_REASON)


def _write(name: str, changes: Callable[[Row], dict[str, Any]], details: dict[str, Any]) -> None:
	def decide(row: Row) -> Write:
		changed = changes(row)
		events = [Event("held", details)] if changed else []
		return Write(changed, events=events, kind=MUST_HAPPEN)

	writing.change(name, decide)
