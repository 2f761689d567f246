"""Everybody who may call the site over HTTP, and a search for what must not be left anywhere."""

import uuid
from pathlib import Path

READ_ANEW = "/tests/read-settings-anew"  # of tests.wsgi
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


def key_of(user: str) -> str:
	"""An API key of a user of ours, who is made with their role; the same one for everybody who asks."""
	from dev.harness import users

	return users.key_of(user, ROLES.get(user))


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
