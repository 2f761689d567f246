"""Who is calling, and which session they may have: the one place that decides it over HTTP.

A session is for whoever shows its token, or is logged in as its owner. Everybody else gets one and the same
404, whether the id exists or not. Staff and service roles get what their endpoints give them, never a session.
"""

import hashlib
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

import frappe
from frappe import _

from .. import permissions
from ..authentication import Caller
from ..metrics.counters import counters
from ..sessions import bounds, coherence, tokens
from ..sessions.errors import NotPermitted, SessionNotFound, SessionStoreUnavailable
from ..sessions.rows import Row

TOKEN_HEADER = "X-Assistant-Session-Token"
DEVICE_HEADER = "X-Device-ID"
COOKIE_HEADER = "X-Assistant-Session"  # a header no other site can make a browser send
SERVICE, ADMINISTRATOR = "Assistant Session Service", "Assistant Session Administrator"
MONITORING = "Assistant Session Monitoring"


def require_staff() -> None:
	"""What whoever may read conversations in Desk may ask."""
	if person() is None or not permissions.STAFF.intersection(frappe.get_roles()):
		raise NotPermitted(_("This is for staff roles."))


def require_administrator() -> None:
	"""What only the administrator role may do, on any session or check."""
	if person() is None or ADMINISTRATOR not in frappe.get_roles():
		raise NotPermitted(_("This is for the role {0}.").format(ADMINISTRATOR))


def require_monitoring() -> None:
	"""What a monitoring system may ask: figures about all sessions, and nothing about any one."""
	if person() is None or not {MONITORING, ADMINISTRATOR}.intersection(frappe.get_roles()):
		raise NotPermitted(_("This is for the roles {0} and {1}.").format(MONITORING, ADMINISTRATOR))


def person() -> str | None:
	"""The logged-in user, None for a guest."""
	user = frappe.session.user
	return None if user in (None, "", "Guest") else user


def is_service() -> bool:
	return person() is not None and SERVICE in frappe.get_roles()


def require_lock_role() -> None:
	"""Agent locks are for routers (service role) and administrators."""
	if person() is None or not {SERVICE, ADMINISTRATOR}.intersection(frappe.get_roles()):
		raise NotPermitted(_("Agent locks are for the service and administrator roles."))


def device_id() -> str | None:
	"""The device named in the header. It labels a new session; it proves nothing."""
	value = frappe.get_request_header(DEVICE_HEADER)
	return bounds.device_id(value) if value else None


def network() -> str:
	"""Where the call comes from: an IPv4 address, or the /64 of an IPv6 one, which is what one household has.
	A forwarded address counts only if a configured proxy forwarded it."""
	address = _address()
	if ":" not in address:
		return address
	return str(ip_network(f"{address.partition('%')[0]}/64", strict=False))


def _address() -> str:
	address = _unmapped(frappe.request.remote_addr or "unknown")
	forwarded = (frappe.get_request_header("X-Forwarded-For") or "").split(",")
	while _is_trusted_proxy(address) and forwarded:
		said = _unmapped(forwarded.pop().strip())
		if said is None:
			break
		address = said
	return address or "unknown"


def _unmapped(text: str) -> str | None:
	"""An address in its usual form, an IPv4 one that came as IPv6 as IPv4; None if it is none."""
	try:
		address = ip_address(text)
	except ValueError:
		return None
	return str(getattr(address, "ipv4_mapped", None) or address)


def _is_trusted_proxy(address: str | None) -> bool:
	"""Whether site_config.json names this proxy, by address or by network."""
	trusted = frappe.local.conf.get("assistant_session_trusted_proxies") or []
	return address is not None and any(
		ip_address(address.partition("%")[0]) in ip_network(one, strict=False) for one in trusted
	)


def admitted(session_id: str | None, message_key: str | None = None) -> Row:
	"""The row of a session that this caller may have; the same SessionNotFound for every other id. While the database
	is away nobody is admitted or refused by what memory says: SessionStoreUnavailable.

	`message_key` also admits who repeats the message whose answer replaced their token.
	"""
	name = bounds.session_id(session_id)
	try:
		row, origin = coherence.read(name)
	except SessionNotFound:
		row, origin = None, coherence.DATABASE
	if origin == coherence.STALE:  # it may hold a token that was replaced, or an owner that was changed
		raise SessionStoreUnavailable.of()
	if not has_replaced_token(row, name, message_key):
		if row and not opens(row, name):
			counters.count("sessions_not_found", "refused")
		require(row, name)
	return row


def require(row: Row | None, name: str) -> None:
	"""Raise SessionNotFound unless the caller's token or login opens this row."""
	if not opens(row, name):
		raise SessionNotFound.of()


def opens(row: Row | None, name: str) -> bool:
	"""Whether the caller's token or login opens this row."""
	return tokens.fits(row, token(name)) or _is_owner(row)


def has_replaced_token(row: Row | None, name: str, message_key: str | None) -> bool:
	"""Whether the caller shows the token that the answer to this message replaced, and so never got the new one."""
	return bool(row and message_key) and tokens.fits_to_repeat(row, token(name), message_key)


def token(name: str) -> str:
	"""The token the caller shows for a session, empty if none."""
	said = frappe.get_request_header(TOKEN_HEADER)
	if not said and (said := frappe.request.cookies.get(cookie_name(name))):
		_require_own_page()
	return said or ""


def cookie_name(session_id: str) -> str:
	"""One cookie per session, so that two chats in one browser do not take each other's."""
	return prefixed(f"assistant_session_{hashlib.sha256(session_id.encode()).hexdigest()[:16]}")


def prefixed(cookie: str) -> str:
	"""The name a cookie has on this connection: on https no other host can have set it."""
	return f"__Host-{cookie}" if frappe.request.scheme == "https" else cookie


def caller() -> Caller:
	"""What counting attempts wants to know of who is asking."""
	cookies = frappe.request.cookies
	return Caller(_callers_network(), lambda cookie: cookies.get(prefixed(cookie)))


def _callers_network() -> str | None:
	"""The network whose failures are counted together. None where the nearest address may well be a proxy's that
	nobody named: to lock that one would lock everybody."""
	address = _address()
	trusted = frappe.local.conf.get("assistant_session_trusted_proxies")
	if _is_trusted_proxy(address) or address == "unknown":
		return None
	if not trusted and not ip_address(address.partition("%")[0]).is_global:
		return None
	return network()


def _is_owner(row: Row | None) -> bool:
	user = person()
	return bool(row and user and row.user == user)


def _require_own_page() -> None:
	"""A token in a cookie comes along with any request the browser makes: only our own page's scripts may."""
	request = frappe.request
	origin = urlsplit(request.headers.get("Origin") or "").netloc
	same_origin = origin == request.host and bool(origin)
	if (
		request.method != "POST"
		or not request.is_json
		or not same_origin
		or not request.headers.get(COOKIE_HEADER)
	):
		text = _("With the token in a cookie: POST, JSON, from the same origin, and the header {0}.")
		raise NotPermitted(text.format(COOKIE_HEADER))
