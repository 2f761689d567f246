"""The site's own secret for sessions, and the keys derived from it, one per purpose.

The secret lives in site_config.json, 256 bits in hex under an id, beside the id in use:

    "assistant_session_keys": {"current": "k1", "k1": "…64 hex digits…"}

Rotation adds an id and moves `current`; old ids stay for as long as something hashed with them is kept.
Whoever has a backup together with its site config has the key. Without a key everything that needs one
refuses to work.
"""

import hashlib
import hmac
import secrets
from functools import lru_cache

import frappe
from frappe import _

from ..errors import SessionError

CONFIG = "assistant_session_keys"
AUDIT, IDENTITY, MESSAGE, ATTEMPTS, DEVICE = "audit", "identity", "message", "attempts", "device"
SEAL, ANCHOR = "seal", "anchor"


class KeyMissing(SessionError):
	"""The site has no key for sessions (500: somebody must act)."""


def digest(purpose: str, *parts: str, key_id: str | None = None) -> str:
	"""`<key id>:<hex>`: HMAC-SHA256 over the site and `parts`, each with its length in front (64 hex digits)."""
	key_id, key = _derived(purpose, key_id)
	return f"{key_id}:{hmac.new(key, framed(frappe.local.site, *parts), hashlib.sha256).hexdigest()}"


def ids() -> list[str]:
	"""The ids of all keys the site has, the one in use included."""
	return sorted(key for key in frappe.local.conf.get(CONFIG) or {} if key != "current")


def framed(*parts: str) -> bytes:
	"""Parts as bytes, each after its length, so that no two lists of parts give the same bytes."""
	encoded = [part.encode() for part in parts]
	return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)


def ensure() -> bool:
	"""Make the site's secret if it has none; say whether one was made."""
	if frappe.local.conf.get(CONFIG):
		return False
	from frappe.installer import update_site_config

	made = {"current": "k1", "k1": secrets.token_hex(32)}
	update_site_config(CONFIG, made, validate=False)
	frappe.local.conf[CONFIG] = made
	return True


def _derived(purpose: str, key_id: str | None) -> tuple[str, bytes]:
	keys = frappe.local.conf.get(CONFIG) or {}
	key_id = key_id or keys.get("current")
	secret = keys.get(key_id) if key_id != "current" else None
	if key_id is None or not isinstance(secret, str) or len(secret) < 64:
		text = _(
			"This site has no key for conversation sessions. Run: bench --site {0} assistant-session make-key"
		)
		raise KeyMissing(text.format(frappe.local.site))
	return key_id, _derived_from(secret, purpose)


@lru_cache(maxsize=64)
def _derived_from(secret: str, purpose: str) -> bytes:
	"""By the secret itself: sites, and the keys of one site, are never mistaken for each other."""
	return hmac.new(bytes.fromhex(secret), purpose.encode(), hashlib.sha256).digest()
