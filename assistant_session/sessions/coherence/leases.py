"""The lease of a session: the right to process its messages, one at a time.

A lease is a key in Redis with a random token. It lasts for less time than others wait for it (8 s, site config), is
renewed by a thread while its block runs, and expires by itself if the worker dies: whoever waits gets it then. A worker
that stood still for longer than its lease asks for it again before it writes. When Redis is away the session's row is
locked in the database instead, which lasts until the transaction ends. Waiting is bounded by Settings; then SessionBusy.
One message of a session waits at a time, and the others are told SessionBusy at once: who waits occupies a worker, and
one person who sends many messages must not occupy all of them.
"""

import os
import random
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakValueDictionary

from ... import database, database_errors
from .. import config
from ..errors import SessionBusy
from ..tables import session_rows
from ..vantage import LOCKED
from . import register

FIRST_PAUSE, LONGEST_PAUSE = 0.01, 0.2  # seconds between two looks at a busy session
WAITER_GRACE = 500  # milliseconds a waiter is remembered past the end of its wait
LONGEST_TICK = 0.5  # seconds between two looks at what has to be renewed

# Weak: a lease whose transaction vanished without a word (its connection is gone) is renewed no more.
_renewed: "WeakValueDictionary[bytes, Lease]" = WeakValueDictionary()
_renewer: threading.Thread | None = None
_renewer_guard = threading.Lock()
_tick = LONGEST_TICK


class Lease:
	"""A lease that was got. `said` is the register's entry at that moment, None if there was none to trust."""

	def __init__(
		self, name: str, token: str = "", said: str | None = None, mark: str = "m", since: float = 0
	):
		self.name, self.token, self.said, self.mark = name, token, said, mark
		self.key = register.key(register.LEASE, name)
		self.connection = register.connection()
		self.seconds = config.lease_seconds()
		self.leased_until = since + self.seconds  # time.monotonic(); Redis counts from a moment later
		self.expires = time.monotonic() + config.lease_longest()

	@property
	def in_database(self) -> bool:
		return not self.token

	@property
	def may_be_lost(self) -> bool:
		"""Whether this process stood still, or could not renew it, for so long that somebody else may have it."""
		return not self.in_database and time.monotonic() >= self.leased_until

	def renew(self) -> None:
		"""Lease it anew if it is still ours. Speaks to Redis alone, and raises what Redis raises."""
		since = time.monotonic()
		if self.connection.renew([self.key], [self.token, int(self.seconds * 1000)]):
			self.leased_until = since + self.seconds

	def regain(self) -> bool:
		"""Lease it again where nobody else has it. While Redis is away somebody may have locked the row instead; the write
		itself then finds that the session has moved on."""
		since = time.monotonic()
		arguments = [self.token, int(self.seconds * 1000)]
		answer = self.connection.call(self.connection.regain, [self.key], arguments)
		if answer == 1:
			self.leased_until = since + self.seconds
		return answer != 0

	def release_later(self) -> str:
		"""Stop renewing; returns the token, for a caller that releases together with something else."""
		if _renewed.get(self.key) is self:
			del _renewed[self.key]
		return self.token

	def release(self) -> None:
		"""Give the lease back, and take the mark put with it away."""
		if token := self.release_later():
			register.leave(self.name, self.mark, lease_token=token)


def at_once(name: str, mark: str, *, anew: bool) -> Lease | None:
	"""The lease of a session, with `mark` put into the register; None if somebody else has it.

	`anew` allows to begin a new transaction where the lease must be a row lock.
	"""
	lease = _try_redis(name, mark)
	return _lock_row(name, anew) if lease == "away" else lease


def waited_for(name: str, mark: str, *, anew: bool) -> Lease:
	"""The same, as soon as nobody else has it. Raises SessionBusy after `hold_wait` seconds (Settings), or at once if
	somebody waits for this session already."""
	deadline, pause = time.monotonic() + config.settings().hold_wait, FIRST_PAUSE
	with _waiting(name):
		while time.monotonic() < deadline:
			time.sleep(pause * random.uniform(0.5, 1.5))
			pause = min(pause * 2, LONGEST_PAUSE)
			if lease := at_once(name, mark, anew=anew):
				return lease
	raise SessionBusy.of(name)


@contextmanager
def _waiting(name: str) -> Iterator[None]:
	"""The one who waits for this session. Raises SessionBusy if somebody does; a waiter that died is forgotten when its
	time is over. Redis being away is told by the next look at the lease."""
	here, key, token = register.connection(), register.key("waiter", name), str(secrets.randbits(63))
	life = int(config.settings().hold_wait * 1000) + WAITER_GRACE
	said = here.call(lambda: [here.redis.set(key, token, nx=True, px=life)])
	if said == [None]:
		raise SessionBusy.of(name)
	try:
		yield
	finally:
		here.call(here.release, [key], [token])


def _try_redis(name: str, mark: str):
	"""A Lease, None if somebody else has it, "away" if Redis is."""
	here, since = register.connection(), time.monotonic()
	token = str(secrets.randbits(63))
	keys = [register.key(register.LEASE, name), register.key("register", name)]
	life = int(config.lease_seconds() * 1000)
	arguments = [token, life, mark, int(config.register_ttl() * 1000)]
	answer = here.call(here.enter, keys, arguments)
	if answer is None:
		here.must_delete(keys[1:])
		here.must_release(keys[0], token)  # it may have got through, only the answer did not
		return "away"
	if not answer[0]:
		return None
	lease = Lease(name, token, register.entry_of(here, answer[1]), mark, since)
	_renew_from_now_on(lease)
	return lease


def _lock_row(name: str, anew: bool) -> Lease | None:
	if anew:
		database.begin_anew()
	try:
		with database.refusable():
			session_rows.select(name, LOCKED, wait=False)
	except Exception as error:
		if not database_errors.is_lock_wait(error):
			raise
		return None
	return Lease(name)


def _renew_from_now_on(lease: Lease) -> None:
	global _renewer, _tick
	_renewed[lease.key] = lease
	_tick = min(_tick, lease.seconds / 8)
	if _renewer is None:
		with _renewer_guard:
			if _renewer is None:
				_renewer = threading.Thread(target=_renew, name="lease renewal", daemon=True)
				_renewer.start()


def _renew() -> None:
	while True:
		time.sleep(_tick)
		for lease in list(_renewed.values()):
			if time.monotonic() > lease.expires:
				lease.release_later()
			elif time.monotonic() > lease.leased_until - lease.seconds * 3 / 4:
				_renew_one(lease)


def _renew_one(lease: Lease) -> None:
	"""In a thread without a site. An error is tried again at the next round."""
	try:
		lease.renew()
	except register.ERRORS:
		return


def _reset() -> None:
	global _renewer, _renewer_guard
	_renewed.clear()
	_renewer, _renewer_guard = None, threading.Lock()


os.register_at_fork(after_in_child=_reset)
