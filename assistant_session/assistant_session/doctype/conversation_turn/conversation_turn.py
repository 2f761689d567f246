from ....documents import WrittenOnce
from ....maintenance import retention


class ConversationTurn(WrittenOnce):
	"""One message. Written once by the service, never edited; it goes when its session goes, or is past its retention."""

	@staticmethod
	def clear_old_logs(days: int = 365) -> None:
		"""Called by Frappe's Log Settings."""
		retention.purge_turns(days)
