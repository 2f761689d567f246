"""What the tests of this room have done in processes of their own; each imports what it needs, as a process of a site would."""

import os
from collections.abc import Callable

import frappe

from assistant_session import sessions
from assistant_session.counters import counters


def count(label: str) -> None:
	counters.count("turns", label)


def count_and_flush(label: str) -> bool:
	from assistant_session.metrics import after_requests

	counters.count("turns", label)
	return after_requests.flush()


def count_flush_and_count(label: str) -> None:
	count_and_flush(label)
	counters.count("turns", label)


def count_and_end_a_request(label: str) -> int:
	"""Frappe's own hooks flush; what is stored then."""
	from frappe.app import run_after_request_hooks

	_count_with_a_flush_due(label)
	run_after_request_hooks(None, None)
	return _stored(label)


def count_and_do_a_job(label: str, site: str, fails: bool = False) -> int:
	from frappe.utils.background_jobs import execute_job

	_count_with_a_flush_due(label)
	work: Callable = (lambda: 1 / 0) if fails else frappe.ping
	try:
		execute_job(site, work, None, "a job", {}, is_async=False)
	except ZeroDivisionError:
		return _stored(label)
	return _stored(label)


def is_shown_as_worker() -> bool:
	from assistant_session.metrics import workers

	return workers.name() in workers.read()


def flush_in_a_race(round: int, label: str) -> None:
	from assistant_session.metrics import after_requests

	counters.count("turns", label)
	counters.count("busy", label, 2)
	counters.count("turns", f"{label} {round}")
	assert after_requests.flush()


def connect_by(port: int) -> None:
	"""From the next connection on."""
	frappe.local.conf.db_host, frappe.local.conf.db_port = "127.0.0.1", port


def _count_with_a_flush_due(label: str) -> None:
	counters.count("turns", label)
	counters._flushed.clear()


def _stored(label: str) -> int:
	from assistant_session.sessions.tables import totals

	return totals.read().get(("turns", label), 0)


def count_on_two_sites(one: str, other: str, label: str) -> list:
	"""What each has stored and read, when the first has flushed, and when both have."""
	from assistant_session.metrics import after_requests
	from tests.sessions.in_workers.sites import on

	def first() -> None:
		counters.count("turns", label, 2)
		counters.read(hit=True)

	def seen() -> list:
		return [_stored(label), counters.reads()]

	on(one, first)
	on(other, lambda: counters.count("turns", label, 5))
	on(one, after_requests.flush)
	result = [on(one, seen), on(other, seen)]
	on(other, after_requests.flush)
	return [*result, on(one, seen), on(other, seen)]


def fork_with_something_counted(label: str) -> int:
	"""The exit status of a child: 1 if it has its parent's figures."""
	from assistant_session.metrics import after_requests

	counters.count("turns", label)
	child = os.fork()
	if not child:
		os._exit(1 if counters.waiting() or any(counters.reads()) else 0)
	status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
	after_requests.flush()
	return status


def open_and_read(name: str) -> None:
	sessions.open(name)
	sessions.get(name)
	frappe.db.commit()
