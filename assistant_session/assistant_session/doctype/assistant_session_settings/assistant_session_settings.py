import frappe
from frappe import _
from frappe.model.document import Document

from assistant_session.sessions import bounds, config


class AssistantSessionSettings(Document):
	"""Times, limits and channels; workers notice a change within five seconds."""

	def validate(self):
		for field in ("session_ttl", "agent_lock_ttl", "authentication_ttl", "authentication_idle"):
			if not 60 <= (self.get(field) or 0) <= bounds.LONGEST_TTL:
				text = _("{0}: between 60 seconds and 366 days.")
				frappe.throw(text.format(self.meta.get_label(field)))
		for field in self.POSITIVE:
			if (self.get(field) or 0) < 1:
				frappe.throw(_("{0}: at least 1.").format(self.meta.get_label(field)))
		names = [row.channel for row in self.channels]
		if len(names) != len(set(names)):
			frappe.throw(_("A channel is listed twice."))

	def on_update(self):
		config.forget()

	POSITIVE = (
		"message_limit", "json_limit", "history_page", "hold_wait", "opens_per_minute", "messages_per_minute",
		"memory_sessions", "memory_megabytes",
	)  # fmt: skip
