"""Agent locks: a session routed to one named bot agent until released or timed out.

Every grant carries a fence, a number in the session's row that grows with each grant. A holder whose time ran
out can neither release somebody else's lock nor write with its old fence. Routers that know only a device
use the device-keyed calls at the end, which answer with agent, expiry and winner and never with a session id.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from . import bounds, coherence, config, store, writing
from .errors import SessionConflict
from .events import Event
from .rows import Row
from .snapshot import Session
from .writing import Write

BATCH = 500


@dataclass(frozen=True)
class Grant:
	"""The proof of holding an agent lock; hand it to release_agent and to writes."""

	session_id: str
	agent: str
	fence: int
	expires_at: datetime


@dataclass(frozen=True)
class DeviceLock:
	"""What a router may know: the agent, until when, and whether this call is the one that won."""

	agent: str
	expires_at: datetime
	won: bool = False


def lock_agent(session_id: str, agent: str, *, ttl: int | None = None, steal: bool = False) -> Grant | None:
	"""Route the session to `agent` for `ttl` seconds (Settings); None if another agent has it.

	The same agent gets its lock extended, with a new fence. `steal` takes it from whoever has it.
	"""
	name, agent = bounds.session_id(session_id), bounds.label(agent, "agent")
	seconds = config.settings().agent_lock_ttl if ttl is None else bounds.ttl(ttl)

	def decide(row: Row) -> Write:
		holder = Session(row, "database").active_agent
		if holder not in (None, agent) and not steal:
			return Write()
		return _granted(row, agent, seconds)

	row = coherence.current(name)
	result = writing.save(row, decide(row), decide=decide).row
	return _grant(result) if result is not row and Session(result, "database").active_agent == agent else None


def active_agent(session_id: str) -> str | None:
	"""The agent the session is routed to, None if nobody or the lock's time is over."""
	row, origin = coherence.read(bounds.session_id(session_id))
	return Session(row, origin).active_agent


def release_agent(grant: Grant) -> bool:
	"""End the lock this grant stands for; False if it had ended, or somebody else has it by now."""
	row = coherence.current(bounds.session_id(grant.session_id))
	if row.agent_fence != grant.fence or not row.active_agent:
		return False
	try:
		writing.save(row, _released(row, "released"), decide=_released_as("released"), fence=grant.fence)
	except SessionConflict:
		return False
	return True


def expire_locks() -> int:
	"""Take away agent locks past their time, one bounded batch; returns how many."""
	ended = 0
	for name in store.overdue("agent_lock_expires_at", config.now(), BATCH):
		row = store.select_locked(name)
		if row and row.active_agent and row.agent_lock_expires_at <= config.now():
			write = _released(row, "expired")
			write.any_status = True
			writing.save(row, write)
			ended += 1
	return ended


def _granted(row: Row, agent: str, seconds: int) -> Write:
	now = config.now()
	changes = {
		"active_agent": agent,
		"agent_locked_at": now,
		"agent_lock_expires_at": now + timedelta(seconds=seconds),
		"agent_fence": row.agent_fence + 1,
	}
	return Write(changes, events=[Event("agent_locked", {"agent": agent, "seconds": seconds})])


def _released(row: Row, why: str) -> Write:
	changes = {"active_agent": None, "agent_locked_at": None, "agent_lock_expires_at": None}
	return Write(changes, events=[Event("agent_released", {"agent": row.active_agent or "", "why": why})])


def _released_as(why: str):
	return lambda row: _released(row, why)


def _grant(row: Row) -> Grant:
	return Grant(row.name, row.active_agent, row.agent_fence, row.agent_lock_expires_at)
