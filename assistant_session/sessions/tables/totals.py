"""The only writer of Session Metric: one row per hour, metric and label, and one row for the total of each.

A total has no hour and only ever grows, so that Prometheus sees a counter, whatever is purged. All of this
runs on connections the caller names, in short transactions that are committed at once; the current
transaction is not touched.
"""

import hashlib
from collections import defaultdict
from datetime import datetime, timedelta, timezone
from typing import Any

import frappe

from ... import database, second_connection
from ...counters import QUARTER, Batch, Key
from .. import config
from ..vantage import COMMITTED
from .statements import ask, insert, table, write

DOCTYPE = "Session Metric"
COLUMNS = ("name", "metric", "label", "hour", "value")
STANDARD = ("creation", "modified", "owner", "modified_by", "docstatus", "idx")
TOTAL = "total"
DIGITS = 6  # of a second; counts are whole

Row = tuple[str, str, str, datetime | None, float]


def add(batch: Batch) -> None:
	"""Add these counts to their hours and totals, all or nothing. Raises the driver's errors."""
	rows = _rows(batch)
	if not rows:
		return
	second_connection.in_own_transaction(
		lambda db: _ensure(db, rows)
	)  # first: to update a row that is not there would lock others' too
	second_connection.in_own_transaction(lambda db: _grow(db, rows))


def read() -> dict[Key, float]:
	"""The total of everything ever counted on this site, as committed now."""
	metrics = table(DOCTYPE)
	totals = frappe.qb.from_(metrics).select(metrics.metric, metrics.label, metrics.value)
	totals = totals.where(metrics.hour.isnull())
	return {(metric, label or ""): float(value) for metric, label, value in ask(totals, COMMITTED)}


def purge(days: int, limit: int) -> int:
	"""Remove at most `limit` hourly rows older than `days`; returns how many. Totals stay. The caller commits."""
	metrics, before = table(DOCTYPE), config.now() - timedelta(days=days)
	old = frappe.qb.from_(metrics).select(metrics.name).where(metrics.hour < before)
	old = database.for_update(old.orderby(metrics.hour).limit(limit), skip_locked=True)
	names = [name for (name,) in ask(old)]
	if names:
		write(frappe.qb.from_(metrics).delete().where(metrics.name.isin(names)))
	return len(names)


def _rows(batch: Batch) -> list[Row]:
	"""What is to be added to which row, in the order of their names, so that nobody deadlocks."""
	amounts: defaultdict[tuple, float] = defaultdict(float)
	for quarter, counts in batch.items():
		hour = _hour(quarter)
		for key, amount in counts.items():
			amounts[key, hour] += amount
			amounts[key, None] += amount
	rows = (
		(name_of(key, hour), *key, hour, round(amount, DIGITS)) for (key, hour), amount in amounts.items()
	)
	return sorted((row for row in rows if row[-1]), key=lambda row: row[0])


def name_of(key: Key, hour: datetime | None) -> str:
	"""A name that no two keys share, whatever the database takes for equal."""
	metric, label = key
	when = hour.strftime("%Y%m%d%H") if hour else TOTAL
	return (
		f"{when}-{metric}-{hashlib.sha256(label.encode()).hexdigest()[:16]}" if label else f"{when}-{metric}"
	)


def _hour(quarter: int) -> datetime:
	"""The hour a quarter lies in, in the site's time zone, without one."""
	moment = datetime.fromtimestamp(quarter * QUARTER, timezone.utc).astimezone(config.settings().time_zone)
	return moment.replace(minute=0, second=0, microsecond=0, tzinfo=None)


def _ensure(db: Any, rows: list[Row]) -> None:
	"""Make the rows that are missing, with nothing in them yet."""
	metrics = table(DOCTYPE)
	query = frappe.qb.from_(metrics).select(metrics.name).where(metrics.name.isin([row[0] for row in rows]))
	known = {name for (name,) in ask(query, on=db)}
	if missing := [row for row in rows if row[0] not in known]:
		_insert(db, [(*row[:-1], 0) for row in missing])


def _insert(db: Any, rows: list[Row]) -> None:
	now, user = config.now(), "Administrator"
	insert(DOCTYPE, (*COLUMNS, *STANDARD), [(*row, now, now, user, user, 0, 0) for row in rows], on=db)


def _grow(db: Any, rows: list[Row]) -> None:
	metrics, now = table(DOCTYPE), config.now()
	for row in rows:
		query = frappe.qb.update(metrics).set(metrics.value, metrics.value + row[-1])
		if not write(query.set(metrics.modified, now).where(metrics.name == row[0]), on=db):
			_insert(db, [row])  # purged, or removed by hand, a moment ago
