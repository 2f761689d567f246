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

	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		active_agent: DF.Data | None
		active_key: DF.Data | None
		address_digits: DF.Data | None
		agent_fence: DF.Int
		agent_lock_expires_at: DF.Datetime | None
		agent_locked_at: DF.Datetime | None
		auth_expires_at: DF.Datetime | None
		auth_method: DF.Data | None
		authenticated: DF.Check
		authenticated_at: DF.Datetime | None
		channel: DF.Data | None
		close_reason: DF.Data | None
		closed_at: DF.Datetime | None
		context: DF.Code | None
		current_state: DF.Data | None
		device_id: DF.Data | None
		event_base: DF.Data | None
		event_count: DF.Int
		event_head: DF.Data | None
		expires_at: DF.Datetime | None
		external_id: DF.Data | None
		flows: DF.Code | None
		hidden_turns: DF.Int
		identity_hash: DF.Data | None
		idle_notified_at: DF.Datetime | None
		last_activity: DF.Datetime | None
		last_role: DF.Data | None
		legal_hold: DF.Check
		legal_hold_at: DF.Datetime | None
		legal_hold_by: DF.Link | None
		legal_hold_reason: DF.SmallText | None
		locked_intent: DF.Data | None
		old_token_hash: DF.Data | None
		old_token_key: DF.Data | None
		old_token_until: DF.Datetime | None
		party: DF.DynamicLink | None
		party_type: DF.Link | None
		pending_intent: DF.Data | None
		pending_message: DF.LongText | None
		preview: DF.Data | None
		previous_state: DF.Data | None
		purged_events: DF.Int
		purged_turns: DF.Int
		restored_count: DF.Int
		revision: DF.Data | None
		seal: DF.Data | None
		session_id: DF.Data | None
		status: DF.Literal["Active", "Closed", "Expired"]
		title: DF.Data | None
		token_hash: DF.Data | None
		ttl: DF.Int
		turn_count: DF.Int
		user: DF.Link | None
		user_profile: DF.LongText | None
		version: DF.Int
	# end: auto-generated types

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
