"""Everybody who may call the site over HTTP, and a search for what must not be left anywhere."""

import secrets
import uuid
from pathlib import Path

import requests

PREFIX = "/api/method/assistant_session.api."
TOKEN = "X-Assistant-Session-Token"
UNKNOWN = "unknown-0123456789abcdef"

ROLES = {
	"website.visitor@example.com": None,
	"session.owner@example.com": None,
	"session.service@example.com": "Assistant Session Service",
	"session.agent@example.com": "Assistant Session Agent",
	"session.auditor@example.com": "Assistant Session Auditor",
	"session.administrator@example.com": "Assistant Session Administrator",
	"session.monitor@example.com": "Assistant Session Monitoring",
}
VISITOR, OWNER, SERVICE, AGENT, AUDITOR, STAFF_ADMINISTRATOR, MONITOR = ROLES
SUPERUSER = "Administrator"


class Caller:
	"""One HTTP caller. `call` takes an endpoint of api.py, `ask` any path of the site."""

	def __init__(self, url: str, site: str, *, key: str | None = None, device: str | None = None):
		self.url, self.site, self.key, self.device = url, site, key, device
		self.session_id = self.token = None

	def ask(self, method: str, path: str, *, headers: dict | None = None, **more) -> requests.Response:
		sent = {"Host": self.site, "X-Frappe-Site-Name": self.site}
		if self.key:
			sent["Authorization"] = f"token {self.key}"
		if self.device:
			sent["X-Device-ID"] = self.device
		sent.update(headers or {})
		return requests.request(method, self.url + path, headers=sent, timeout=60, **more)

	def call(
		self, endpoint: str, *, token: str | None = None, headers: dict | None = None, **arguments
	) -> requests.Response:
		sent = {**({TOKEN: token} if token else {}), **(headers or {})}
		return self.ask("POST", PREFIX + endpoint, json=arguments, headers=sent)

	def open(self, **arguments) -> "Caller":
		"""Open a session and keep what a page keeps."""
		response = self.call("open_session", **arguments)
		assert response.status_code == 200, response.text
		self.session_id = response.json()["message"]["session_id"]
		self.token = response.headers.get(TOKEN)
		return self

	def own(self, endpoint: str, **arguments) -> requests.Response:
		"""Call with the caller's own session and token."""
		return self.call(endpoint, token=self.token, session_id=self.session_id, **arguments)

	def history(self) -> list[dict]:
		return self.own("get_history").json()["message"]["history"]


def key_of(user: str) -> str:
	"""An API key of a user of ours, who is made with their role; the same one for everybody who asks."""
	import frappe
	from frappe.utils.password import get_decrypted_password, set_encrypted_password

	if user != SUPERUSER and not frappe.db.exists("User", user):
		_make(user)
	if not frappe.db.get_value("User", user, "api_key"):
		frappe.db.set_value("User", user, "api_key", secrets.token_hex(8))
	secret = get_decrypted_password("User", user, "api_secret", raise_exception=False)
	if not secret:
		secret = secrets.token_hex(16)
		set_encrypted_password("User", user, secret, "api_secret")
	frappe.db.commit()
	return f"{frappe.db.get_value('User', user, 'api_key')}:{secret}"


def new_user(email: str):
	"""A website user. Frappe makes sixty an hour at most, but for imports; a suite that runs twice needs more."""
	import frappe

	values = {
		"doctype": "User",
		"email": email,
		"first_name": email.split("@")[0],
		"enabled": 1,
		"send_welcome_email": 0,
	}
	importing, frappe.flags.in_import = frappe.flags.in_import, True
	try:
		return frappe.get_doc({**values, "user_type": "Website User"}).insert(ignore_permissions=True)
	finally:
		frappe.flags.in_import = importing


def _make(user: str) -> None:
	document = new_user(user)
	if ROLES[user]:
		document.append("roles", {"role": ROLES[user]})
		document.save(ignore_permissions=True)


def uuid4() -> str:
	return str(uuid.uuid4())


def traces(text: str | set[str], stage, cache_server) -> list[str]:
	"""Every place where `text`, or one of several, was left: all tables, log files, both Redis servers."""
	import frappe
	import redis

	from tests import databases

	texts = [text] if isinstance(text, str) else sorted(text)
	frappe.db.rollback()
	found = [
		table.removeprefix("tab")
		for table, columns in databases.tables()
		if databases.holds(table, columns, texts)
	]
	for file in _logs(stage):
		if _holds(file.read_bytes(), texts):
			found.append(str(file))
	for server in (cache_server.client(), redis.Redis.from_url(frappe.conf.redis_queue)):
		found += [f"Redis {key!r}" for key in server.scan_iter() if _holds(key + _value(server, key), texts)]
	return found


def _holds(content: bytes, texts: list[str]) -> bool:
	return any(text.encode() in content for text in texts)


def _logs(stage) -> list[Path]:
	folders = (stage.root / "logs", stage.sites / stage.site / "logs")
	return [stage.log, *(file for folder in folders for file in folder.glob("*.log*"))]


def _value(server, key: bytes) -> bytes:
	read = {
		b"string": server.get,
		b"hash": server.hgetall,
		b"list": lambda name: server.lrange(name, 0, -1),
		b"set": server.smembers,
		b"zset": lambda name: server.zrange(name, 0, -1),
	}.get(server.type(key))
	value = read(key) if read else b""
	return value if isinstance(value, bytes) else repr(value).encode()
