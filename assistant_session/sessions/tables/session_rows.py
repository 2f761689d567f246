"""The only writer of the table Conversation Session.

Every write goes through `replace`: it names the version and revision it was decided on, and either replaces
exactly that row or reports that it was not there any more. What no snapshot holds has a function of its own
(`mark_idle`), as has the end of a row (`delete`).
"""

import secrets
from datetime import datetime

import frappe

from ... import database
from ..vantage import COMMITTED, HERE, LOCKED, Vantage
from . import listing, seals
from .row import COLUMNS, Changes, Row, from_database
from .statements import P, ask, insert, run, table, write

DOCTYPE, TURN_DOCTYPE = "Conversation Session", "Conversation Turn"
REVISION_RANGE = 2**63
KNOWN = frozenset(COLUMNS)  # to a Row; a write may set more (see `legal_hold`)
NOBODY = "Administrator"  # stands where an erased person was named
FRAMEWORK = ("_user_tags", "_comments", "_assign", "_liked_by", "_seen")
_COUNTERS = dict.fromkeys(
	(
		"authenticated",
		"legal_hold",
		"agent_fence",
		"turn_count",
		"restored_count",
		"event_count",
		"hidden_turns",
		"purged_turns",
		"purged_events",
	),
	0,
)
_STANDARD = ("modified", "owner", "modified_by", "docstatus", "idx")


def new_revision() -> str:
	"""A random number in decimal, so that no two versions of a name ever look alike."""
	return str(secrets.randbelow(REVISION_RANGE))


def select(name: str, vantage: Vantage = HERE, *, wait: bool = True) -> Row | None:
	"""The row from where `vantage` says. The database folds case; a name that differs is not found. LOCKED without `wait`
	raises the driver's error if somebody else has the row."""

	def build():
		query = select_all().where(table(DOCTYPE).name == P)
		return database.for_update(query, nowait=not wait) if vantage is LOCKED else query

	return _exactly(name, run(("select", vantage is LOCKED, wait), build, (name,), vantage))


def select_with_turn(name: str, message_key: str) -> tuple[Row | None, tuple[int, str] | None]:
	"""The row, and sequence and digest of the turn with this key if there is one, in one statement."""

	def build():
		sessions, turns = table(DOCTYPE), table(TURN_DOCTYPE)
		query = select_all().left_join(turns).on(turns.message_key == P)
		return query.select(turns.sequence, turns.message_digest).where(sessions.name == P)

	rows = run(("select with turn",), build, (message_key, name))
	row = _exactly(name, [rows[0][: len(COLUMNS)]]) if rows else None
	return row, (rows[0][-2:] if row and rows[0][-1] is not None else None)


def select_active(active_key: str, vantage: Vantage = HERE) -> Row | None:
	"""The one session that holds the key of a person and channel, or of a device."""

	def build():
		sessions = table(DOCTYPE)
		return select_all().where(sessions.active_key == P)

	rows = run(("select active",), build, (active_key,), vantage)
	return from_database(rows[0]) if rows else None


def versions(names: list[str]) -> dict[str, tuple[int, str]]:
	"""Version and revision of each of `names` that this transaction can see."""

	def build():
		sessions = table(DOCTYPE)
		query = frappe.qb.from_(sessions).select(sessions.name, sessions.version, sessions.revision)
		return query.where(sessions.name.isin([P for _name in names]))

	return {
		name: (version, revision) for name, version, revision in run(("versions", len(names)), build, names)
	}


def create(values: Changes, now: datetime) -> Row:
	"""Insert a row; the driver's duplicate error comes through when the name or the active key is taken."""
	complete = {**dict.fromkeys(COLUMNS), **_COUNTERS, **values}
	complete.update(creation=now, revision=new_revision(), version=1)
	row = seals.sealed(Row(**complete))
	shown, user = listing.of_row(row), frappe.session.user
	columns = (*COLUMNS, "session_id", *shown, *_STANDARD)
	insert(DOCTYPE, columns, [(*row, row.name, *shown.values(), now, user, user, 0, 0)])
	return row


def replace(
	base: Row,
	changes: Changes,
	now: datetime,
	*,
	fence: int | None = None,
	sealed_anew: bool | None = None,
) -> Row | None:
	"""Write `changes` over exactly `base` (and only while `fence` is current); None if it is not there.

	`sealed_anew` says whether the new version gets its seal; by itself it does where `base` fits its own.
	"""
	columns = tuple(changes)
	known = {name: changes[name] for name in KNOWN & changes.keys()}
	known.update(version=base.version + 1, revision=new_revision())
	after = seals.carried(base, base._replace(**known), sealed_anew=sealed_anew)

	def build():
		sessions = table(DOCTYPE)
		query = frappe.qb.update(sessions)
		for column in (*columns, "version", "revision", "seal", "modified"):
			query = query.set(sessions[column], P)
		query = query.where(sessions.name == P).where(sessions.version == P).where(sessions.revision == P)
		return query if fence is None else query.where(sessions.agent_fence == P)

	written = after.version, after.revision, after.seal, now
	values = [*changes.values(), *written, base.name, base.version, base.revision]
	if fence is not None:
		values.append(fence)
	run(("replace", columns, fence is None), build, values)
	return after if database.affected_rows() == 1 else None


def mark_idle(name: str, now: datetime) -> None:
	"""Note that a quiet period was told of. The row is locked; nothing that anybody remembers of it changes."""
	sessions = table(DOCTYPE)
	write(frappe.qb.update(sessions).set(sessions.idle_notified_at, now).where(sessions.name == name))


def show(name: str, shown: Changes) -> None:
	"""What lists show of a session (see `listing`), for rows from before they showed it. Nothing anybody remembers changes."""
	sessions = table(DOCTYPE)
	query = frappe.qb.update(sessions)
	for column, value in shown.items():
		query = query.set(sessions[column], value)
	write(query.where(sessions.name == name))


def shown(name: str, vantage: Vantage = HERE) -> tuple:
	"""What lists show of a session, in the order of `listing.COLUMNS`; empty if there is none."""
	sessions = table(DOCTYPE)
	query = frappe.qb.from_(sessions).select(*(sessions[column] for column in listing.COLUMNS))
	rows = ask(query.where(sessions.name == name), vantage)
	return rows[0] if rows else ()


def disown(names: list[str]) -> None:
	"""Take from erased sessions what Frappe keeps in their rows: who made them, comments, tags, assignments."""
	sessions, there = table(DOCTYPE), set(database.primary().get_table_columns(DOCTYPE))
	query = frappe.qb.update(sessions).set(sessions.owner, NOBODY).set(sessions.modified_by, NOBODY)
	for column in FRAMEWORK:
		if column in there:
			query = query.set(sessions[column], None)
	write(query.where(sessions.name.isin(names)))


def delete(name: str) -> int:
	"""Remove a row; its turns and events are gone already."""
	sessions = table(DOCTYPE)
	return write(frappe.qb.from_(sessions).delete().where(sessions.name == name))


def existing(names: list[str]) -> set[str]:
	"""Which of `names` are sessions, as committed right now."""
	sessions = table(DOCTYPE)
	query = frappe.qb.from_(sessions).select(sessions.name).where(sessions.name.isin(names))
	return {name for (name,) in ask(query, COMMITTED)}


def authenticated_as(hashes: list[str]) -> list[str]:
	"""Names of the sessions in which one of these identities is known, as committed and as this transaction has it."""
	sessions = table(DOCTYPE)
	query = frappe.qb.from_(sessions).select(sessions.name).where(sessions.authenticated == 1)
	query = query.where(sessions.identity_hash.isin(hashes))
	return sorted({name for vantage in (COMMITTED, HERE) for (name,) in ask(query, vantage)})


def seen_before(hashes: list[str], name: str) -> bool:
	"""Whether one of these identities was known in another session than `name`."""
	sessions = table(DOCTYPE)
	query = frappe.qb.from_(sessions).select(sessions.name).where(sessions.name != name)
	return bool(ask(query.where(sessions.identity_hash.isin(hashes)).limit(1)))


def select_all():
	"""The beginning of a query for whole rows, in the order of `Row`."""
	sessions = table(DOCTYPE)
	return frappe.qb.from_(sessions).select(*(sessions[column] for column in COLUMNS))


def _exactly(name: str, rows) -> Row | None:
	return from_database(rows[0]) if rows and rows[0][0] == name else None
