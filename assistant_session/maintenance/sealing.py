"""Sealing rows and turns from before there were seals: once, when a site is brought up to this version.

In batches found by name, each committed at once, so that one that was cut off is gone on with. A row becomes a new
version of itself, so that no worker goes on with what it remembers of it. That it was done is noted in
site_config.json, out of reach of whoever has the database alone: nothing is ever sealed a second time by a migration
that somebody made run again.
"""

import frappe
from frappe.installer import update_site_config
from pypika.functions import Coalesce
from pypika.terms import Case

from .. import database
from ..sessions.coherence.ledger import ledger
from ..sessions.secrets import keys
from ..sessions.tables import seals, session_rows, turns
from ..sessions.tables.row import Row
from ..sessions.tables.statements import ask, table, write
from ..sessions.vantage import COMMITTED

NOTE = "assistant_session_sealed"  # in site_config.json
BATCH = 200


def seal_what_is_there() -> int:
	"""Seal what has no seal yet, unless the site noted that this was done; returns how many. Commits each batch."""
	if frappe.local.conf.get(NOTE):
		return 0
	keys.ensure()
	done = 0
	for doctype, seal in ((session_rows.DOCTYPE, _seal_rows), (turns.DOCTYPE, _seal_turns)):
		after = ""
		while names := _unsealed(doctype, after):
			done += seal(names)
			frappe.db.commit()  # the migration owns its transaction
			after = names[-1]
	note()
	return done


def note() -> None:
	"""From now on everything on this site has a seal."""
	update_site_config(NOTE, 1, validate=False)
	frappe.local.conf[NOTE] = 1


def _unsealed(doctype: str, after: str) -> list[str]:
	of = table(doctype)
	query = frappe.qb.from_(of).select(of.name).where(of.name > after).where(of.seal.isnull())
	return [name for (name,) in ask(query.orderby(of.name).limit(BATCH), COMMITTED)]


def _seal_rows(names: list[str]) -> int:
	sessions = table(session_rows.DOCTYPE)
	unsealed = session_rows.select_all().where(sessions.name.isin(names)).where(sessions.seal.isnull())
	ledger().mark_all(names)
	rows = [Row._make(row) for row in ask(database.for_update(unsealed))]
	after = [_superseded(row) for row in rows if row.version and row.revision]  # others the doctor names
	for name in names:
		ledger().wrote(name, None)
	if after:
		query = frappe.qb.update(sessions).set(sessions.version, sessions.version + 1)
		for column in ("revision", "seal"):
			query = query.set(column, _by_name(sessions, {row.name: getattr(row, column) for row in after}))
		write(query.where(sessions.name.isin([row.name for row in after])))
	return len(after)


def _superseded(row: Row) -> Row:
	return seals.sealed(row._replace(version=row.version + 1, revision=session_rows.new_revision()))


def _seal_turns(names: list[str]) -> int:
	of = table(turns.DOCTYPE)
	query = frappe.qb.from_(of).select(*(of[column] for column in turns.SEALED))
	sealed = {values[0]: seals.of_turn(values) for values in ask(query.where(of.name.isin(names)))}
	if sealed:
		query = frappe.qb.update(of).set(of.seal, Coalesce(of.seal, _by_name(of, sealed)))
		write(query.where(of.name.isin(list(sealed))))
	return len(sealed)


def _by_name(of, values: dict[str, str]):
	"""CASE WHEN name = … THEN … for each of these names and its value."""
	choice = Case()
	for name, value in values.items():
		choice = choice.when(of.name == name, value)
	return choice
