"""Looking at every turn of some sessions, a bounded number at once: does it fit its seal, is its metadata readable?"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import frappe

from ... import json_texts
from ..tables import seals, turns
from ..tables.statements import ask, table
from .findings import BROKEN_JSON, TURN_ALTERED, UNREADABLE, Finding

TURNS = 1000  # in memory at once
MOST_NAMED = 5  # in one finding


def examine(counts: dict[str, int], db) -> list[Finding]:
	"""What is wrong with the turns of these sessions, of which each has so many."""
	findings: list[Finding] = []
	for names in _groups(counts):
		unfitting: dict[tuple[str, str], list[int]] = defaultdict(list)
		for values, seal in _stored(names, db):
			turn = dict(zip(turns.SEALED, values, strict=True))
			if kind := _unfitting(values, seal):
				unfitting[turn["session"], kind].append(turn["sequence"])
			if turn["metadata"] and not is_object(turn["metadata"]):
				detail = f"metadata of turn {turn['sequence']}"
				findings.append(Finding(turn["session"], BROKEN_JSON, detail))
		findings += [Finding(name, kind, _named(kind, which)) for (name, kind), which in unfitting.items()]
	return findings


def is_object(text: Any) -> bool:
	"""Whether this is a JSON object."""
	try:
		return isinstance(json_texts.loads(text), dict)
	except (TypeError, ValueError):
		return False


def _unfitting(values: tuple, seal: str | None) -> str | None:
	problem = seals.problem_of_turn(values, seal)
	return problem and (UNREADABLE if problem == seals.KEY_GONE else TURN_ALTERED)


def _named(kind: str, sequences: list[int]) -> str:
	what = "turn" if len(sequences) == 1 else "turns"
	numbers = ", ".join(map(str, sequences[:MOST_NAMED]))
	if (more := len(sequences) - MOST_NAMED) > 0:
		numbers += f" and {more} more"
	return f"seal of {what} {numbers}" if kind == UNREADABLE else f"{what} {numbers}"


def _groups(counts: dict[str, int]) -> Iterator[list[str]]:
	"""Sessions together that have few turns; one that has many by itself."""
	group: list[str] = []
	total = 0
	for name, count in counts.items():
		if group and total + count > TURNS:
			yield group
			group, total = [], 0
		group.append(name)
		total += count
	if group:
		yield group


def _stored(names: list[str], db) -> Iterator[tuple[tuple, str | None]]:
	"""What each turn's seal covers, and the seal, in the order of their names."""
	of, after = table(turns.DOCTYPE), ""
	query = frappe.qb.from_(of).select(*(of[column] for column in turns.SEALED), of.seal)
	query = query.where(of.session.isin(names)).orderby(of.name).limit(TURNS)
	while rows := ask(query.where(of.name > after), on=db):
		yield from ((row[:-1], row[-1]) for row in rows)
		if len(rows) < TURNS:
			return
		after = rows[-1][0]
