from assistant_session.maintenance import retention
from assistant_session.sessions.desk import WrittenOnce


class ConversationTurn(WrittenOnce):
	"""One message. Written once by the service, never edited; it goes when its session goes, or is past its retention."""

	@staticmethod
	def clear_old_logs(days: int = 365) -> None:
		"""Called by Frappe's Log Settings."""
		retention.purge_turns(days)
