import frappe
from frappe import _
from frappe.model.document import Document

from assistant_session.authentication import checks, targets
from assistant_session.sessions import InvalidSessionData
from assistant_session.sessions.errors import NotPermitted


class IdentityCheck(Document):
	"""What proves who a person is: the credentials asked for, and who judges them."""

	def validate(self):
		try:
			targets.require_valid(checks.of(self))
		except InvalidSessionData as error:
			frappe.throw(str(error), frappe.ValidationError)
		except NotPermitted as error:
			frappe.throw(str(error), frappe.PermissionError)

	def before_rename(self, *_names):
		frappe.throw(_("The name stands in the sessions that passed it: make a new check instead."))

	def on_update(self):
		checks.forget()

	def on_trash(self):
		if frappe.db.exists("Protected Intent", {"identity_check": self.name}):
			frappe.throw(
				_(
					"Intents are protected by this check. Take them off it in Assistant Session Settings first."
				)
			)
		checks.forget()
