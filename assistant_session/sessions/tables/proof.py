"""The columns of an authentication: what is stored when a person is known, and what when that ends."""

from datetime import datetime, timedelta
from typing import Any

from frappe import _

from .. import bounds, config
from ..errors import InvalidSessionData
from ..secrets import encryption, keys
from . import seals
from .row import Row

PERSON = "person"  # the namespace of identities where none is named

ENDED = {
	"authenticated": 0, "auth_method": None, "authenticated_at": None, "auth_expires_at": None,
	"user_profile": None, "locked_intent": None,
}  # fmt: skip


def holds(row: Row, now: datetime) -> bool:
	"""Whether the stored authentication holds: written here, not timed out, not idle for too long, of a session
	that lives."""
	return in_time(row, now) and seals.fits(row)


def in_time(row: Row, now: datetime) -> bool:
	"""The same, whoever wrote it."""
	if not row.authenticated or row.status != "Active" or not row.auth_expires_at:
		return False
	idle = timedelta(seconds=config.settings().authentication_idle)
	return now < row.auth_expires_at and now < row.expires_at and now < row.last_activity + idle


def granted(
	profile: dict[str, Any], method: str, identity: str | None, namespace: str, expires_in: int | None
) -> dict[str, Any]:
	"""Checked and in stored form; raises InvalidSessionData."""
	method = bounds.label(method, "method")
	text = bounds.json_object(scalars(profile), "profile")
	seconds = config.settings().authentication_ttl
	if expires_in is not None:
		seconds = bounds.ttl(expires_in, "expires_in")
	now = config.now()
	hashed = None if identity is None else identity_hash(identity, namespace)
	return {
		"authenticated": 1, "auth_method": method, "authenticated_at": now,
		"auth_expires_at": now + timedelta(seconds=seconds), "identity_hash": hashed,
		"user_profile": encryption.encrypted(text),
	}  # fmt: skip


def identity_hash(identity: str, namespace: str, *, key_id: str | None = None) -> str:
	"""A keyed hash by which sessions of one person can be found, and from which the person cannot."""
	parts = bounds.label(namespace, "namespace"), bounds.key(identity, "identity")
	return keys.digest(keys.IDENTITY, *parts, key_id=key_id)


def identity_hashes(identity: str, namespace: str) -> list[str]:
	"""The hash under every key the site has: sessions from before a rotation are found as well."""
	return [identity_hash(identity, namespace, key_id=key_id) for key_id in keys.ids()]


def scalars(profile: Any) -> dict[str, Any]:
	"""A profile: a mapping of texts to texts, numbers, booleans or null. Raises InvalidSessionData."""
	if not isinstance(profile, dict) or not all(
		isinstance(value, str | int | float | bool | None) for value in profile.values()
	):
		raise InvalidSessionData(_("profile: an object of texts, numbers and booleans is needed."))
	return profile
