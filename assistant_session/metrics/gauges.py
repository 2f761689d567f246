"""What is so right now, asked of the database when somebody looks. Each question is answered from an index."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

import frappe
from pypika.functions import Count, Min

from ..sessions import config
from ..sessions.coherence.figures import channel_label
from ..sessions.operations import expiry
from ..sessions.session import ACTIVE
from ..sessions.tables import session_rows
from ..sessions.tables.statements import ask, table
from ..sessions.vantage import COMMITTED


@dataclass(frozen=True)
class Now:
	"""`active` sessions by channel; `overdue` rows by kind, which the next job ends; locks `held`, and the age
	in seconds of the oldest (0 if none is held)."""

	active: dict[str, int]
	overdue: dict[str, int]
	held: int
	oldest_seconds: float


def read() -> Now:
	held, since = _locks()
	age = (config.now() - since).total_seconds() if since else 0
	return Now(_active(), expiry.count_overdue(), held, max(age, 0))


def _active() -> dict[str, int]:
	"""Sessions with the status Active; channels Settings do not name are taken together."""
	sessions = table(session_rows.DOCTYPE)
	query = frappe.qb.from_(sessions).select(sessions.channel, Count("*")).where(sessions.status == ACTIVE)
	counts = Counter({channel: 0 for channel in config.settings().channels})
	for channel, number in ask(query.groupby(sessions.channel), COMMITTED):
		counts[channel_label(channel or "")] += number
	return dict(counts)


def _locks() -> tuple[int, datetime | None]:
	"""How many agent locks are held, and since when the oldest is."""
	sessions = table(session_rows.DOCTYPE)
	query = frappe.qb.from_(sessions).select(Count("*"), Min(sessions.agent_locked_at))
	query = query.where(sessions.status == ACTIVE).where(sessions.agent_lock_expires_at > config.now())
	return ask(query.where(sessions.active_agent.isnotnull()), COMMITTED)[0]
