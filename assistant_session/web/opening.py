"""Opening a session over HTTP: for a page, which is given the token of a new one, and for the service role, which is not."""

from typing import Any

import frappe
from frappe import _

from ..sessions import config, tokens
from ..sessions.coherence.writing import require_live
from ..sessions.errors import InvalidSessionData, NotPermitted, SessionGone, SessionNotFound
from ..sessions.operations import opening
from ..sessions.tables.row import Row
from . import access, cookies, limits, views
from .endpoint import Answer


def for_page(session_id: str | None, channel: str | None, device: str | None) -> Answer:
	"""Restore the caller's session, or open one of theirs."""
	ask = opening.wanted(None, channel or "Web", None, device, access.person(), None, None, None)
	ask.claim_device()
	_check_channel(ask.channel)
	row = _own_session(session_id, ask)
	return Answer(views.reconnect(opening.take_up(row.name))) if row else _open_new(ask)


def read(session_id: str | None) -> Row:
	"""The row of a session that this caller may have, and reads."""
	row = access.admitted(session_id)
	limits.take(*limits.of_reading(row.name, access.place()))
	if row.old_token_hash and frappe.request.method == "POST":
		tokens.end_replaced(row.name)  # the new token has arrived
	return row


def _own_session(session_id: str | None, ask: opening.Wanted) -> Row | None:
	"""The live session this caller proves to be theirs; None if a new one is to be opened."""
	if session_id is None:
		return _own_session_of_device(ask)
	row = read(session_id)
	try:
		require_live(row)
	except SessionGone:
		if ask.key is None:
			raise
		return None
	return row


def _own_session_of_device(ask: opening.Wanted) -> Row | None:
	row = opening.holder(ask) or opening.holder(opening.Wanted(device_id=ask.device_id))
	if row is None:
		return None
	try:
		access.require(row, row.name)
	except SessionNotFound:
		ask.unbind()  # somebody else's device, or nobody who can prove it
		return None
	limits.take(*limits.of_reading(row.name, access.place()))
	return row


def _open_new(ask: opening.Wanted) -> Answer:
	if ask.user:
		limits.count("open", ask.user, config.settings().opens_per_minute)
	else:
		limits.take(*limits.of_opening(access.place()))
	token, ask.token_hash = tokens.new()
	ask.by_key = False
	opened = opening.open_session(ask)
	headers = {access.TOKEN_HEADER: token}
	given = [*cookies.too_many(cookies.SESSION), cookies.of_token(opened.id, token)]
	return Answer(views.reconnect(opened), headers, given)


def for_service(
	channel: Any,
	external_id: Any,
	device: str | None,
	user: Any,
	party_type: Any,
	party: Any,
	state: Any,
	ttl: Any,
) -> Answer:
	"""A session for a router or webhook: it learns that there is one, and its routing, nothing more."""
	pair = (party_type, party) if party_type or party else None
	ask = opening.wanted(None, channel or "Web", external_id, device, user, pair, ttl, state)
	if ask.key is None:
		raise InvalidSessionData(
			_("external_id or X-Device-ID is needed: no id is given to the service role.")
		)
	opened = opening.open_session(ask)
	return Answer(
		{"opened": opened.origin == "created", "status": opened.status, "agent": opened.active_agent}
	)


def _check_channel(channel: str) -> None:
	found = config.settings().channels.get(channel)
	if access.person() is None and not (found and found.guests):
		raise NotPermitted(_("channel: guests may not open sessions on this one."))
