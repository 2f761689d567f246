"""What the conversations need on the site: channels, two customers and a router. Made once, found again."""

import secrets

import frappe
from frappe.utils.password import get_decrypted_password

from .. import roles
from ..sessions import config
from . import register

CHANNELS = ("Pension", "Clinic", "Bank", "Presentation", "Shop")
ROUND_OF_OPENS = 600  # a hundred devices at once, several times a minute
ROUND_OF_ATTEMPTS = 1000  # everybody here comes from one network
USERS = {
	"krishna@example.com": "Krishna",
	"other.customer@example.com": "Other",
	"router@example.com": "Router",
}


def prepare() -> dict[str, str]:
	"""Make what is missing; returns an API key ("key:secret") for each of USERS."""
	settings = frappe.get_single(config.DOCTYPE)
	known = {row.channel for row in settings.channels}
	for channel in CHANNELS:
		if channel not in known:
			settings.append("channels", {"channel": channel, "guests": 1})
	settings.attempts_allowed_network = max(settings.attempts_allowed_network or 0, ROUND_OF_ATTEMPTS)
	settings.opens_per_minute = max(settings.opens_per_minute or 0, ROUND_OF_OPENS)
	settings.save(ignore_permissions=True)
	register.prepare()
	keys = {email: _api_key(email, name) for email, name in USERS.items()}
	_add_role("router@example.com", roles.SERVICE)
	frappe.db.commit()  # nosemgrep: the demo's own set-up, not library code
	return keys


def _api_key(email: str, first_name: str) -> str:
	if not frappe.db.exists("User", email):
		values = {"doctype": "User", "email": email, "first_name": first_name, "send_welcome_email": 0}
		frappe.get_doc({**values, "user_type": "Website User"}).insert(ignore_permissions=True)
	user = frappe.get_doc("User", email)
	secret = get_decrypted_password("User", email, "api_secret", raise_exception=False)
	if not secret:
		secret = user.api_secret = secrets.token_hex(16)
		user.api_key = secrets.token_hex(8)
		user.save(ignore_permissions=True)
	return f"{user.api_key}:{secret}"


def _add_role(email: str, role: str) -> None:
	user = frappe.get_doc("User", email)
	if role not in {row.role for row in user.roles}:
		user.append("roles", {"role": role})
		user.save(ignore_permissions=True)
