"""Bringing counts into the database: beside a request or job, at most once a minute, and when the process ends.

    "assistant_session_metrics_interval": 60        # site_config.json, seconds between two flushes of a process

A flush is a short transaction on the second connection. If it fails, the counts stay and go with the next one; the
request has been answered by then. Should the connection break in the very COMMIT, the counts of that one flush
may be counted twice.
"""

import os

import frappe

from .. import compat, database
from ..counters import counters
from ..sessions import config
from ..sessions.coherence.memory import memory
from . import totals, workers


def after_request() -> None:
	"""Hook of Frappe's, after every request of the site."""
	memory.forget_old()
	if database.is_connected() and counters.due(config.metrics_interval()):
		flush()


def after_job() -> None:
	"""Hook of Frappe's, after every job: in a process of its own, whose memory is nobody's figure."""
	if database.is_connected() and counters.due(config.metrics_interval()):
		flush(as_worker=False)


def flush(*, as_worker: bool = True) -> bool:
	"""Store what this process has counted for this site; whether that went well. Never raises for a database in trouble."""
	batch = counters.take()
	try:
		totals.add(batch)
	except Exception as error:
		counters.put_back(batch)
		if not isinstance(error, compat.database_errors()):
			raise
		frappe.logger("assistant_session").error(
			f"metrics are kept for the next flush: {type(error).__name__}"
		)
		return False
	if as_worker:
		workers.publish()
	return True


def flush_all() -> None:
	"""A worker is told to stop, or a command is done: store what the process still holds, for every site."""
	for site, folder in counters.waiting().items():
		if not os.path.isdir(os.path.join(folder, site)):
			continue  # the site was dropped meanwhile
		try:
			frappe.init(site, sites_path=folder, force=True)
			frappe.connect()
			flush()
		except Exception as error:
			# Nobody is left to handle it, and the exit of a process that did its work must not fail for figures.
			frappe.logger("assistant_session").error(f"metrics of {site} are lost: {type(error).__name__}")
		finally:
			frappe.destroy()
