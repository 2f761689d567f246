"""Whether the site knows its reverse proxies. Without their names in site_config.json all guests are one network to us, and
one of them can use up what all may do.

    "assistant_session_trusted_proxies": ["127.0.0.1"]
"""

import time

import frappe
from frappe import _

from ..coherence import register

CONFIG = "assistant_session_trusted_proxies"
KEPT_SECONDS = 7 * 86400
NOTED_EVERY = 60  # seconds, in one process

_noted_at = 0.0


def named() -> list[str]:
	"""Addresses and networks of the proxies whose word counts."""
	return frappe.local.conf.get(CONFIG) or []


def note(address: str) -> None:
	"""A proxy that nobody named handed on a call (noted once a minute, for the doctor and for Settings)."""
	global _noted_at
	if time.monotonic() - _noted_at < NOTED_EVERY and _noted_at:
		return
	_noted_at = time.monotonic()
	connection = register.connection()
	connection.call(lambda: connection.redis.set(register.key("proxy", "unnamed"), address, ex=KEPT_SECONDS))


def unnamed() -> str | None:
	"""The address of a proxy that was seen lately and is not named."""
	connection = register.connection()
	seen = connection.call(connection.redis.get, register.key("proxy", "unnamed"))
	return seen.decode() if seen else None


def situation() -> str:
	"""What an administrator should know, in a sentence; empty if all is well."""
	if address := unnamed():
		text = _(
			"Calls come through a proxy at {0} that is not named: all guests behind it count as one network."
		)
		return f"{text.format(address)} {_advice(address)}"
	if not named():
		text = _(
			"No reverse proxy is named. If there is one, as on every production bench, all guests count as one network."
		)
		return f"{text} {_advice('127.0.0.1')}"
	return ""


def _advice(address: str) -> str:
	return _("Add to site_config.json: {0}").format(f'"{CONFIG}": ["{address}"]')
