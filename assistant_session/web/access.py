"""Who is calling, and which session they may have: the one place that decides it over HTTP.

A session is for whoever shows its token, or is logged in as its owner. Everybody else gets one and the same
404, whether the id exists or not. Staff and service roles get what their endpoints give them, never a session.
"""

import hmac
import time
from ipaddress import ip_address, ip_network

import frappe
from frappe import _

from .. import roles
from ..authentication import Caller
from ..counters import counters
from ..sessions import bounds, tokens
from ..sessions.coherence import reading
from ..sessions.errors import NotPermitted, SessionNotFound, SessionStoreUnavailable
from ..sessions.health import proxies
from ..sessions.tables.row import Row
from . import cookies, limits, origins

TOKEN_HEADER = "X-Assistant-Session-Token"
DEVICE_HEADER = "X-Device-ID"
COOKIE_HEADER = "X-Assistant-Session"  # a header no other site can make a browser send
REFUSED_SECONDS = (
	0.03  # what a refusal takes at least: how long we looked tells nobody whether there is a session
)


def require_staff() -> None:
	"""What whoever may read conversations in Desk may ask."""
	if person() is None or not roles.IN_DESK.intersection(frappe.get_roles()):
		raise NotPermitted(_("This is for staff roles."))


def require_administrator() -> None:
	"""What only the administrator role may do, on any session or check."""
	if person() is None or roles.ADMINISTRATOR not in frappe.get_roles():
		raise NotPermitted(_("This is for the role {0}.").format(roles.ADMINISTRATOR))


def require_monitoring() -> None:
	"""What a monitoring system may ask: figures about all sessions, and nothing about any one."""
	if person() is None or not {roles.MONITORING, roles.ADMINISTRATOR}.intersection(frappe.get_roles()):
		raise NotPermitted(
			_("This is for the roles {0} and {1}.").format(roles.MONITORING, roles.ADMINISTRATOR)
		)


def person() -> str | None:
	"""The logged-in user, None for a guest."""
	user = frappe.session.user
	return None if user in (None, "", "Guest") else user


def is_service() -> bool:
	return person() is not None and roles.SERVICE in frappe.get_roles()


def require_lock_role() -> None:
	"""Agent locks are for routers (service role) and administrators."""
	if person() is None or not {roles.SERVICE, roles.ADMINISTRATOR}.intersection(frappe.get_roles()):
		raise NotPermitted(_("Agent locks are for the service and administrator roles."))


def device_id() -> str | None:
	"""The device named in the header. It labels a new session; it proves nothing."""
	value = frappe.get_request_header(DEVICE_HEADER)
	return bounds.device_id(value) if value else None


def place() -> limits.Place:
	"""Where the call comes from, for whoever counts."""
	network = _callers_network()
	client = None if network else _said_by_proxy()
	if client:
		proxies.note(frappe.request.remote_addr or "")
	device = (frappe.get_request_header(DEVICE_HEADER) or "").lower()[:40] or None
	return limits.Place(_network_of(_address()), network, client, device)


def _said_by_proxy() -> str | None:
	"""The address the nearest proxy gives its caller: the last one it adds, which the caller cannot write."""
	said = (frappe.get_request_header("X-Forwarded-For") or "").split(",")[-1]
	address = _unmapped(said.strip())
	return _network_of(address) if address else None


def _network_of(address: str) -> str:
	"""An IPv4 address, or the /64 of an IPv6 one, which is what one household has."""
	if ":" not in address:
		return address
	return str(ip_network(f"{address.partition('%')[0]}/64", strict=False))


def _address() -> str:
	"""The caller's. A forwarded address counts only if a configured proxy forwarded it."""
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
	return address is not None and any(
		ip_address(address.partition("%")[0]) in ip_network(one, strict=False) for one in proxies.named()
	)


def admitted(session_id: str | None, message_key: str | None = None) -> Row:
	"""The row of a session that this caller may have; the same SessionNotFound for every other id. While the database
	is away nobody is admitted or refused by what memory says: SessionStoreUnavailable.

	`message_key` also admits who repeats the message whose answer replaced their token.
	"""
	name, asked = bounds.session_id(session_id), time.monotonic()
	try:
		row, origin = reading.read(name)
	except SessionNotFound:
		row, origin = None, reading.DATABASE
	if origin == reading.STALE:  # it may hold a token that was replaced, or an owner that was changed
		raise SessionStoreUnavailable.of()
	if not has_replaced_token(row, name, message_key) and not opens(row, name):
		_refuse(row, asked)
	assert row is not None  # without a row nothing opens
	return row


def _refuse(row: Row | None, asked: float) -> None:
	"""Say that there is no such session: as often as a network may hear it, and never sooner than always."""
	if row:
		counters.count("sessions_not_found", "refused")
	limits.take(*limits.of_refusal(place()))
	time.sleep(max(asked + REFUSED_SECONDS - time.monotonic(), 0))
	raise SessionNotFound.of()


def require(row: Row | None, name: str) -> None:
	"""Raise SessionNotFound unless the caller's token or login opens this row."""
	if not opens(row, name):
		raise SessionNotFound.of()


def opens(row: Row | None, name: str) -> bool:
	"""Whether the caller's token or login opens this row. A user's session is theirs for as long as they are logged in: a
	token that a page kept does not outlive that."""
	shown = tokens.fits(row, token(name))
	return _is_owner(row) if row and row.user else shown


def has_replaced_token(row: Row | None, name: str, message_key: str | None) -> bool:
	"""Whether the caller shows the token that the answer to this message replaced, and so never got the new one."""
	if not (row and message_key) or (row.user and not _is_owner(row)):
		return False
	return tokens.fits_to_repeat(row, token(name), message_key)


def token(name: str) -> str:
	"""The token the caller shows for a session, empty if none."""
	said = frappe.get_request_header(TOKEN_HEADER)
	if not said and (said := cookies.token(name)):
		require_own_page(_("With the token in a cookie"))
	return said or ""


def caller() -> Caller:
	"""What counting attempts wants to know of who is asking."""
	shown = frappe.request.cookies
	return Caller(_callers_network(), lambda cookie: shown.get(cookies.prefixed(cookie)))


def _callers_network() -> str | None:
	"""The network whose failures are counted together. None where the nearest address may well be a proxy's that
	nobody named: to lock that one would lock everybody."""
	address = _address()
	if _is_trusted_proxy(address) or address == "unknown":
		return None
	if not proxies.named() and not ip_address(address.partition("%")[0]).is_global:
		return None
	return _network_of(address)


def _is_owner(row: Row | None) -> bool:
	user = person()
	return bool(row and user and row.user == user)


def require_own_page(when: str) -> None:
	"""A cookie comes along with any request the browser makes: only our own page's scripts may use it. `when` begins the
	sentence of the refusal, which says what is missing."""
	request = frappe.request
	wanted = {
		_("the method POST"): request.method == "POST",
		_("a JSON body"): request.is_json,
		origins.wanted(): origins.is_own(),
		_("the header {0}").format(COOKIE_HEADER): bool(request.headers.get(COOKIE_HEADER)),
	}
	if missing := [what for what, there in wanted.items() if not there]:
		raise NotPermitted(_("{0}, this is needed: {1}.").format(when, ", ".join(missing)))


def require_own_page_of_login() -> None:
	"""The same for who is logged in by a cookie and would change something. Frappe asks for its CSRF token only where it
	gave one, which it does in Desk and on few pages of a website."""
	request = frappe.request
	by_cookie = request.cookies.get("sid") and not request.headers.get("Authorization")
	if request.method == "GET" or not by_cookie or person() is None or _has_csrf_token():
		return
	require_own_page(_("Logged in by a cookie"))


def _has_csrf_token() -> bool:
	given, said = frappe.session.data.get("csrf_token"), frappe.get_request_header("X-Frappe-CSRF-Token")
	return bool(given and said) and hmac.compare_digest(given, said)
