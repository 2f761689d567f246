"""How often somebody may call, counted per minute in Redis under names of our own.

Without Redis each worker counts for itself: a limit is then looser, and nobody is locked out.
"""

import hashlib
import time
from collections import Counter

from frappe import _

from ..sessions import register
from ..sessions.errors import TooManyRequests

MINUTE = 60

_own: Counter = Counter()
_own_minute = 0


def count(kind: str, subject: str, allowed: int) -> None:
	"""Count one call of `kind` by `subject`; raises TooManyRequests past `allowed` in this minute."""
	minute = int(time.time()) // MINUTE
	short = hashlib.sha256(subject.encode()).hexdigest()[:32]
	key = register.key("limit", f"{kind}:{short}:{minute}")
	here = register.connection()

	def increment() -> int:
		pipeline = here.redis.pipeline(transaction=False)
		pipeline.incr(key)
		pipeline.expire(key, 2 * MINUTE)
		return pipeline.execute()[0]

	calls = here.call(increment)
	if calls is None:
		calls = _count_here(key, minute)
	if calls > allowed:
		raise TooManyRequests(_("Too many calls. Try again in a minute."))


def _count_here(key: bytes, minute: int) -> int:
	global _own_minute
	if minute != _own_minute:
		_own.clear()
		_own_minute = minute
	_own[key] += 1
	return _own[key]
