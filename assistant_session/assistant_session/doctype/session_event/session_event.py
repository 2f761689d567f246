from ....documents import WrittenOnce
from ....maintenance import retention


class SessionEvent(WrittenOnce):
	"""One entry of the audit chain: nobody edits or deletes it, the user Administrator included."""

	@staticmethod
	def clear_old_logs(days: int = 730) -> None:
		"""Called by Frappe's Log Settings: what is left of a chain can still be verified."""
		retention.purge_events(days)
