"""`make scale`, or `python -m benchmarks.volume [--turns N]`: what a turn costs when the table is large.

Measures the same contenders as `make bench` with ten thousand turns in the table, lays out N more (ten million) of other
conversations, and measures again. The bare statements are measured both times as well: where they grow by
the same, it is the database that got slower, not the app. What is created is removed. MariaDB only.
"""

import argparse
import signal
import sys

import frappe

from assistant_session.sessions.tables import turns

from . import driver, histories, race, report, site
from .report import Figure

TURNS, FEW = 10_000_000, 10_000
LENGTH = 100  # turns of the conversation that is measured
PER_SESSION = 20
CHUNK = 100_000
ROUNDS = 300
PREFIX = "benchmark-volume-"
KINDS = ("floor", "cold", "warm")


def main() -> int:
	parser = argparse.ArgumentParser(prog="python -m benchmarks.volume")
	parser.add_argument("--turns", type=int, default=TURNS, help=f"turns in the large table ({TURNS:,})")
	parser.add_argument("--rounds", type=int, default=ROUNDS)
	arguments = parser.parse_args()
	signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
	try:
		with site.connected(), site.settings(memory_sessions=6000, messages_per_minute=10**9):
			figures = _measured(arguments.turns, arguments.rounds)
	except site.BenchMissing as error:
		print(error, file=sys.stderr)
		return 2
	print(report.plain(report.targets(figures)))
	return 0


def _measured(number: int, rounds: int) -> list[Figure]:
	try:
		_remove()
		histories.clean()
		_lay_out(FEW)
		few = _medians(rounds, FEW)
		_lay_out(number)
		return _figures(few, _medians(rounds, number), number)
	finally:
		_say("removing what was created")
		site.reconnect()
		histories.clean()
		_remove()


def _figures(few: dict, many: dict, number: int) -> list[Figure]:
	figures = [
		Figure(f"{report.LABELS[kind]}, {FEW:,} turns in the table", few[kind], "µs") for kind in KINDS
	]
	figures += [
		Figure(f"{report.LABELS[kind]}, {number:,} turns in the table", many[kind], "µs") for kind in KINDS
	]
	figures += [
		Figure(f"{report.LABELS[kind]}, {number:,} / {FEW:,}", many[kind] / few[kind], target=1.25)
		for kind in KINDS
	]
	return [*figures, Figure("size of the table", _megabytes(), "MB")]


def _medians(rounds: int, number: int) -> dict:
	from .floor import Floor
	from .turn import App, answer_at_once

	_say(f"measuring with {number:,} turns in the table")
	answer_at_once()
	contenders = {
		"floor": Floor(LENGTH), "cold": App(LENGTH, in_memory=False), "warm": App(LENGTH, in_memory=True),
	}  # fmt: skip
	return race.medians(race.race(contenders, rounds, lambda _round: None))


def _lay_out(number: int) -> None:
	"""Turns of many conversations, up to `number` in all, by statements the server carries out alone."""
	cursor, there = driver.cursor(), _highest() + 1
	columns = driver.columns(
		("name", "session", "sequence", "role", "content", "message_key", "reply_to", "creation", "modified")
	)
	name = f"concat('{PREFIX}', lpad(seq div {PER_SESSION}, 9, '0'))"
	sequence = f"(seq mod {PER_SESSION}) + 1"
	for first in range(there, number, CHUNK):
		last = min(first + CHUNK, number) - 1
		cursor.execute(
			f"INSERT INTO {driver.quoted('tab' + turns.DOCTYPE)} ({columns})"
			f" SELECT concat({name}, '-', lpad({sequence}, 10, '0')), {name}, {sequence},"
			" if(seq mod 2, 'assistant', 'user'), if(seq mod 2, %s, %s), if(seq mod 2, null, sha2(seq, 256)),"
			f" 0, now(6), now(6) FROM seq_{first}_to_{last}",
			(histories.REPLY, histories.MESSAGE),
		)
		frappe.db.commit()
		if first // CHUNK % 10 == 0:
			_say(f"{last + 1:,} of {number:,} turns laid out")


def _remove() -> None:
	table, name = driver.quoted(f"tab{turns.DOCTYPE}"), driver.quoted("name")
	sessions = CHUNK // PER_SESSION
	for first in range(0, (_highest() + 1) // PER_SESSION + 1, sessions):
		span = (f"{PREFIX}{first:09d}", f"{PREFIX}{first + sessions:09d}")
		driver.cursor().execute(f"DELETE FROM {table} WHERE {name} >= %s AND {name} < %s", span)
		frappe.db.commit()


def _highest() -> int:
	"""The number of the last turn laid out, -1 if there is none."""
	cursor = driver.cursor()
	cursor.execute(
		f"SELECT max({driver.quoted('name')}) FROM {driver.quoted('tab' + turns.DOCTYPE)}"
		f" WHERE {driver.quoted('name')} LIKE %s",
		(f"{PREFIX}%",),
	)
	(found,) = cursor.fetchone()
	if not found:
		return -1
	session, sequence = found.removeprefix(PREFIX).split("-")
	return int(session) * PER_SESSION + int(sequence) - 1


def _megabytes() -> float:
	(size,) = frappe.db.sql(
		"select (data_length + index_length) / 1048576 from information_schema.tables"
		" where table_schema = database() and table_name = %s",
		f"tab{turns.DOCTYPE}",
	)[0]
	return float(size)


def _say(text: str) -> None:
	print(f"[bench] {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
	sys.exit(main())
