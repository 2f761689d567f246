"""The register: what was last committed of each session, in the site's Redis cache, shared by all workers.

One key per session holds one of

    12:804…   an entry: version and revision of the last commit; a row in memory that matches is current
    m731…     a mark: a writer's transaction is open; nobody may trust memory
    (nothing) unknown; read the database

Only writers write here, and only in three ways: put a mark, turn the own mark into an entry, delete. A reader
never publishes, so an entry can only come from the writer of that very version. Every function tolerates a
Redis that is away: it then answers as if the key were absent, remembers the trouble, and deletes what it
could not mark as soon as Redis answers again. Values are plain integers; nothing is pickled.
"""

import os
import threading
import time
from collections.abc import Iterable

import frappe
import redis

from .. import config

# KEYS: lease, register. ARGV: lease token, lease ms, mark, mark ms → {1 if held, what the register said}
ENTER = """
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
	local said = redis.call('GET', KEYS[2])
	redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[4])
	return {1, said}
end
return {0, false}
"""

# KEYS: register, lease. ARGV: mark, entry ('' for none), entry ms, lease token ('' for none)
# → 1 if the own mark was there. Without an entry: take the own mark away.
LEAVE = """
local said = redis.call('GET', KEYS[1])
local own = said == ARGV[1]
if own and ARGV[2] ~= '' then
	redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
elseif own or (ARGV[2] ~= '' and said and string.sub(said, 1, 1) ~= 'm') then
	redis.call('DEL', KEYS[1])
end
if ARGV[4] ~= '' and redis.call('GET', KEYS[2]) == ARGV[4] then redis.call('DEL', KEYS[2]) end
return own and 1 or 0
"""

# KEYS: lease. ARGV: lease token. Gives the lease back if it is still ours.
RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""

# KEYS: lease. ARGV: lease token, lease ms → 1 if it was still ours
RENEW = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0
"""

# KEYS: lease. ARGV: lease token, lease ms → 1 if it is ours again, or still
REGAIN = """
local said = redis.call('GET', KEYS[1])
if said and said ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""

LEASE = "hold"  # in the keys of leases, as they have always been called there
DEFAULT_URL = "redis://127.0.0.1:13311"  # Frappe's own
ERRORS = (redis.RedisError, OSError)


class Connection:
	"""This process's way to one Redis: commands with short timeouts, and what it remembers of trouble."""

	def __init__(self, url: str):
		timeout = config.redis_timeout()
		self.redis = redis.Redis.from_url(
			url, socket_timeout=timeout, socket_connect_timeout=timeout, socket_keepalive=True
		)
		self.enter = self.redis.register_script(ENTER)
		self.leave = self.redis.register_script(LEAVE)
		self.renew = self.redis.register_script(RENEW)
		self.regain = self.redis.register_script(REGAIN)
		self.release = self.redis.register_script(RELEASE)
		self.troubled_at = 0.0  # monotonic seconds; 0 for never
		self.unmarked: dict[bytes, float] = {}  # keys whose mark or deletion did not get through, and when
		self.unreleased: dict[bytes, str] = {}  # leases we may have got, or not given back, and their tokens

	def call(self, command, *arguments):
		"""What `command(*arguments)` returns, or None if Redis is in trouble."""
		try:
			if self.unmarked or self.unreleased:
				self._make_up()
			return command(*arguments)
		except ERRORS as error:
			self._note_trouble(error)
			return None

	def must_delete(self, keys: Iterable[bytes]) -> None:
		"""These entries may be wrong now. They go as soon as Redis answers, or expire by themselves."""
		now = time.monotonic()
		self.unmarked.update((key, now) for key in keys)

	def must_release(self, lease_key: bytes, token: str) -> None:
		"""Redis may hold this for us without our knowing: it is given back as soon as Redis answers."""
		self.unreleased[lease_key] = token

	def troubled(self) -> bool:
		"""Redis gave this process an error within the life of an entry."""
		return self.troubled_at > 0 and time.monotonic() - self.troubled_at < config.register_ttl()

	def _make_up(self) -> None:
		"""Do what did not get through: delete what others might still trust, give leases back.

		Entries older than their own life are gone already. What other threads add meanwhile stays noted.
		"""
		noted, oldest = list(self.unmarked.items()), time.monotonic() - config.register_ttl()
		if keys := [key for key, since in noted if since > oldest]:
			self.redis.delete(*keys)
		for key, since in noted:
			if self.unmarked.get(key) == since:
				del self.unmarked[key]
		for lease_key, token in list(self.unreleased.items()):
			self.release([lease_key], [token])
			self.unreleased.pop(lease_key, None)

	def _note_trouble(self, error: Exception) -> None:
		if not self.troubled():
			frappe.logger("assistant_session").error(
				f"Redis cache in trouble ({type(error).__name__}); reading the database meanwhile"
			)
		self.troubled_at = time.monotonic()


_connections: dict[str, Connection] = {}
_guard = threading.Lock()


def _reset() -> None:
	global _guard
	_connections.clear()
	_guard = threading.Lock()


os.register_at_fork(after_in_child=_reset)


def connection() -> Connection:
	"""The Redis cache of the current site."""
	url = frappe.local.conf.get("redis_cache") or DEFAULT_URL
	found = _connections.get(url)
	if found is None:
		with _guard:
			found = _connections.setdefault(url, Connection(url))
	return found


def key(kind: str, name: str) -> bytes:
	"""A key of ours, under the site's own prefix (Frappe's: the name of its database)."""
	return f"{frappe.local.conf.db_name}|assistant_session:{kind}:{name}".encode()


def read(name: str) -> str | None:
	"""The entry of a session; None for a mark, nothing, or a Redis in trouble (now or lately)."""
	here = connection()
	return entry_of(here, here.call(here.redis.get, key("register", name)))


def entry_of(here: Connection, said: bytes | None) -> str | None:
	if not said or said.startswith(b"m") or here.troubled():
		return None
	return said.decode()


def mark(names: Iterable[str], token: str) -> None:
	"""Say that a transaction of ours is about to change these sessions; refreshes the mark if it stands."""
	here, keys, life = connection(), [key("register", name) for name in names], _milliseconds()

	def put() -> bool:
		if len(keys) == 1:
			return bool(here.redis.set(keys[0], token, px=life))
		pipeline = here.redis.pipeline(transaction=False)
		for register_key in keys:
			pipeline.set(register_key, token, px=life)
		pipeline.execute()
		return True

	if not here.call(put):
		here.must_delete(keys)


def leave(name: str, token: str, *, entry: str = "", lease_token: str = "") -> bool:
	"""End a transaction: with `entry` publish it, without take the own mark away; then release the lease.

	Returns whether the entry went in. If Redis cannot be told, the key is deleted as soon as it can.
	"""
	here = connection()
	keys = [key("register", name), key(LEASE, name)]
	arguments = [token, entry, _milliseconds(), lease_token]
	answer = here.call(here.leave, keys, arguments)
	if answer is None:
		here.must_delete(keys[:1])
		if lease_token:
			here.must_release(keys[1], lease_token)
	return answer == 1


def forget(names: Iterable[str]) -> None:
	"""Delete the entries: whoever reads next asks the database."""
	here, keys = connection(), [key("register", name) for name in names]
	if keys and here.call(here.redis.delete, *keys) is None:
		here.must_delete(keys)


def new_mark() -> str:
	return f"m{int.from_bytes(os.urandom(8), 'big')}"


def _milliseconds() -> int:
	return int(config.register_ttl() * 1000)
