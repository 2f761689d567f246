from ....documents import PlainText


class IdentityCheckCredential(PlainText):
	"""One thing a person is asked for, and how it is recognised."""

	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		example: DF.Data
		identifying: DF.Literal["", "Yes", "No"]
		key: DF.Data
		label: DF.Data
		normalisation: DF.Literal["Letters and digits", "Digits", "Date", "Upper case", "As typed"]
		parent: DF.Data
		parentfield: DF.Data
		parenttype: DF.Data
		pattern: DF.Data
	# end: auto-generated types
