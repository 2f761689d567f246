"""Storing and ending an authentication. Who may authenticate, and on what proof, is not decided here."""

from datetime import timedelta
from typing import Any

from . import bounds, config, keys, secrecy, writing
from .errors import InvalidSessionData
from .events import Event
from .rows import Row
from .snapshot import Session
from .writing import Write

ENDS_EMPTY = ("auth_method", "authenticated_at", "auth_expires_at", "identity_hash", "user_profile")


def authenticate(
	session_id: str,
	profile: dict[str, Any],
	*,
	method: str,
	identity: str | None = None,
	expires_in: int | None = None,
) -> Session:
	"""Store that the person is known: see sessions.authenticate."""
	name, method = bounds.session_id(session_id), bounds.label(method, "method")
	text = bounds.json_object(scalars(profile), "profile")
	seconds = (
		config.settings().authentication_ttl if expires_in is None else bounds.ttl(expires_in, "expires_in")
	)
	now = config.now()
	changes = {
		"authenticated": 1,
		"auth_method": method,
		"authenticated_at": now,
		"auth_expires_at": now + timedelta(seconds=seconds),
		"identity_hash": identity_hash(identity) if identity is not None else None,
		"user_profile": secrecy.conceal(text),
	}
	write = Write(changes, events=[Event("authenticated", {"method": method})], touch=True)
	return Session(writing.change(name, lambda _row: write).row, "database")


def deauthenticate(session_id: str, reason: str = "logout") -> Session:
	"""End the authentication, on every worker at its next read. Without one, nothing happens."""
	name, reason = bounds.session_id(session_id), bounds.label(reason, "reason")

	def decide(row: Row) -> Write:
		if not row.authenticated:
			return Write(any_status=True)
		changes = {**dict.fromkeys(ENDS_EMPTY), "authenticated": 0, "locked_intent": None}
		return Write(changes, events=[Event("deauthenticated", {"reason": reason})], any_status=True)

	return Session(writing.change(name, decide).row, "database")


def identity_hash(identity: str) -> str:
	"""A keyed hash by which sessions of one person can be found, and from which the person cannot."""
	return keys.digest(keys.IDENTITY, bounds.label(identity, "identity"))


def scalars(profile: Any) -> dict[str, Any]:
	"""A profile: a mapping of texts to texts, numbers, booleans or null. Raises InvalidSessionData."""
	if not isinstance(profile, dict) or not all(
		isinstance(value, str | int | float | bool | None) for value in profile.values()
	):
		raise InvalidSessionData("profile: an object of texts, numbers and booleans is needed.")
	return profile
