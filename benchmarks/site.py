"""This process inside the bench's site, with limits out of the way, for as long as the benchmark runs."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import frappe

from dev.harness import connection

FOREVER = float("inf")  # seconds


class BenchMissing(Exception):
	"""There is no bench to measure on; the text says what to do."""


@contextmanager
def connected() -> Iterator[None]:
	"""Connect as Administrator to FRAPPE_SITE of FRAPPE_BENCH, and leave again."""
	bench, site = os.environ.get("FRAPPE_BENCH"), os.environ.get("FRAPPE_SITE")
	if not (bench and site):
		raise BenchMissing("FRAPPE_BENCH and FRAPPE_SITE are needed; `make bench` sets them.")
	with connection.connected(Path(bench) / "sites", site):
		yield


def reconnect() -> None:
	"""New connections to database and Redis: one that was interrupted in the middle of an answer is of no use."""
	from assistant_session.sessions.coherence import register

	with suppress(Exception):
		frappe.db.close()
	frappe.connect()
	register._connections.clear()
	frappe.cache.connection_pool.disconnect()
	frappe.local.request = None


@contextmanager
def settings(**changes: int):
	"""Other values of Assistant Session Settings, in this process alone; nothing is stored.

	The snapshot is kept for the whole time, so what is not measured is its renewal: two statements every five
	seconds, however many turns there are.
	"""
	from assistant_session.sessions import config

	networks = dict.fromkeys(("messages_per_minute_network", "megabytes_per_hour_network"), 10**9)
	changed = replace(config.settings(), credential_patterns=(), own_patterns=(), **networks, **changes)
	config.settings.keep(changed, FOREVER)
	try:
		yield changed
	finally:
		config.forget()


def description() -> dict[str, str | int]:
	"""What the figures were measured on."""
	import redis

	return {
		"frappe": frappe.__version__,
		"python": platform.python_version(),
		"database": f"{frappe.db.db_type} {frappe.db.sql('select version()')[0][0]}",
		"driver": type(frappe.db._conn).__module__.partition(".")[0],
		"redis client": redis.__version__,
		"processors": os.cpu_count() or 0,
		"machine": platform.machine(),
	}
