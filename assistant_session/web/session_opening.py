"""Opening a session over HTTP: for a page, which is given the token of a new one, and for the service role, which is not."""

from dataclasses import replace
from typing import Any

import frappe
from frappe import _

from ..sessions import config, tokens
from ..sessions.coherence.writing import require_live
from ..sessions.errors import InvalidSessionData, NotPermitted, SessionGone, SessionNotFound
from ..sessions.operations import opening, token_renewal
from ..sessions.operations.finding import take_up
from ..sessions.operations.opening import OpenRequest
from ..sessions.tables.row import Row
from . import access, cookies, limits, views
from .endpoint import Answer


def for_page(session_id: str | None, channel: str | None, device: str | None) -> Answer:
	"""Restore the caller's session, or open one of theirs."""
	asked = opening.checked(channel=channel or "Web", device_id=device, user=access.person())
	request = replace(asked, device_is_proven=False)
	_check_channel(request.channel)
	found = _own_session(session_id, request)
	return Answer(views.reconnect(take_up(found.name))) if isinstance(found, Row) else _open_new(found)


def read(session_id: str | None) -> Row:
	"""The row of a session that this caller may have, and reads."""
	row = access.admitted(session_id)
	limits.take(*limits.of_reading(row.name, access.place()))
	if row.old_token_hash and frappe.request.method == "POST":
		token_renewal.end_replaced(row.name)  # the new token has arrived
	return row


def _own_session(session_id: str | None, request: OpenRequest) -> Row | OpenRequest:
	"""The live session this caller proves to be theirs; else what a new one is to be opened with."""
	if session_id is None:
		return _own_session_of_device(request)
	row = read(session_id)
	try:
		require_live(row)
	except SessionGone:
		if request.key is None:
			raise
		return request
	return row


def _own_session_of_device(request: OpenRequest) -> Row | OpenRequest:
	row = opening.holder(request) or opening.holder(OpenRequest(device_id=request.device_id))
	if row is None:
		return request
	try:
		access.require(row, row.name)
	except SessionNotFound:
		return request.without_key()  # somebody else's device, or nobody who can prove it
	limits.take(*limits.of_reading(row.name, access.place()))
	return row


def _open_new(request: OpenRequest) -> Answer:
	if request.user:
		limits.count("open", request.user, config.settings().opens_per_minute)
	else:
		limits.take(*limits.of_opening(access.place()))
	token, hashed = tokens.new()
	opened = opening.open_session(replace(request, token_hash=hashed, opens_by_key=False))
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
	request = opening.checked(
		channel=channel or "Web",
		external_id=external_id,
		device_id=device,
		user=user,
		party=pair,
		ttl=ttl,
		state=state,
	)
	if request.key is None:
		raise InvalidSessionData(
			_("external_id or X-Device-ID is needed: no id is given to the service role.")
		)
	opened = opening.open_session(request)
	return Answer(
		{"opened": opened.origin == "created", "status": opened.status, "agent": opened.active_agent}
	)


def _check_channel(channel: str) -> None:
	found = config.settings().channels.get(channel)
	if access.person() is None and not (found and found.guests):
		raise NotPermitted(_("channel: guests may not open sessions on this one."))
