from ....documents import WrittenOnce
from ....maintenance import retention


class ConversationTurn(WrittenOnce):
	"""One message. Written once by the service, never edited; it goes when its session goes, or is past its retention."""

	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		content: DF.LongText | None
		intent: DF.Data | None
		message_digest: DF.Data | None
		message_key: DF.Data | None
		metadata: DF.Code | None
		reply_to: DF.Int
		role: DF.Literal["user", "assistant", "system"]
		seal: DF.Data | None
		sequence: DF.Int
		session: DF.Link
		state: DF.Data | None
	# end: auto-generated types

	@staticmethod
	def clear_old_logs(days: int = 365) -> None:
		"""Called by Frappe's Log Settings."""
		retention.purge_turns(days)
