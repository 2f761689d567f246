"""Storing and ending an authentication. Who may authenticate, and on what proof, is not decided here."""

from typing import Any

from .. import bounds
from ..coherence import writing
from ..coherence.writing import MUST_HAPPEN, Decide
from ..errors import SessionNotFound
from ..session import Session, changing
from ..tables import session_rows
from ..tables.proof import PERSON, identity_hashes


def authenticate(
	session_id: str,
	profile: dict[str, Any],
	*,
	method: str,
	identity: str | None = None,
	namespace: str = PERSON,
	expires_in: int | None = None,
) -> Session:
	"""Store that the person is known.

	`profile` maps texts to scalars and is encrypted; `method` says how they proved it, `identity` (an id of theirs,
	in one canonical form, within `namespace`) is kept as a keyed hash. Ends after
	`expires_in` seconds (Settings). Raises InvalidSessionData, NotPermitted where the session is anybody's who names its
	external id (see `addresses`), and what every write raises.
	"""

	def prove(session: Session) -> None:
		session.authenticate(
			profile, method=method, identity=identity, namespace=namespace, expires_in=expires_in
		)

	name = bounds.session_id(session_id)
	return Session(writing.change(name, changing(prove, touch=True)).row, "database")


def deauthenticate(session_id: str, reason: str = "logout") -> Session:
	"""End the authentication, on every worker at its next read. Without one, nothing happens."""
	name, reason = bounds.session_id(session_id), bounds.label(reason, "reason")
	return Session(writing.change(name, _ending(reason)).row, "database")


def revoke(identity: str, *, namespace: str = PERSON, reason: str = "revoked") -> int:
	"""End the authentication of one person in all their sessions; returns in how many.

	Effective on every worker at its next read. A verification that is under way at this moment is not ended.
	"""
	reason = bounds.label(reason, "reason")
	names = session_rows.authenticated_as(identity_hashes(identity, namespace))
	return sum(_revoke(name, reason) for name in names)


def _revoke(name: str, reason: str) -> bool:
	try:
		return writing.change(name, _ending(reason)).written
	except SessionNotFound:
		return False  # deleted meanwhile


def _ending(reason: str) -> Decide:
	return changing(lambda session: session.deauthenticate(reason), MUST_HAPPEN)
