"""How often somebody may call, and how much a network may store, counted in Redis under names of our own.

Without Redis each worker counts for itself: a limit is then looser, and nobody is locked out. Everything one call counts
goes in one trip.
"""

import hashlib
import time
from collections import Counter
from dataclasses import dataclass

from frappe import _

from ..sessions import config
from ..sessions.coherence import register
from ..sessions.errors import TooManyRequests

MINUTE, HOUR = 60, 3600
MEGABYTE = 1024 * 1024
# Behind a proxy that nobody named all guests are one network: then it may have so many times as much,
ALL_GUESTS = 10
# and one client at most this part of what all may open.
SHARE = 5

_own: Counter = Counter()
_own_windows: dict[int, int] = {}


@dataclass(frozen=True)
class Use:
	"""`amount` more of `kind` by `subject`, of which there may be `allowed` in a window of so many seconds."""

	kind: str
	subject: str
	allowed: int
	amount: int = 1
	window: int = MINUTE

	def key(self, now: float) -> bytes:
		short = hashlib.sha256(self.subject.encode()).hexdigest()[:32]
		return register.key("limit", f"{self.kind}:{short}:{int(now) // self.window}")


@dataclass(frozen=True)
class Place:
	"""Where a call comes from. `network` is None where the nearest address may well be a proxy's that nobody named;
	`client` is then what that proxy says of the caller, if it says anything."""

	nearest: str
	network: str | None
	client: str | None = None
	device: str | None = None


def of_network(kind: str, place: Place, allowed: int, **more: int) -> list[Use]:
	"""What a network may, wherever the call comes from."""
	if place.network:
		return [Use(kind, place.network, allowed, **more)]
	everybody = Use(kind, place.nearest, allowed * ALL_GUESTS, **more)
	return [everybody, *([Use(f"{kind} of one", place.client, allowed, **more)] if place.client else [])]


def of_opening(place: Place) -> list[Use]:
	"""What a network may open, and one client or device of it, so that it does not use up what is for all."""
	allowed = config.settings().opens_per_minute
	share = max(allowed // SHARE, 1)
	ones = {"client": place.client, "device": place.device}
	parts = [Use(f"open of a {kind}", f"{place.nearest} {one}", share) for kind, one in ones.items() if one]
	return [*parts, Use("open", place.network or place.nearest, allowed)]


def of_message(session: str, place: Place, size: int) -> list[Use]:
	"""What a session and its network may send, and how much of it may be stored."""
	settings = config.settings()
	stored = settings.megabytes_per_hour_network * MEGABYTE
	return [
		Use("message", session, settings.messages_per_minute),
		*of_network("message", place, settings.messages_per_minute_network),
		*of_network("stored", place, stored, amount=size, window=HOUR),
	]


def of_reading(session: str, place: Place) -> list[Use]:
	settings = config.settings()
	own = Use("read", session, settings.reads_per_minute)
	return [own, *of_network("read", place, settings.reads_per_minute_network)]


def of_refusal(place: Place) -> list[Use]:
	"""How often a network may be told that there is no such session."""
	return of_network("refused", place, config.settings().refusals_per_minute_network)


def take(*uses: Use) -> None:
	"""Count all of them; raises TooManyRequests, with the seconds to wait, if one is past what is allowed."""
	now = time.time()
	totals = _in_redis(uses, now) or [_here(use, now) for use in uses]
	over = [use for use, total in zip(uses, totals, strict=True) if total > use.allowed]
	if over:
		error = TooManyRequests(_("Too many calls. Try again in a minute."))
		error.retry_after = max(int(use.window - now % use.window) + 1 for use in over)
		raise error


def count(kind: str, subject: str, allowed: int) -> None:
	"""Count one call of `kind` by `subject` in this minute."""
	take(Use(kind, subject, allowed))


def _in_redis(uses: tuple[Use, ...], now: float) -> list[int] | None:
	here = register.connection()

	def increment() -> list[int]:
		pipeline = here.redis.pipeline(transaction=False)
		for use in uses:
			pipeline.incrby(use.key(now), use.amount)
			pipeline.expire(use.key(now), 2 * use.window)
		return pipeline.execute()[::2]

	return here.call(increment)


def _here(use: Use, now: float) -> int:
	window = int(now) // use.window
	if _own_windows.get(use.window) != window:
		_own_windows[use.window] = window
		for key in [key for key in _own if key[0] == use.window]:
			del _own[key]
	_own[use.window, use.key(now)] += use.amount
	return _own[use.window, use.key(now)]
