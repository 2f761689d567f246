from urllib.parse import urlsplit

import frappe
from frappe import _

from ....authentication import checks, targets
from ....documents import PlainText, require_author
from ....sessions import InvalidSessionData
from ....sessions.errors import NotPermitted


class IdentityCheck(PlainText):
	"""What proves who a person is: the credentials asked for, and who judges them."""

	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from ..identity_check_credential.identity_check_credential import IdentityCheckCredential
		from ..identity_check_field.identity_check_field import IdentityCheckField
		from frappe.types import DF

		credentials: DF.Table[IdentityCheckCredential]
		enabled: DF.Check
		fields: DF.Table[IdentityCheckField]
		identity_credential: DF.Data | None
		level: DF.Int
		namespace: DF.Data | None
		python_verifier: DF.Data | None
		secret: DF.Password | None
		timeout: DF.Int
		title: DF.Data
		url: DF.Data | None
		verified_field: DF.Data | None
		verified_value: DF.Data | None
		verifier: DF.Literal["DocType", "HTTP", "Python"]
		verify_doctype: DF.Link | None
	# end: auto-generated types

	def validate(self):
		require_author(self)
		try:
			targets.require_valid(checks.of(self))
			self._require_secret_of_new_host()
		except InvalidSessionData as error:
			frappe.throw(str(error), frappe.ValidationError)
		except NotPermitted as error:
			frappe.throw(str(error), frappe.PermissionError)
		for text in targets.warnings(checks.of(self)):
			frappe.msgprint(
				frappe.utils.escape_html(text), title=_("Will this be found?"), indicator="orange"
			)

	def _require_secret_of_new_host(self):
		"""The stored secret, which nobody can read, is not sent to a host somebody has just typed."""
		before = self.get_doc_before_save()
		if not (before and self.secret and set(self.secret) == {"*"}):
			return
		if urlsplit(self.url or "").netloc != urlsplit(before.url or "").netloc:
			raise InvalidSessionData(_("URL: another host. Enter its secret, or clear the old one."))

	def before_rename(self, *_names):
		frappe.throw(_("The name stands in the sessions that passed it: make a new check instead."))

	def on_update(self):
		checks.changed()

	def on_trash(self):
		if frappe.db.exists("Protected Intent", {"identity_check": self.name}):
			frappe.throw(
				_(
					"Intents are protected by this check. Take them off it in Assistant Session Settings first."
				)
			)
		checks.changed()
