from ....documents import WrittenOnce
from ....maintenance import retention


class SessionEvent(WrittenOnce):
	"""One entry of the audit chain: nobody edits or deletes it, the user Administrator included."""

	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		actor: DF.Data | None
		details: DF.Code | None
		digest: DF.Data | None
		event: DF.Data | None
		salt: DF.Data | None
		sequence: DF.Int
		session: DF.Link
	# end: auto-generated types

	@staticmethod
	def clear_old_logs(days: int = 730) -> None:
		"""Called by Frappe's Log Settings: what is left of a chain can still be verified."""
		retention.purge_events(days)
