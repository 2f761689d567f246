from assistant_session.maintenance import figures
from assistant_session.sessions import desk


class SessionMetric(desk.WrittenOnce):
	"""A figure, by the hour or in total. `metrics.totals` alone writes it."""

	@staticmethod
	def clear_old_logs(days: int = 400) -> None:
		"""Called by Frappe's Log Settings: hourly figures older than `days` go; totals stay."""
		figures.purge(days)
