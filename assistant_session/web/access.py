"""Who is calling, and which session they may have: the one place that decides it over HTTP.

A session is for whoever shows its token, or is logged in as its owner. Everybody else gets one and the same
404, whether the id exists or not. Staff and service roles get what their endpoints give them, never a session.
"""

import hashlib
import hmac
import secrets
from ipaddress import ip_address
from urllib.parse import urlsplit

import frappe
from frappe import _

from ..sessions import bounds, coherence
from ..sessions.errors import NotPermitted, SessionNotFound
from ..sessions.rows import Row

TOKEN_HEADER = "X-Assistant-Session-Token"
DEVICE_HEADER = "X-Device-ID"
COOKIE_HEADER = "X-Assistant-Session"  # a header no other site can make a browser send
TOKEN_BYTES = 32
SERVICE, ADMINISTRATOR = "Assistant Session Service", "Assistant Session Administrator"
NOBODY = hashlib.sha256(b"no session has this token").hexdigest()


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
	"""Where the call comes from. A forwarded address counts only if a configured proxy forwarded it."""
	nearest = frappe.request.remote_addr or "unknown"
	proxies = frappe.local.conf.get("assistant_session_trusted_proxies") or []
	forwarded = (frappe.get_request_header("X-Forwarded-For") or "").rpartition(",")[2].strip()
	if nearest not in proxies or not forwarded:
		return nearest
	try:
		return str(ip_address(forwarded))
	except ValueError:
		return nearest


def admitted(session_id: str | None) -> Row:
	"""The row of a session that this caller may have; the same SessionNotFound for every other id."""
	name = bounds.session_id(session_id)
	try:
		row, _origin = coherence.read(name)
	except SessionNotFound:
		row = None
	require(row, name)
	return row


def require(row: Row | None, name: str) -> None:
	"""Raise SessionNotFound unless the caller's token or login opens this row."""
	if not (_token_fits(row, name) or _is_owner(row)):
		raise SessionNotFound.of()


def new_token() -> tuple[str, str]:
	"""A token and what is stored of it."""
	token = secrets.token_urlsafe(TOKEN_BYTES)
	return token, hash_of(token)


def hash_of(token: str) -> str:
	return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def cookie_name(session_id: str) -> str:
	"""One cookie per session, so that two chats in one browser do not take each other's."""
	name = f"assistant_session_{hashlib.sha256(session_id.encode()).hexdigest()[:16]}"
	return f"__Host-{name}" if frappe.request.scheme == "https" else name


def _token_fits(row: Row | None, name: str) -> bool:
	token = frappe.get_request_header(TOKEN_HEADER)
	if not token:
		token = frappe.request.cookies.get(cookie_name(name))
		if token:
			_require_own_page()
	expected = (row.token_hash if row else None) or NOBODY
	return hmac.compare_digest(hash_of(token or ""), expected)


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
