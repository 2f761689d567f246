"""The legal hold: a session under it is neither erased, purged nor deleted until somebody lifts it."""

from typing import Any

import frappe

from . import bounds, config, writing
from .events import Event
from .rows import Row
from .snapshot import Session
from .writing import Write

LONGEST_REASON = 500


def set_legal_hold(session_id: str, reason: str) -> Session:
	"""Keep everything of a session, whatever its state, until `lift_legal_hold`; who, when and why are noted.

	A second hold replaces the reason. Raises InvalidSessionData, SessionNotFound and what every write raises.
	"""
	reason = bounds.label(reason, "reason", length=LONGEST_REASON)
	held = {"legal_hold": 1, "legal_hold_reason": reason, "legal_hold_by": frappe.session.user}
	return _write(
		session_id, lambda _row: {**held, "legal_hold_at": config.now()}, {"held": True, "reason": reason}
	)


def lift_legal_hold(session_id: str, reason: str) -> Session:
	"""Lift the hold; without one nothing happens. The audit trail keeps who held and who lifted it, and why."""
	reason = bounds.label(reason, "reason", length=LONGEST_REASON)
	return _write(session_id, lambda row: LIFTED if row.legal_hold else {}, {"held": False, "reason": reason})


LIFTED = {"legal_hold": 0, "legal_hold_reason": None, "legal_hold_by": None, "legal_hold_at": None}


def _write(session_id: str, changes, details: dict[str, Any]) -> Session:
	def decide(row: Row) -> Write:
		changed = changes(row)
		events = [Event("held", details)] if changed else []
		return Write(changed, events=events, any_status=True, even_untold=True)

	return Session(writing.change(bounds.session_id(session_id), decide).row, "database")
