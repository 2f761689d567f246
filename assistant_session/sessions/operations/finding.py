"""A live session by its id; and the sessions of somebody, by what staff know of them."""

from typing import Any

import frappe

from ...counters import counters
from .. import bounds, config
from ..coherence import reading, writing
from ..coherence.ledger import seen
from ..session import ACTIVE, Session
from ..tables import listing, session_rows
from ..tables.statements import ask, table


def get(session_id: str, *, max_age: float = 0) -> Session:
	"""The session as last committed by anybody. Costs one Redis GET, nothing the second time in a request.

	`max_age` (seconds) accepts worker memory that was confirmed so lately without asking. While the database is
	away a remembered session is returned with `.stale` set. Raises SessionNotFound, SessionExpired,
	SessionClosed, InvalidSessionData, SessionStoreUnavailable.
	"""
	name, already = bounds.session_id(session_id), seen()
	if found := already.live.get(name):
		return Session(*found)
	row, origin = reading.read(name, max_age=max_age, already=already)
	if row.status != ACTIVE or row.expires_at <= config.now():
		writing.require_live(row)
	if name in already.rows:
		already.live[name] = (row, origin)
	return Session(row, origin)


def names_of(text: str, limit: int) -> list[str]:
	"""Names of somebody's sessions, the latest first: by a phone number in any spelling, an address, the beginning of the
	title lists show, a user, or a session id."""
	rows = table(session_rows.DOCTYPE)
	query = frappe.qb.from_(rows).select(rows.name).where(_is_somebodys(rows, text))
	return [name for (name,) in ask(query.orderby(rows.last_activity, order=frappe.qb.desc).limit(limit))]


def _is_somebodys(rows: Any, text: str) -> Any:
	exactly = (rows.name == text) | (rows.external_id == text) | (rows.user == text)
	if digits := listing.reversed_digits(text):
		return exactly | rows.address_digits.like(f"{digits}%")
	beginning = text.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
	return exactly | rows.title.like(f"{beginning}%")


def take_up(session_id: str) -> Session:
	"""The same, for a page or a bot that comes back to it."""
	return counted(get(session_id))


def counted(session: Session) -> Session:
	"""The session, counted as restored unless it was just made."""
	if session.origin != "created":
		counters.count("sessions_restored", session.origin)
	return session
