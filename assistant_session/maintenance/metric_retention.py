"""Hourly figures go after a while (Log Settings, Session Metric: 400 days); totals stay."""

from ..sessions.tables import totals
from . import in_batches

BATCH = 1000


def purge(days: int) -> int:
	"""Remove hourly figures older than `days`, in steps that are committed; returns how many."""
	return in_batches(lambda: totals.purge(days, BATCH))
