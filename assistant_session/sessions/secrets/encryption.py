"""Encryption at rest of what must not be readable in the table: profiles and pending messages.

The site's own Fernet key is used (`encryption_key` in site_config.json, which Frappe makes), so that there is
one key to keep with the backups.
"""

from cryptography.fernet import Fernet, InvalidToken
from frappe import _
from frappe.utils.password import get_encryption_key

from .keys import KeyMissing


def encrypted(text: str) -> str:
	return _cipher().encrypt(text.encode()).decode()


def decrypted(stored: str | None) -> str | None:
	"""The text again. What the site's key does not open raises KeyMissing; it is never taken for empty."""
	if not stored:
		return None
	try:
		return _cipher().decrypt(stored.encode()).decode()
	except InvalidToken as error:
		text = _(
			"The site's encryption_key does not open this session's data. Restore the key of its backup."
		)
		raise KeyMissing(text) from error


def _cipher() -> Fernet:
	return Fernet(get_encryption_key().encode())
