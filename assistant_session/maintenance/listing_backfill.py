"""Filling what lists show of sessions from before they showed it: once, when a site is brought up to this version.

In batches found by name, each committed at once; one that was cut off is gone on with by the next migration.
"""

import frappe

from ..sessions.tables import listing, session_rows, turns
from ..sessions.tables.row import Row
from ..sessions.tables.statements import ask, table
from ..sessions.vantage import COMMITTED

BATCH = 500


def fill() -> int:
	"""Returns how many sessions were filled. Commits each batch: a migration owns its transaction."""
	after, filled = "", 0
	while rows := _next(after):
		for row in rows:
			session_rows.show(row.name, {**listing.of_row(row), **_last_message(row)})
		frappe.db.commit()
		after, filled = rows[-1].name, filled + len(rows)
	return filled


def _next(after: str) -> list[Row]:
	sessions = table(session_rows.DOCTYPE)
	query = session_rows.select_all().where(sessions.name > after).where(sessions.last_role.isnull())
	return [Row._make(row) for row in ask(query.orderby(sessions.name).limit(BATCH), COMMITTED)]


def _last_message(row: Row) -> dict[str, str]:
	last = [
		turn
		for turn in turns.between(row.name, max(row.turn_count - 5, 0), row.turn_count)
		if turn.role != turns.SYSTEM
	]
	return listing.of_last(last[-1].role, last[-1].content) if last else {}
