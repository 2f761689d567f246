"""The figures as a table, as Markdown for docs/performance.md, and as JSON."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

LABELS = {
	"floor": "floor",
	"warm": "app, in memory",
	"cold": "app, cold",
	"gated": "app, in memory, verified",
	"naive once": "naive, one save",
	"naive each": "naive, a save per message",
	"endpoint warm": "send_message, in memory",
	"endpoint cold": "send_message, cold",
}


@dataclass(frozen=True)
class Figure:
	"""One number, and what it should be: at most `target`, or at least that."""

	name: str
	value: float
	unit: str = "×"
	target: float | None = None
	at_least: bool = False

	@property
	def reached(self) -> bool:
		if self.target is None:
			return True
		return self.value >= self.target if self.at_least else self.value <= self.target

	@property
	def verdict(self) -> str:
		return "" if self.target is None else ("ok" if self.reached else "MISSED")

	@property
	def wanted(self) -> str:
		return "" if self.target is None else f"{'≥' if self.at_least else '≤'} {self.target:g} {self.unit}"

	@property
	def shown(self) -> str:
		places = 0 if self.value >= 100 else (1 if self.unit == "µs" else 2)
		return f"{self.value:,.{places}f} {self.unit}"


def turns(medians: dict, trips: dict, lengths: Iterable[int]) -> list[list[str]]:
	"""Medians in microseconds: a row per contender, a column per length, then the trips of one turn."""
	lengths = tuple(lengths)
	rows = [["µs per turn, at turns of history", *(f"{length:,}" for length in lengths), "SQL", "Redis"]]
	for kind, label in LABELS.items():
		statements, redis = trips[kind]
		times = [f"{medians[kind, length]:,.0f}" for length in lengths]
		rows.append([label, *times, "-" if statements is None else str(statements), str(redis)])
	return rows


def targets(figures: Iterable[Figure]) -> list[list[str]]:
	rows = [[figure.name, figure.shown, figure.wanted, figure.verdict] for figure in figures]
	return [["figure", "measured", "target", ""], *rows]


def plain(rows: Sequence[Sequence[str]]) -> str:
	"""Columns of equal width, the first one to the left, the others to the right."""
	widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
	lines = [_line(row, widths) for row in rows]
	return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def markdown(rows: Sequence[Sequence[str]]) -> str:
	ruler = ["---", *("---:" for _column in rows[0][1:])]
	return "\n".join(f"| {' | '.join(row)} |" for row in (rows[0], ruler, *rows[1:]))


def as_json(figures: Iterable[Figure]) -> list[dict]:
	return [
		{
			"figure": figure.name, "value": round(figure.value, 3), "unit": figure.unit, "target": figure.target,
			"at_least": figure.at_least, "reached": figure.reached,
		}
		for figure in figures
	]  # fmt: skip


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
	cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
	return "  ".join([row[0].ljust(widths[0]), *cells[1:]])
