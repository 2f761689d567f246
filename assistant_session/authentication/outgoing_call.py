"""One careful POST to a verifier on the network.

https alone; the host is resolved once and the connection goes to that very address, which must be a public one
unless site_config.json lists its network; no redirects, no proxy from the environment; time and size are bounded.
A request is tried again only if it was never sent.

    "assistant_session_verifier_networks": ["10.1.0.0/16"]     private networks a verifier may be in
    "assistant_session_verifier_ca": "/path/to/ca.pem"         a certificate authority of one's own
"""

import socket
import threading
from contextlib import suppress
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import SplitResult, urlsplit, urlunsplit

import frappe
import requests
from frappe import _
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.util.retry import Retry

from .. import json_texts
from ..sessions.errors import InvalidSessionData
from .checks import DOCTYPE, Check

LARGEST_ANSWER = 64 * 1024  # bytes
ORDINARY_IPV6 = ip_network("2000::/3")
LONGEST_SECONDS = 30
ONLY_IF_NEVER_SENT = Retry(total=1, connect=1, read=0, redirect=0, status=0, other=0)


class Pinned(HTTPAdapter):
	"""Speaks TLS with `host` at whatever address the URL names."""

	def __init__(self, host: str):
		self.host = host
		self.sockets: list[socket.socket] = []
		super().__init__(max_retries=ONLY_IF_NEVER_SENT)

	def init_poolmanager(self, *arguments, **more):
		super().init_poolmanager(*arguments, **more, server_hostname=self.host, assert_hostname=self.host)
		sockets = self.sockets

		class Connection(HTTPSConnectionPool.ConnectionCls):
			def connect(self):
				super().connect()
				sockets.append(self.sock)

		pool = type("Pool", (HTTPSConnectionPool,), {"ConnectionCls": Connection})
		self.poolmanager.pool_classes_by_scheme = {"https": pool}

	def hang_up(self) -> None:
		"""End whatever is being waited for, from another thread."""
		for one in self.sockets:
			with suppress(OSError):
				one.shutdown(socket.SHUT_RDWR)


def post(check: Check, body: dict[str, str]) -> dict[str, Any] | None:
	"""The endpoint's JSON object; None if it could not be had (that is no judgement of the credentials).

	Runs in a thread, because neither looking up a host nor an answer that comes byte by byte ends in time by itself.
	"""
	check_url(check.url)
	headers = {"Accept": "application/json", **_authorization(check)}
	verify = frappe.local.conf.get("assistant_session_verifier_ca") or True
	networks = [ip_network(one) for one in frappe.local.conf.get("assistant_session_verifier_networks") or []]
	parts = urlsplit(check.url or "")
	done: dict[str, Any] = {}
	adapter = Pinned(parts.hostname or "")

	def ask() -> None:
		try:
			done["answer"] = _post(parts, adapter, body, headers, verify, networks, check.timeout)
		except (requests.RequestException, OSError, ValueError) as error:
			done["error"] = type(error).__name__

	thread = threading.Thread(target=ask, name="verifier", daemon=True)
	thread.start()
	thread.join(min(check.timeout, LONGEST_SECONDS))
	adapter.hang_up()
	if "answer" not in done:
		kind = done.get("error", "no answer in time")
		frappe.logger("assistant_session").error(f"verifier of {check.name}: {kind}")
	return done.get("answer")


def check_url(url: str | None) -> None:
	"""A URL that may be saved; raises InvalidSessionData."""
	try:
		parts = urlsplit(url or "")
		complete = parts.scheme == "https" and parts.hostname and (parts.port or 443)
	except ValueError:
		complete = False
	if not complete or parts.username or parts.password:
		raise InvalidSessionData(_("URL: https, a host, and no user or password in it are needed."))


def _post(
	parts: SplitResult, adapter: Pinned, body: dict, headers: dict, verify: Any, networks: list, seconds: int
) -> dict:
	with requests.Session() as session:
		session.trust_env = False
		session.mount("https://", adapter)
		with session.post(
			_pinned(parts, networks),
			json=body,
			headers={**headers, "Host": parts.netloc},
			timeout=seconds,
			verify=verify,
			stream=True,
			allow_redirects=False,
		) as response:
			return _answer(response)


def _pinned(parts, networks: list) -> str:
	"""The URL with the host's address instead of its name."""
	found = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
	addresses = [ip_address(entry[4][0]) for entry in found]
	for address in addresses:
		if not (_is_public(address) or any(address in network for network in networks)):
			raise ValueError("that host is not on a public network")
	chosen = str(addresses[0])
	place = f"[{chosen}]" if ":" in chosen else chosen
	return urlunsplit(("https", f"{place}:{parts.port or 443}", parts.path, parts.query, ""))


# Global by some versions of Python, and no place of anybody: translation, relays that were given up, documentation.
RESERVED = tuple(
	map(ip_network, ("192.0.0.0/24", "192.88.99.0/24", "64:ff9b::/96", "2001::/23", "2002::/16", "3fff::/20"))
)


def _is_public(address) -> bool:
	inner = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None) or address
	if inner.version == 6 and inner not in ORDINARY_IPV6:
		return False  # translated and compatible forms of IPv4, and what has been given up
	if any(
		one in network for one in (address, inner) for network in RESERVED if one.version == network.version
	):
		return False
	return inner.is_global and not inner.is_multicast


def _authorization(check: Check) -> dict[str, str]:
	from frappe.utils.password import get_decrypted_password

	secret = get_decrypted_password(DOCTYPE, check.name, "secret", raise_exception=False)
	return {"Authorization": f"Bearer {secret}"} if secret else {}


def _answer(response: requests.Response) -> dict[str, Any]:
	"""What it said. Another status than 200 is no judgement."""
	if response.status_code != 200:
		raise ValueError("another status than 200")
	content = b""
	for chunk in response.iter_content(8192):
		content += chunk
		if len(content) > LARGEST_ANSWER:
			raise ValueError("a very long answer")
	answer = json_texts.loads(content)
	if not isinstance(answer, dict):
		raise ValueError("no JSON object")
	return answer
