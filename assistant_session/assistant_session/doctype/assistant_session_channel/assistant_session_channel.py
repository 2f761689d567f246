from ....documents import PlainText


class AssistantSessionChannel(PlainText):
	"""A channel conversations come in by, and how far its callers are trusted."""

	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		channel: DF.Data
		guests: DF.Check
		parent: DF.Data
		parentfield: DF.Data
		parenttype: DF.Data
		verified_by_provider: DF.Check
	# end: auto-generated types
