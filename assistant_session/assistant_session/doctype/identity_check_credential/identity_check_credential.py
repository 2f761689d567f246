from frappe.model.document import Document


class IdentityCheckCredential(Document):
	"""One thing a person is asked for, and how it is recognised."""
