import frappe
from frappe import _

from ....documents import ServiceDocument
from ....maintenance import retention
from ....sessions.operations import desk_edits


class ConversationSession(ServiceDocument):
	"""A row the service owns. Desk may read it, and the user Administrator may edit a few fields or delete it.

	Whatever is saved here goes through the register like any other write, so that no worker goes on with what
	it remembers.
	"""

	EDITABLE = frozenset({"ttl", "current_state", "previous_state", "context", "flows"})

	@staticmethod
	def clear_old_logs(days: int = 365) -> None:
		"""Called by Frappe's Log Settings: sessions that ended more than `days` ago go, with all that belongs to them."""
		retention.purge(days)

	def validate(self):
		self._refuse_other_changes()
		self._check_editable()
		desk_edits.supersede(self)

	def on_update(self):
		desk_edits.announce(self.name)

	def on_trash(self):
		if self.legal_hold:
			frappe.throw(_("This session is under legal hold and cannot be deleted."), frappe.ValidationError)
		desk_edits.forget(self.name)

	def _refuse_other_changes(self):
		before = self.get_doc_before_save()
		for field in self.meta.get_valid_columns():
			service_owned = field not in self.EDITABLE and field not in desk_edits.FRAMEWORK_FIELDS
			if service_owned and before and desk_edits.differs(self, before, field):
				label = self.meta.get_label(field)
				frappe.throw(_("{0} belongs to the session service and cannot be edited.").format(label))

	def _check_editable(self):
		desk_edits.check_edit(self)
