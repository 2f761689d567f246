from frappe.model.document import Document

from assistant_session.sessions import desk


class SessionEvent(Document):
	"""One entry of the audit chain: nobody edits or deletes it, the user Administrator included."""

	def before_insert(self):
		desk.refuse(self)

	def validate(self):
		desk.refuse(self)

	def before_rename(self, *_names):
		desk.refuse(self)

	def on_trash(self):
		desk.refuse(self)
