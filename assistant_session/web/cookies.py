"""The cookies a page gets: what they are called, what stands in them, and when they are taken back.

All are HttpOnly. A browser sends every one of them with every request to the site, and a server refuses a request whose
headers are too long: so each goes when its conversation has ended, and of many the oldest.
"""

import hashlib
import re
import time
from dataclasses import dataclass, field

import frappe

PREFIX, SECURE_PREFIX = "assistant_session_", "__Host-"
SESSION = re.compile(rf"(?:{SECURE_PREFIX})?{PREFIX}[0-9a-f]{{16}}\Z")
KNOWN = re.compile(rf"(?:{SECURE_PREFIX})?{PREFIX}known_[0-9a-f]{{16}}\Z")
MOST = 20  # of each kind


@dataclass(frozen=True)
class Cookie:
	"""An HttpOnly cookie, until the browser is closed or for `max_age` seconds; 0 takes it back."""

	name: str
	value: str = field(repr=False)
	max_age: int | None = None


def session_name(session_id: str) -> str:
	"""One per session, so that two chats in one browser do not take each other's."""
	return prefixed(f"{PREFIX}{hashlib.sha256(session_id.encode()).hexdigest()[:16]}")


def prefixed(name: str) -> str:
	"""The name a cookie has on this connection: on https no other host can have set it."""
	return f"{SECURE_PREFIX}{name}" if frappe.request.scheme == "https" else name


def of_token(session_id: str, token: str) -> Cookie:
	"""The token, and when it was given, by which the oldest cookie is found."""
	return Cookie(session_name(session_id), f"{token}.{int(time.time())}")


def token(session_id: str) -> str:
	"""The token the browser shows for a session, empty if none."""
	return (frappe.request.cookies.get(session_name(session_id)) or "").partition(".")[0]


def taken_back(session_id: str) -> list[Cookie]:
	"""The end of this session's cookie, if the browser has one."""
	name = session_name(session_id)
	return [Cookie(name, "", 0)] if name in frappe.request.cookies else []


def too_many(kind: re.Pattern[str]) -> list[Cookie]:
	"""The end of the oldest cookies of a kind, so that with one more there are at most MOST."""
	found = [(name, value) for name, value in frappe.request.cookies.items() if kind.match(name)]
	oldest = sorted(found, key=lambda cookie: _given(cookie[1]), reverse=True)[MOST - 1 :]
	return [Cookie(name, "", 0) for name, _value in oldest]


def _given(value: str) -> int:
	"""When it was given: after the token, or after the key id of a known device."""
	when = value.split(".")[1:2]
	return int(when[0]) if when and when[0].isascii() and when[0].isdigit() else 0
