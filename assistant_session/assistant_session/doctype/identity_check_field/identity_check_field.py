from ....documents import PlainText


class IdentityCheckField(PlainText):
	"""Which field of the verifier a credential is compared with, or a profile value taken from."""

	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		field: DF.Data
		key: DF.Data
		kind: DF.Literal["Credential", "Profile"]
		parent: DF.Data
		parentfield: DF.Data
		parenttype: DF.Data
	# end: auto-generated types
