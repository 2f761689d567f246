"""Figures of each worker's memory, kept in Redis for ten minutes past its last flush: hits, misses, entries, bytes.

One hash of integers per worker, and one sorted set of who was seen when; all under the site's own prefix. Redis being
away costs these figures and nothing else.
"""

import os
import socket
import time
from dataclasses import astuple, dataclass, fields

from ..counters import counters
from ..sessions.coherence import register
from ..sessions.coherence.memory import memory

SEEN_SECONDS = 600
MOST_SHOWN = 500
NAME_LENGTH = 80


@dataclass(frozen=True)
class Figures:
	hits: int
	misses: int
	entries: int
	bytes: int


FIELDS = tuple(field.name for field in fields(Figures))


def name() -> str:
	"""This worker, as host:pid."""
	return f"{socket.gethostname()[:NAME_LENGTH]}:{os.getpid()}"


def publish() -> None:
	"""Write this worker's figures, in one trip; nothing happens while Redis is away."""
	here, own, now = register.connection(), name(), int(time.time())
	figures = Figures(*counters.reads(), *memory.size())

	def put() -> None:
		pipeline = here.redis.pipeline(transaction=False)
		pipeline.hset(_key(own), mapping=dict(zip(FIELDS, astuple(figures), strict=True)))
		pipeline.expire(_key(own), SEEN_SECONDS)
		pipeline.zadd(_seen(), {own: now})
		pipeline.zremrangebyscore(_seen(), "-inf", now - SEEN_SECONDS)
		pipeline.expire(_seen(), SEEN_SECONDS)
		pipeline.execute()

	here.call(put)


def read() -> dict[str, Figures] | None:
	"""The workers seen in the last ten minutes; None while Redis is away."""
	here, since = register.connection(), int(time.time()) - SEEN_SECONDS

	def get() -> list:
		names = here.redis.zrevrangebyscore(_seen(), "+inf", since, start=0, num=MOST_SHOWN)
		pipeline = here.redis.pipeline(transaction=False)
		for one in names:
			pipeline.hmget(_key(one.decode()), FIELDS)
		return list(zip(names, pipeline.execute() if names else [], strict=True))

	found = here.call(get)
	if found is None:
		return None
	return {worker.decode(): Figures(*map(int, values)) for worker, values in found if None not in values}


def _key(worker: str) -> bytes:
	return register.key("worker", worker)


def _seen() -> bytes:
	return register.key("workers", "seen")
