from ....documents import WrittenOnce
from ....maintenance import metric_retention


class SessionMetric(WrittenOnce):
	"""A figure, by the hour or in total. `metrics.totals` alone writes it."""

	@staticmethod
	def clear_old_logs(days: int = 400) -> None:
		"""Called by Frappe's Log Settings: hourly figures older than `days` go; totals stay."""
		metric_retention.purge(days)
