"""The hook `assistant_session_idle`: a conversation has gone quiet, once per quiet period.

    assistant_session_idle = ["shop.followup.ask_again"]        # in hooks.py: function(session)

Each session is claimed and handed to the hooks in one transaction: what they write is stored together with the claim,
so that neither several schedulers nor a restart make it happen twice. A hook that raises is logged and tried again
by the next run; what it did outside the database by then is its own business. The next message of the person ends the quiet
period.
"""

import time
from collections.abc import Iterator
from datetime import timedelta

import frappe
from rq.timeouts import JobTimeoutException

from .. import database
from ..sessions import Session, config
from ..sessions.operations import opening
from ..sessions.session import ACTIVE
from ..sessions.tables import session_rows
from ..sessions.tables.row import Row
from ..sessions.tables.statements import ask, table
from ..sessions.vantage import COMMITTED

HOOK = "assistant_session_idle"
BATCH = 500
LONGEST_SECONDS = 120
LAST = "z" * 120  # no session id comes after it


def notify_idle() -> int:
	"""Tell the hooks of sessions that went quiet, one transaction each; returns how many."""
	hooks = [frappe.get_attr(path) for path in frappe.get_hooks(HOOK)]
	ends = time.monotonic() + LONGEST_SECONDS
	begin = (
		opening.new_id()
	)  # anywhere, and then round: hooks that are slow or fail keep nobody waiting for ever
	notified = 0
	for name in _round(begin) if hooks else ():
		if time.monotonic() > ends:
			break
		notified += _tell(name, hooks)
	return notified


def _round(begin: str) -> Iterator[str]:
	"""Names of all quiet sessions, from `begin` on and then from the first one."""
	for after, until in ((begin, LAST), ("", begin)):
		while names := _quiet(after, until):
			yield from names
			after = names[-1]


def _tell(name: str, hooks: list) -> bool:
	try:
		row = _claim(name)
		if row:
			for hook in hooks:
				hook(Session(row, "database"))
			frappe.db.commit()  # the job owns its transaction: the claim and what the hooks wrote
		else:
			frappe.db.rollback()
		return row is not None
	except JobTimeoutException:  # not the hook's
		frappe.db.rollback()
		raise
	except Exception as error:
		frappe.db.rollback()
		frappe.logger("assistant_session").error(f"{HOOK} for {name}: {type(error).__name__}")
		return False


def _quiet(after: str, until: str) -> list[str]:
	"""Names of a batch of quiet sessions nobody was told of, as committed now."""
	sessions = table(session_rows.DOCTYPE)
	query = _where_quiet(frappe.qb.from_(sessions).select(sessions.name))
	query = query.where(sessions.name > after).where(sessions.name <= until)
	return [name for (name,) in ask(query.orderby(sessions.name).limit(BATCH), COMMITTED)]


def _claim(name: str) -> Row | None:
	"""Lock one and mark it as told; None if somebody else has it, or it is not quiet any more."""
	quiet = _where_quiet(session_rows.select_all())
	rows = ask(database.lock_named(quiet.where(table(session_rows.DOCTYPE).name == name)))
	if not rows:
		return None
	session_rows.mark_idle(name, config.now())
	return Row._make(rows[0])


def _where_quiet(query):
	sessions, now = table(session_rows.DOCTYPE), config.now()
	since = now - timedelta(seconds=config.settings().idle_after)
	untold = sessions.idle_notified_at.isnull() | (sessions.idle_notified_at < sessions.last_activity)
	live = (sessions.status == ACTIVE) & (sessions.last_activity <= since) & (sessions.expires_at > now)
	return query.where(live).where(untold)
