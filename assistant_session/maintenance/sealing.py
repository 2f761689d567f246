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
from ..sessions.tables.statements import P, run, table
from ..sessions.vantage import COMMITTED
from . import OnProgress

NOTE = "assistant_session_sealed"  # in site_config.json
BATCH = 200


def seal_what_is_there(on_progress: OnProgress = lambda _done: None) -> int:
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
			on_progress(done)
	note()
	return done


def note() -> None:
	"""From now on everything on this site has a seal."""
	update_site_config(NOTE, 1, validate=False)
	frappe.local.conf[NOTE] = 1


def _unsealed(doctype: str, after: str) -> list[str]:
	def build():
		of = table(doctype)
		query = frappe.qb.from_(of).select(of.name).where(of.name > P).where(of.seal.isnull())
		return query.orderby(of.name).limit(BATCH)

	return [name for (name,) in run(("unsealed", doctype, BATCH), build, (after,), COMMITTED)]


def _seal_rows(names: list[str]) -> int:
	def select():
		sessions = table(session_rows.DOCTYPE)
		query = session_rows.select_all().where(sessions.name.isin([P for _name in names]))
		return database.for_update(query.where(sessions.seal.isnull()))

	def update():
		sessions = table(session_rows.DOCTYPE)
		query = frappe.qb.update(sessions).set(sessions.version, sessions.version + 1)
		for column in (sessions.revision, sessions.seal):
			query = query.set(column, _by_name(sessions, len(after)))
		return query.where(sessions.name.isin([P for _row in after]))

	ledger().mark_all(names)
	found = [Row._make(row) for row in run(("unsealed rows", len(names)), select, names)]
	after = [_superseded(row) for row in found if row.version and row.revision]  # others the doctor names
	for name in names:
		ledger().wrote(name, None)
	if after:
		values = [*_pairs(after, "revision"), *_pairs(after, "seal"), *(row.name for row in after)]
		run(("seal rows", len(after)), update, values)
	return len(after)


def _superseded(row: Row) -> Row:
	return seals.sealed(row._replace(version=row.version + 1, revision=session_rows.new_revision()))


def _pairs(rows: list[Row], column: str) -> list[str]:
	return [value for row in rows for value in (row.name, getattr(row, column))]


def _seal_turns(names: list[str]) -> int:
	def select():
		of = table(turns.DOCTYPE)
		query = frappe.qb.from_(of).select(*(of[column] for column in turns.SEALED))
		return query.where(of.name.isin([P for _name in names]))

	def update():
		of = table(turns.DOCTYPE)
		query = frappe.qb.update(of).set(of.seal, Coalesce(of.seal, _by_name(of, len(sealed))))
		return query.where(of.name.isin([P for _name in sealed]))

	found = run(("unsealed turns", len(names)), select, names)
	sealed = {values[0]: seals.of_turn(values) for values in found}
	if sealed:
		pairs = [text for pair in sealed.items() for text in pair]
		run(("seal turns", len(sealed)), update, (*pairs, *sealed))
	return len(sealed)


def _by_name(of, number: int):
	"""CASE name WHEN … THEN … for so many names."""
	choice = Case()
	for _one in range(number):
		choice = choice.when(of.name == P, P)
	return choice
