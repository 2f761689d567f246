"""Bringing counts into the database, and doing it once more when the process ends.

A flush is a short transaction on the second connection. If it fails, the counts stay and go with the next one; the
request has been answered by then. Should the connection break in the very COMMIT, the counts of that one flush
may be counted twice. When a running worker flushes is said in `metrics.flushing`.
"""

import atexit
import os

import frappe

from ... import database_errors
from ...counters import Counts, counters
from ..tables import totals


def count(counts: Counts) -> None:
	"""Figures of a transaction that is committed."""
	counters.add(counts)


def flush() -> bool:
	"""Store what this process has counted for this site; whether that went well. Never raises for a database in trouble."""
	batch = counters.take()
	try:
		totals.add(batch)
	except Exception as error:
		counters.put_back(batch)
		if not isinstance(error, database_errors.every_kind()):
			raise
		frappe.logger("assistant_session").error(
			f"metrics are kept for the next flush: {type(error).__name__}"
		)
		return False
	return True


@atexit.register
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
