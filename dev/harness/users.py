"""Users of the site with a role and an API key, made once and found again. The caller is connected."""

import secrets

import frappe
from frappe.utils.password import get_decrypted_password, set_encrypted_password


def key_of(email: str, role: str | None = None) -> str:
	"""An API key ("key:secret") of this user, who is made if there is none; the same one for everybody who asks. Committed."""
	if not frappe.db.exists("User", email):
		_make(email, role)
	if not frappe.db.get_value("User", email, "api_key"):
		frappe.db.set_value("User", email, "api_key", secrets.token_hex(8))
	secret = get_decrypted_password("User", email, "api_secret", raise_exception=False)
	if not secret:
		secret = secrets.token_hex(16)
		set_encrypted_password("User", email, secret, "api_secret")
	frappe.db.commit()
	return f"{frappe.db.get_value('User', email, 'api_key')}:{secret}"


def new_user(email: str):
	"""A website user. Frappe makes sixty an hour at most, but for imports; a suite that runs twice needs more."""
	values = {
		"doctype": "User", "email": email, "first_name": email.split("@")[0].title(), "enabled": 1,
		"send_welcome_email": 0, "user_type": "Website User",
	}  # fmt: skip
	importing, frappe.flags.in_import = frappe.flags.in_import, True
	try:
		return frappe.get_doc(values).insert(ignore_permissions=True)
	finally:
		frappe.flags.in_import = importing


def _make(email: str, role: str | None) -> None:
	document = new_user(email)
	if role:
		document.append("roles", {"role": role})
		document.save(ignore_permissions=True)
