"""Figures an operator can read at any time, counted in the database: they survive every restart."""

import frappe
from pypika.functions import Count, Sum

from ..tables import events, session_rows
from ..tables.statements import run, table


def counts() -> dict[str, int]:
	"""Sessions created (in all), active, closed, expired; restorations; flows completed."""
	by_status = dict(run(("count by status",), _by_status))
	return {
		"created": sum(by_status.values()),
		"active": by_status.get("Active", 0),
		"closed": by_status.get("Closed", 0),
		"expired": by_status.get("Expired", 0),
		"restored": int(run(("count restored",), _restored)[0][0] or 0),
		"flows_completed": events.count_of("flow_completed"),
	}


def _by_status():
	sessions = table(session_rows.DOCTYPE)
	return frappe.qb.from_(sessions).select(sessions.status, Count("*")).groupby(sessions.status)


def _restored():
	sessions = table(session_rows.DOCTYPE)
	return frappe.qb.from_(sessions).select(Sum(sessions.restored_count))
