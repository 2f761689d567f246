"""One message of the person over HTTP: who may send it, what is done with it, and what they are told.

A message may verify the person, which replaces the session's token. Should that answer be lost, the old token is
good for a minute, once, for sending the very same message again; it gets the same replies and a fresh token.
"""

from collections.abc import Callable
from typing import Any

from frappe import _

from ..authentication import Outcome, known_devices
from ..sessions import TurnInProgress, bounds, config
from ..sessions.errors import InvalidSessionData, SessionNotFound, TooManyRequests
from ..sessions.operations import token_renewal, turn_block
from ..sessions.tables import turns
from . import access, cookies, limits, views
from .cookies import Cookie
from .endpoint import Answer


def converse(
	session_id: str | None,
	message: str | None,
	message_id: str | None,
	metadata: dict[str, Any] | None,
	answer: Callable[[TurnInProgress], object],
) -> tuple[Answer, Outcome | None]:
	"""Store the message and what `answer` replies to it; the same replies again if the message is repeated.

	Returns the answer, and what became of credentials if the message was one of that kind.
	"""
	name = bounds.session_id(session_id)
	key = turns.key_of(name, bounds.key(message_id, "message_id")) if message_id is not None else None
	row = access.admitted(name, key)
	size = _size(message, metadata)
	limits.take(*limits.of_message(name, access.place(), size))
	with_old = access.has_replaced_token(row, name, key)
	try:
		with turn_block.TurnBlock(
			name, bounds.message(message), message_id=message_id, metadata=metadata
		) as turn:
			renewing = _admit(turn, name, key)
			if not turn.repeated:
				answer(turn)
	except InvalidSessionData:
		if not with_old:
			raise
		return _refuse_other_text(name), None
	renewed = token_renewal.renew(name, access.token(name), key) if renewing and key else None
	return _answer(name, turn, renewed), turn.outcome


def _size(message: str | None, metadata: dict[str, Any] | None) -> int:
	"""Bytes of what would be stored. Raises InvalidSessionData for more metadata than a page may send."""
	size, limit = len((message or "").encode(errors="replace")), config.settings().metadata_limit
	if metadata is None:
		return size
	beside = len(bounds.json_object(metadata, "metadata").encode())
	if beside > limit:
		raise InvalidSessionData(_("{0}: at most {1} bytes of JSON are allowed.").format("metadata", limit))
	return size + beside


def _admit(turn: TurnInProgress, name: str, key: str | None) -> bool:
	"""Look again, now that nobody else can change the session; whether it is with a replaced token."""
	renewing = access.has_replaced_token(turn.session.row, name, key) and turn.repeated
	if not renewing:
		access.require(turn.session.row, name)
		turn.session.end_replaced_token()
	turn.verification.caller = access.caller()
	return renewing


def _refuse_other_text(name: str) -> Answer:
	"""Whoever has a replaced token alone is told nothing but 404 unless the message is the very same; and after a second
	one that is not, never again."""
	try:
		limits.count("other text", name, 1)
	except TooManyRequests:
		token_renewal.end_replaced(name)
	return Answer(refused=SessionNotFound.of())


def _answer(name: str, turn: TurnInProgress, renewed: str | None) -> Answer:
	outcome = turn.outcome
	replies = [views.turn(stored) for stored in turn.stored if stored.role == turns.ASSISTANT]
	body = {**views.session(turn.session), "repeated": turn.repeated, "replies": replies}
	answer = Answer(body, wrote=None if renewed else name)
	if outcome:
		body["verification"] = views.verification(outcome)
	if token := renewed or (outcome and outcome.token):
		answer.headers[access.TOKEN_HEADER] = token
		answer.cookies.append(cookies.of_token(name, token))
	if outcome and outcome.known_device:
		label, value = outcome.known_device
		answer.cookies += cookies.too_many(cookies.KNOWN)
		answer.cookies.append(Cookie(cookies.prefixed(label), value, known_devices.SECONDS))
	return answer
