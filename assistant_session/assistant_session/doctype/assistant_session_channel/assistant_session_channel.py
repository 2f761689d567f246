from frappe.model.document import Document


class AssistantSessionChannel(Document):
	"""A channel conversations come in by, and how far its callers are trusted."""
