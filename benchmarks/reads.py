"""A validated read against a bare Redis GET, a second read in a request, and what a cached session weighs."""

import gc
import os
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable
from types import SimpleNamespace

import frappe
import redis

from assistant_session import sessions
from assistant_session.sessions.coherence import register
from assistant_session.sessions.coherence.memory import OVERHEAD_BYTES, Memory
from assistant_session.sessions.tables import session_rows

from .histories import Conversation

BATCH = 1000  # second reads timed together: one is shorter than the clock is exact
CACHED = 5000  # sessions


def validated(conversation: Conversation, rounds: int) -> dict[str, float]:
	"""Microseconds of a bare GET and of a read that memory answers, the first of its request; medians."""
	conversation.publish(in_memory=True)
	name = conversation.name
	key = register.key("register", name)
	bare = redis.Redis.from_url(os.environ.get("FRAPPE_REDIS_CACHE") or frappe.local.conf.redis_cache)
	times: dict[str, list[float]] = {"get": [], "read": []}
	for number in range(rounds):
		if number % 1000 == 0:
			conversation.publish(in_memory=True)  # an entry lives two minutes
		times["get"].append(_spent(lambda: bare.get(key)))
		frappe.local.request = SimpleNamespace()
		times["read"].append(_spent(lambda: sessions.get(name)))
	frappe.local.request = None
	assert sessions.get(name).origin == "memory"
	return {kind: statistics.median(values) for kind, values in times.items()}


def second(conversation: Conversation, rounds: int) -> float:
	"""Microseconds of a read of what this request has read before; median over `rounds` batches."""
	name = conversation.name
	frappe.local.request = SimpleNamespace()
	sessions.get(name)

	def batch() -> None:
		for _number in range(BATCH):
			sessions.get(name)

	spent = statistics.median(_spent(batch) / BATCH for _round in range(rounds))
	frappe.local.request = None
	return spent


def weight(conversation: Conversation) -> dict[str, float]:
	"""Bytes of worker memory per session, over CACHED different ones: its own `text` (as UTF-8), what comes on
	top of it (`beyond`), and the part of that which is not the strings' own headers (`overhead`).

	Each row comes from the database anew, so that nothing is shared that a worker would not share.
	"""
	name, memory = conversation.name, Memory()
	memory.put(session_rows.select(name))
	memory.clear()
	gc.collect()
	tracemalloc.start()
	before, text, strings = tracemalloc.get_traced_memory()[0], 0, 0
	for number in range(CACHED):
		row = session_rows.select(name)._replace(name=f"{name}-{number:05d}")
		text += sum(len(value.encode()) for value in row if isinstance(value, str))
		strings += sum(sys.getsizeof(value) for value in row if isinstance(value, str))
		memory.put(row)
	del row
	frappe.db.rollback()
	gc.collect()
	used = tracemalloc.get_traced_memory()[0] - before
	tracemalloc.stop()
	assert len(memory) == CACHED
	return {
		"text": text / CACHED, "beyond": (used - text) / CACHED, "overhead": (used - strings) / CACHED,
		"accounted": OVERHEAD_BYTES,
	}  # fmt: skip


def _spent(call: Callable[[], object]) -> float:
	started = time.perf_counter_ns()
	call()
	return (time.perf_counter_ns() - started) / 1000
