from frappe.model.document import Document


class ProtectedIntent(Document):
	"""An intent that only a person who passed an Identity Check is served for."""
