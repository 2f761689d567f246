from ....documents import PlainText


class ProtectedIntent(PlainText):
	"""An intent that only a person who passed an Identity Check is served for."""

	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		identity_check: DF.Link
		intent: DF.Data
		parent: DF.Data
		parentfield: DF.Data
		parenttype: DF.Data
	# end: auto-generated types
