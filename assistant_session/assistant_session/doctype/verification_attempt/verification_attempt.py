from ....documents import WrittenOnce


class VerificationAttempt(WrittenOnce):
	"""A counter of verification attempts, under a keyed hash of what it counts. The lockout alone writes it."""

	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		attempts: DF.Int
		given_back: DF.Int
		kind: DF.Data | None
		locked_until: DF.Datetime | None
		locks: DF.Int
		window_started: DF.Datetime | None
	# end: auto-generated types
