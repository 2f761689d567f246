import json

from frappe.model.document import Document

from assistant_session.sessions import desk


class ConversationTurn(Document):
	"""One message. Written once by the service, never edited; it goes when its session goes."""

	def before_insert(self):
		desk.refuse(self)

	def validate(self):
		desk.refuse(self)

	def before_rename(self, *_names):
		desk.refuse(self)

	def on_trash(self):
		desk.refuse(self)

	def as_json(self):
		if self.flags.in_delete:
			return json.dumps({"doctype": self.doctype, "name": self.name})
		return super().as_json()
