from frappe.model.document import Document


class IdentityCheckField(Document):
	"""Which field of the verifier a credential is compared with, or a profile value taken from."""
