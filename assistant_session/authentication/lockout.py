"""Counting attempts, so that nobody guesses for long and nobody is locked out by somebody else's guesses.

An attempt is reserved, and committed on a connection of its own, before the verifier is asked: it counts
whatever becomes of the request. It counts in several buckets (see `vouching`): the session, the network, and each
credential by itself, as typed by strangers or by somebody who is vouched for. The attempt that fills a bucket locks it
in the same statement; locks double with each that follows, up to a day, but where many people stand behind a bucket. A success takes back this one
attempt and no other: whoever can prove to be one person must not get more guesses at another. A verifier that was
away gives the attempt back too, a few times.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import frappe

from .. import database, database_errors, second_connection
from ..sessions import config
from ..sessions.errors import SessionStoreUnavailable
from ..sessions.secrets import keys
from ..sessions.tables.statements import P, ask, insert, run, table, write

DOCTYPE = "Verification Attempt"
SESSION, NETWORK, WIDE_NETWORK, STRANGER, KNOWN, VOUCHED, CHECK, UNLOCKED = (
	"session", "network", "wide network", "stranger", "known", "vouched", "check", "unlocked",
)  # fmt: skip
SHARED, SHARED_VOUCHED = "shared", "shared vouched"  # values that many people have
# How many times as much as a network may a bucket hold that still more people stand behind.
MANY = {WIDE_NETWORK: 4, SHARED: 10, SHARED_VOUCHED: 10}
LONGEST_LOCK = 86400  # seconds
NETWORK_WINDOW = HOUR = 3600
MOST_GIVEN_BACK = 10  # per window
UNLOCK_SECONDS = 900
KEPT_SECONDS = 2 * LONGEST_LOCK  # before a row is purged
COLUMNS = ("attempts", "given_back", "locks", "window_started", "locked_until")
STANDARD = ("creation", "modified", "owner", "modified_by", "docstatus", "idx")


@dataclass(frozen=True)
class Bucket:
	"""Something attempts are counted for; `name` is a keyed hash of it."""

	kind: str
	name: str

	@classmethod
	def of(cls, kind: str, *parts: str) -> "Bucket":
		return cls(kind, keys.digest(keys.ATTEMPTS, kind, *parts).replace(":", "-"))

	@property
	def is_of_many(self) -> bool:
		"""A whole office may stand behind it: its lock does not grow, and what is given back has no limit."""
		return self.kind == NETWORK or self.kind in MANY

	@property
	def allowed(self) -> int:
		"""Attempts in its window. Many people share a network, and many senders one credential."""
		settings = config.settings()
		if self.kind in (NETWORK, VOUCHED, *MANY):
			return settings.attempts_allowed_network * MANY.get(self.kind, 1)
		return settings.attempts_allowed


@dataclass
class Count:
	"""A bucket's row."""

	attempts: int
	given_back: int
	locks: int
	window_started: datetime
	locked_until: datetime | None


class Attempt:
	"""One attempt to verify: `reserve`, ask the verifier, and then `succeed` or `give_back`, or nothing."""

	def __init__(self, buckets: list[Bucket]):
		self.buckets = sorted(
			buckets, key=lambda bucket: bucket.name
		)  # in one order, so that nobody deadlocks
		self.locked_until: datetime | None = None  # should it fail

	def reserve(self) -> datetime | None:
		"""Count it in every bucket, committed; None. Or the time until which one of them is locked."""
		if until := _locked_until(self.buckets):  # without making rows for whoever is locked anyway
			return until
		_ensure(self.buckets)
		refused, self.locked_until = _in_own_transaction(self._reserve)
		return refused

	def give_back(self) -> None:
		"""The verifier was away: it does not count, unless that happened too often."""
		_in_own_transaction(lambda db: self._each(db, _given_back))

	def succeed(self) -> None:
		"""It was right: it does not count, and those before it do."""
		_in_own_transaction(lambda db: self._each(db, lambda _bucket, count: _uncount(count)))

	def _reserve(self, db) -> tuple[datetime | None, datetime | None]:
		now = config.now()
		counts = [(bucket, _locked_row(db, bucket, now)) for bucket in self.buckets]
		if until := _latest([count for _bucket, count in counts], now):
			return until, None
		for bucket, count in counts:
			_count(bucket, count, now)
			_store(db, bucket, count)
		return None, _latest([count for _bucket, count in counts], now)

	def _each(self, db, change) -> None:
		now = config.now()
		for bucket in self.buckets:
			count = _locked_row(db, bucket, now)
			change(bucket, count)
			_store(db, bucket, count)


def failed(check: str) -> None:
	"""Count a failure of an Identity Check; many in an hour raise an alarm, and lock nobody."""
	bucket, alarm = Bucket.of(CHECK, check), config.settings().failures_alarm
	_ensure([bucket])

	def count_one(db) -> int:
		count = _locked_row(db, bucket, config.now())
		count.attempts += 1
		_store(db, bucket, count)
		return count.attempts

	if _in_own_transaction(count_one) == alarm:
		title = "Assistant Session: many failed verifications"
		text = f"{alarm} failures of the Identity Check “{check}” within an hour. Somebody may be guessing."
		frappe.logger("assistant_session").error(text)
		frappe.log_error(title=title, message=text)


def unlock(session: str) -> None:
	"""For UNLOCK_SECONDS the next attempts in this session are not counted as a stranger's."""
	bucket, until = Bucket.of(UNLOCKED, session), config.now() + timedelta(seconds=UNLOCK_SECONDS)
	_ensure([bucket])

	def open_until(db) -> None:
		count = _locked_row(db, bucket, config.now())
		count.locked_until = until
		_store(db, bucket, count)

	_in_own_transaction(open_until)


def release(bucket: Bucket) -> None:
	"""Its attempts are forgotten and its lock ends; the next one is as long as it would have been."""
	_ensure([bucket])

	def start_anew(db) -> None:
		count = _locked_row(db, bucket, config.now())
		_store(db, bucket, Count(0, count.given_back, count.locks, config.now(), None))

	_in_own_transaction(start_anew)


def session_locked_until(session: str) -> datetime | None:
	"""Until when nobody may try to verify in this session, None if they may."""
	return _locked_until([Bucket.of(SESSION, session)])


def is_unlocked(session: str) -> bool:
	return _locked_until([Bucket.of(UNLOCKED, session)]) is not None


def purge(limit: int) -> int:
	"""Remove counters nobody needs any more, at most `limit`, committed; returns how many."""
	attempts, before = table(DOCTYPE), config.now() - timedelta(seconds=KEPT_SECONDS)
	old = frappe.qb.from_(attempts).select(attempts.name).where(attempts.modified < before)
	old = old.where(attempts.locked_until.isnull() | (attempts.locked_until < before)).limit(limit)

	def remove(db) -> int:
		names = [name for (name,) in ask(database.for_update(old), on=db)]
		if names:
			write(frappe.qb.from_(attempts).delete().where(attempts.name.isin(names)), on=db)
		return len(names)

	return _in_own_transaction(remove)


def _locked_until(buckets: list[Bucket]) -> datetime | None:
	"""When the last of their locks ends, as committed now; None if none is locked."""

	def look(db) -> list[Count]:
		return [Count(*row) for bucket in buckets for row in _row(db, bucket)]

	return _latest(_in_own_transaction(look), config.now())


def _in_own_transaction(work: Callable[[Any], Any]) -> Any:
	"""Raises SessionStoreUnavailable where the database will not: what is not counted is not asked either."""
	try:
		return second_connection.in_own_transaction(work)
	except Exception as error:
		if (
			database_errors.is_connection_lost(error)
			or database_errors.is_lost_transaction(error)
			or database_errors.is_lock_wait(error)
		):
			raise SessionStoreUnavailable.of() from error
		raise


def _latest(counts: list[Count], now: datetime) -> datetime | None:
	"""When the last of their locks ends, None if none is locked."""
	ends = [count.locked_until for count in counts if count.locked_until and count.locked_until > now]
	return max(ends, default=None)


def _count(bucket: Bucket, count: Count, now: datetime) -> None:
	"""One more attempt; the last one allowed locks."""
	count.attempts += 1
	if count.attempts >= bucket.allowed:
		growth = 1 if bucket.is_of_many else 2 ** min(count.locks, 20)
		seconds = min(config.settings().lock_seconds * growth, LONGEST_LOCK)
		count.locked_until, count.locks = now + timedelta(seconds=seconds), count.locks + 1


def _given_back(bucket: Bucket, count: Count) -> None:
	if bucket.is_of_many or count.given_back < MOST_GIVEN_BACK:
		_uncount(count)
		count.given_back += 1


def _uncount(count: Count) -> None:
	"""Take one attempt away, and the lock with it if it was the one that locked."""
	if count.locked_until:
		count.locks, count.locked_until = max(count.locks - 1, 0), None
	count.attempts = max(count.attempts - 1, 0)


def _locked_row(db, bucket: Bucket, now: datetime) -> Count:
	"""The bucket's row as it counts now, locked until this short transaction ends."""
	count = Count(*_row(db, bucket, locked=True)[0])
	until = count.locked_until
	served = until is not None and until <= now
	window = {NETWORK: NETWORK_WINDOW, WIDE_NETWORK: NETWORK_WINDOW, CHECK: HOUR}.get(
		bucket.kind, config.settings().attempt_window
	)
	if served or (count.window_started + timedelta(seconds=window) <= now and not until):
		quiet = until is None or until + timedelta(seconds=LONGEST_LOCK) <= now
		count = Count(0, 0, 0 if quiet else count.locks, now, None)
	return count


def _ensure(buckets: list[Bucket]) -> None:
	"""Make the rows that are missing, before any is locked: locking one that is not there would lock others' too."""

	def make(db) -> None:
		now, user = config.now(), frappe.session.user
		for bucket in buckets:
			if not _row(db, bucket):
				row = (bucket.name, bucket.kind, 0, 0, 0, now, None, now, now, user, user, 0, 0)
				insert(DOCTYPE, ("name", "kind", *COLUMNS, *STANDARD), [row], on=db)

	_in_own_transaction(make)


def _store(db, bucket: Bucket, count: Count) -> None:
	def build():
		attempts = table(DOCTYPE)
		query = frappe.qb.update(attempts)
		for column in (*COLUMNS, "modified"):
			query = query.set(attempts[column], P)
		return query.where(attempts.name == P)

	values = [getattr(count, column) for column in COLUMNS]
	run(("store attempts",), build, (*values, config.now(), bucket.name), on=db)


def _row(db, bucket: Bucket, *, locked: bool = False) -> list[tuple]:
	"""The bucket's row, if there is one."""

	def build():
		attempts = table(DOCTYPE)
		query = frappe.qb.from_(attempts).select(*(attempts[column] for column in COLUMNS))
		query = query.where(attempts.name == P)
		return database.for_update(query) if locked else query

	return run(("attempts", locked), build, (bucket.name,), on=db)
