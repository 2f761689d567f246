from ....documents import WrittenOnce
from ....maintenance import metric_retention


class SessionMetric(WrittenOnce):
	"""A figure, by the hour or in total. `sessions.tables.totals` alone writes it."""

	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		hour: DF.Datetime | None
		label: DF.Data | None
		metric: DF.Data | None
		value: DF.Float
	# end: auto-generated types

	@staticmethod
	def clear_old_logs(days: int = 400) -> None:
		"""Called by Frappe's Log Settings: hourly figures older than `days` go; totals stay."""
		metric_retention.purge(days)
