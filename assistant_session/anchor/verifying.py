"""Comparing anchors with the database: is what was written down then still there, and did nobody touch the anchors?

A session that is not there any more was deleted, purged or erased: said as gone, and no damage. One that is there with
less than was anchored was put back. Lines are read one after the other, sessions looked up in batches.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import frappe

from .. import json_texts
from ..sessions.tables import audit_chain, events, session_rows
from ..sessions.tables.row import Row
from ..sessions.tables.statements import ask, table
from ..sessions.vantage import COMMITTED
from .anchoring import BATCH, is_genuine

MOST_NAMED = 1000


@dataclass
class Verdict:
	"""How many documents and entries were looked at, how many sessions were gone, and what does not fit (at most
	MOST_NAMED sentences; all are counted)."""

	documents: int = 0
	entries: int = 0
	gone: int = 0
	unfitting: int = 0
	problems: list[str] = field(default_factory=list)

	def blame(self, text: str) -> None:
		self.unfitting += 1
		if len(self.problems) < MOST_NAMED:
			self.problems.append(text)


@dataclass(frozen=True)
class Entry:
	"""What an anchor says of one session."""

	name: str
	opened: str
	version: int
	turns: int
	events: int
	head: str


def verify(lines: Iterable[str]) -> Verdict:
	"""The verdict on a file of anchors."""
	verdict, before = Verdict(), None
	for number, line in enumerate(lines, 1):
		document, entries = _read(line)
		if document is None:
			verdict.blame(f"line {number}: was not written by this site, or was altered")
			continue
		if before and not _follows(before, document):
			verdict.blame(f"line {number}: document {document['number']} does not follow {before['number']}")
		verdict.documents, before = verdict.documents + 1, document
		for first in range(0, len(entries), BATCH):
			_compare(entries[first : first + BATCH], verdict)
	return verdict


def _read(line: str) -> tuple[dict[str, Any] | None, list[Entry]]:
	try:
		document = json_texts.loads(line)
		if not isinstance(document, dict) or not is_genuine(document):
			return None, []
		return document, [Entry(*entry) for entry in document["sessions"]]
	except (KeyError, TypeError, ValueError):
		return None, []


def _follows(before: dict[str, Any], document: dict[str, Any]) -> bool:
	"""The next one, or the same once more, because it was not certain that it had arrived."""
	again = document["previous"] == before["previous"] and document["number"] == before["number"]
	return document["previous"] == before["signature"] or again


def _compare(entries: list[Entry], verdict: Verdict) -> None:
	digests = _digests([_event(entry) for entry in entries])  # first: a purge meanwhile is in the row then
	rows = _rows([entry.name for entry in entries])
	for entry in entries:
		verdict.entries += 1
		row = rows.get(entry.name)
		if row is None or str(row.creation) != entry.opened:
			verdict.gone += 1
		elif problem := _problem(entry, row, digests.get(_event(entry))):
			verdict.blame(f"{entry.name}: {problem}")


def _problem(entry: Entry, row: Row, digest: str | None) -> str | None:
	counts = ("version", row.version, entry.version), ("turns", row.turn_count, entry.turns)
	for what, now, then in (*counts, ("events", row.event_count, entry.events)):
		if not isinstance(now, int) or now < then:
			return f"{what}: {now} now, {then} when it was anchored"
	if row.purged_events >= entry.events:
		base = audit_chain.base_of(row)
		fits = base == entry.head if row.purged_events == entry.events else base is not None
		return None if fits else "what stands for purged events was altered"
	if digest != entry.head:
		return f"event {entry.events} {'is missing' if digest is None else 'is another one'}"
	return None


def _event(entry: Entry) -> str:
	return audit_chain.name_of(entry.name, entry.events)


def _rows(names: list[str]) -> dict[str, Row]:
	query = session_rows.select_all().where(table(session_rows.DOCTYPE).name.isin(names))
	return {row.name: row for row in map(Row._make, ask(query, COMMITTED))}


def _digests(names: list[str]) -> dict[str, str]:
	of = table(events.DOCTYPE)
	query = frappe.qb.from_(of).select(of.name, of.digest).where(of.name.isin(names))
	return dict(ask(query, COMMITTED))
