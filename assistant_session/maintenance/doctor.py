"""The doctor: looks at every session in bounded batches, says what is wrong, and mends it if asked to.

Nothing is changed unless `fix` is set; then each session is mended in a transaction of its own, which the doctor, who
owns the process or job it runs in, commits. Memory is bounded however many sessions and findings there are.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import frappe

from .. import database
from ..sessions import SessionError, addresses
from ..sessions.coherence import register
from ..sessions.health import diagnosis, proxies, repair
from ..sessions.health.findings import ON_PURPOSE, ORPHAN_EVENTS, ORPHAN_TURNS, Finding
from ..sessions.secrets import keys
from ..sessions.tables import events, session_rows, turns
from ..sessions.tables.row import Row
from ..sessions.tables.statements import ask, table
from ..sessions.vantage import COMMITTED

BATCH = 500
MOST_KEPT = 1000  # findings remembered for the report; all are counted
ORPHANS = {ORPHAN_TURNS: turns.DOCTYPE, ORPHAN_EVENTS: events.DOCTYPE}
MAY_BE_LOST = "{0}: a turn that was acknowledged may be lost with the machine."
NO_BOUND = "lock_timeout is 0: who waits for a row that somebody has locked waits without a bound. Set it, to 50s for instance."


@dataclass
class Visit:
	"""What was seen. `last` is where a later visit goes on; `findings` are at most MOST_KEPT, `counts` all of them."""

	examined: int = 0
	counts: Counter = field(default_factory=Counter)
	repaired: Counter = field(default_factory=Counter)
	findings: list[Finding] = field(default_factory=list)
	failed: list[str] = field(default_factory=list)  # sessions that could not be mended now
	last: str = ""

	@property
	def sound(self) -> bool:
		"""Nothing is wrong any more."""
		return sum(self.counts.values()) == sum(self.repaired.values())

	def note(self, findings: list[Finding]) -> None:
		self.counts.update(finding.kind for finding in findings)
		self.findings += findings[: MOST_KEPT - len(self.findings)]


def visit(
	*,
	fix: bool = False,
	on_purpose: bool = True,
	deep: bool = True,
	after: str = "",
	on_progress: Callable[[int], None] | None = None,
	go_on: Callable[[], bool] = lambda: True,
) -> Visit:
	"""Look at all sessions whose name is greater than `after`, as long as `go_on()`; `on_progress` hears how many are done.

	With `fix` mends, what is to be mended `on_purpose` too if somebody asked for it. `deep` verifies every event and
	every turn. Where all were seen `last` is empty.
	"""
	seen = Visit(last=after)
	for names in _batches(after):
		rows, findings = _examined(names, deep)
		seen.note(findings)
		if fix:
			_mend(rows, [one for one in findings if on_purpose or one.kind not in ON_PURPOSE], seen)
		seen.examined, seen.last = seen.examined + len(names), names[-1]
		if on_progress:
			on_progress(seen.examined)
		if not go_on():
			return seen
	for kind, doctype in ORPHANS.items():
		seen.note([Finding(name, kind, "deleted behind the service's back") for name in _orphans(doctype)])
	seen.last = ""
	return seen


def _examined(names: list[str], deep: bool) -> tuple[dict[str, Row], list[Finding]]:
	"""The batch; one by one if something in it is beyond examining, so that the rest of the site is seen."""
	try:
		return diagnosis.examine(names, deep=deep)
	except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
		if len(names) == 1:
			beyond = f"cannot be examined: {type(error).__name__}"
			return {}, [Finding(names[0], diagnosis.IMPOSSIBLE, beyond)]
	rows, findings = {}, []
	for name in names:
		more_rows, more = _examined([name], deep)
		rows.update(more_rows)
		findings += more
	return rows, findings


def surroundings() -> list[str]:
	"""What around the sessions endangers them, in sentences for an operator."""
	proxy = proxies.situation() if proxies.unnamed() else None
	problems = (_key_problem(), proxy, *addresses.situations(), *_redis_problems(), *_database_problems())
	return [text for text in problems if text]


def count() -> int:
	"""How many sessions there are."""
	return frappe.db.count(session_rows.DOCTYPE)


def _mend(rows: dict[str, Row], findings: list[Finding], seen: Visit) -> None:
	for name in sorted({finding.session for finding in findings if finding.remedy}):
		mine = [finding for finding in findings if finding.session == name]
		try:
			done = repair.repair(rows[name], mine)
			frappe.db.commit()  # the doctor owns this transaction
		except SessionError as error:  # busy, deleted or changed meanwhile: the next visit will see
			frappe.db.rollback()
			seen.failed.append(f"{name}: {type(error).__name__}")
			continue
		seen.repaired.update(text.partition(":")[0] for text in done)


def _batches(after: str) -> Iterator[list[str]]:
	sessions = table(session_rows.DOCTYPE)
	query = frappe.qb.from_(sessions).select(sessions.name).orderby(sessions.name).limit(BATCH)
	while names := [name for (name,) in ask(query.where(sessions.name > after), COMMITTED)]:
		yield names
		after = names[-1]


def _orphans(doctype: str) -> Iterator[str]:
	"""Ids that rows of `doctype` name and no session has."""
	of, after = table(doctype), ""
	query = frappe.qb.from_(of).select(of.session).distinct().orderby(of.session).limit(BATCH)
	while named := [name for (name,) in ask(query.where(of.session > after), COMMITTED)]:
		known = session_rows.existing(named)
		yield from (name for name in named if name not in known)
		after = named[-1]


def _key_problem() -> str | None:
	try:
		keys.digest(keys.AUDIT, "")
	except keys.KeyMissing as error:
		return str(error)
	return None


def _redis_problems() -> list[str]:
	connection = register.connection()
	if connection.call(connection.redis.ping) is None:
		return ["redis_cache does not answer: sessions are read from the database, and every turn is slower."]
	ask_for = connection.redis.config_get
	configured = connection.call(lambda: {**ask_for("save"), **ask_for("appendonly")}) or {}
	if configured.get("save") or configured.get("appendonly") == "yes":
		return [
			'redis_cache persists to disk: after a restart it may bring old entries back. Set save "" and appendonly no.'
		]
	return []


def _database_problems() -> list[str]:
	return _of_postgres() if database.primary().db_type == "postgres" else _of_mariadb()


def _of_mariadb() -> list[str]:
	((_name, value),) = database.primary().sql("show variables like 'innodb_flush_log_at_trx_commit'")
	return [] if str(value) == "1" else [MAY_BE_LOST.format(f"innodb_flush_log_at_trx_commit is {value}")]


def _of_postgres() -> list[str]:
	db, problems = database.primary(), []
	if db.sql("show synchronous_commit")[0][0] == "off":
		problems.append(MAY_BE_LOST.format("synchronous_commit is off"))
	if db.sql("show lock_timeout")[0][0] == "0":
		problems.append(NO_BOUND)
	return problems
