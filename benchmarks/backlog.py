"""`python -m benchmarks.backlog [--sessions N]`: how fast the scheduler's jobs work off a large backlog.

Lays out expired sessions nobody has ended yet, lets the expiry job work for a while at the full backlog, and again when
little is left: the rate is to be the same. The longest statement and the longest transaction say how long anybody
may have to wait for a row. What is created is removed.
"""

import argparse
import secrets
import signal
import sys
import time
from contextlib import contextmanager
from datetime import timedelta
from hashlib import sha256

import frappe

from assistant_session import database
from assistant_session.maintenance import in_batches
from assistant_session.sessions import config
from assistant_session.sessions.operations import expiry
from assistant_session.sessions.tables import events, seals, session_rows
from assistant_session.sessions.tables.row import COLUMNS, Row

from . import driver, report, site
from .report import Figure

SESSIONS, LITTLE = 1_000_000, 10_000
SECONDS = 30  # of work at the full backlog
CHUNK = 2_000
OLD = timedelta(days=300)
PREFIX = "benchmark-backlog-"
NAMES = (
	"name", "session_id", "channel", "status", "ttl", "creation", "modified", "last_activity", "expires_at",
	"current_state", "version", "revision", "active_key", "event_count", "turn_count",
	"seal",
)  # fmt: skip
ZEROS = (
	"authenticated", "legal_hold", "agent_fence", "restored_count", "hidden_turns", "purged_turns", "purged_events",
)  # fmt: skip


def main() -> int:
	arguments = argparse.ArgumentParser(prog="python -m benchmarks.backlog")
	arguments.add_argument(
		"--sessions", type=int, default=SESSIONS, help=f"size of the backlog ({SESSIONS:,})"
	)
	number = arguments.parse_args().sessions
	signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
	try:
		with site.connected():
			figures = _measured(number)
	except site.BenchMissing as error:
		print(error, file=sys.stderr)
		return 2
	print(report.plain(report.targets(figures)))
	return 0


def _measured(number: int) -> list[Figure]:
	_say(f"laying out {number:,} expired sessions")
	try:
		_remove()
		_lay_out(number)
		_say(f"working for {SECONDS} s at the full backlog")
		full = _work(seconds=SECONDS)
		_say(f"leaving {LITTLE:,} of them")
		_remove(keep=LITTLE)
		little = _work(seconds=SECONDS)
		return _figures(number, full, little)
	finally:
		_say("removing what was created")
		site.reconnect()
		_remove()


def _figures(number: int, full: dict, little: dict) -> list[Figure]:
	return [
		Figure(f"sessions expired a second, backlog {number:,}", full["rate"], "/s"),
		Figure(f"sessions expired a second, backlog {LITTLE:,}", little["rate"], "/s"),
		Figure(
			"rate at the full backlog / rate at the small one",
			full["rate"] / little["rate"],
			target=0.8,
			at_least=True,
		),
		Figure("longest statement, full backlog", full["statement"] * 1000, "ms"),
		Figure("longest transaction, full backlog", full["transaction"] * 1000, "ms"),
	]


def _work(seconds: float) -> dict[str, float]:
	"""Rows a second; the longest statement and transaction in seconds."""
	overdue, transactions = expiry.Overdue(expiry.SESSIONS), []

	def batch() -> int:
		begun = time.perf_counter()
		done = overdue.end()
		frappe.db.commit()
		transactions.append(time.perf_counter() - begun)
		return done

	with _statements() as statements:
		begun = time.perf_counter()
		done = in_batches(batch, seconds=seconds)
		took = time.perf_counter() - begun
	return {"rate": done / took, "statement": max(statements), "transaction": max(transactions)}


@contextmanager
def _statements():
	"""The seconds each statement takes, as Frappe runs it."""
	taken: list[float] = []
	db = database.primary()
	sql = db.sql

	def timed(*arguments, **named):
		begun = time.perf_counter()
		try:
			return sql(*arguments, **named)
		finally:
			taken.append(time.perf_counter() - begun)

	db.sql = timed
	try:
		yield taken
	finally:
		del db.sql


def _lay_out(number: int) -> None:
	cursor, now = driver.cursor(), config.now()
	sql = driver.insert(session_rows.DOCTYPE, NAMES, CHUNK)
	for first in range(0, number, CHUNK):
		rows = [_row(place, now) for place in range(first, first + CHUNK)]
		cursor.execute(sql, [value for row in rows for value in row])
		frappe.db.commit()


def _row(place: int, now) -> tuple:
	name, past = f"{PREFIX}{place:010d}", now - OLD + timedelta(seconds=place)
	values = (
		name, name, "Web", "Active", 86400, past, past, past, past + timedelta(days=1), "COLLECTING", 3,
		str(secrets.randbelow(2**63)), sha256(name.encode()).hexdigest(), 0, 0,
	)  # fmt: skip
	known = {column: value for column, value in zip(NAMES, values, strict=False) if column in COLUMNS}
	row = Row(**{**dict.fromkeys(COLUMNS), **dict.fromkeys(ZEROS, 0), **known})
	return (*values, seals.sealed(row).seal)


def _remove(keep: int = 0) -> None:
	"""All but the last `keep`, in pieces."""
	highest = _bound("max")
	for doctype, column in ((events.DOCTYPE, "session"), (session_rows.DOCTYPE, "name")):
		table, of = driver.quoted(f"tab{doctype}"), driver.quoted(column)
		for first in range(0, highest + 1 - keep, CHUNK):
			span = (f"{PREFIX}{first:010d}", f"{PREFIX}{min(first + CHUNK, highest + 1 - keep):010d}")
			driver.cursor().execute(f"DELETE FROM {table} WHERE {of} >= %s AND {of} < %s", span)
			frappe.db.commit()


def _bound(function: str) -> int:
	table, name = driver.quoted(f"tab{session_rows.DOCTYPE}"), driver.quoted("name")
	cursor = driver.cursor()
	cursor.execute(f"SELECT {function}({name}) FROM {table} WHERE {name} LIKE %s", (f"{PREFIX}%",))
	(found,) = cursor.fetchone()
	return int(found.removeprefix(PREFIX)) if found else -1


def _say(text: str) -> None:
	print(f"[bench] {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
	sys.exit(main())
