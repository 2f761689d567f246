"""Agent locks: a session routed to one named bot agent until released or timed out.

Every grant carries a fence, a number in the session's row that grows with each grant. A holder whose time ran
out can neither release somebody else's lock nor write with its old fence. Routers that know only a device
use the device-keyed calls at the end, which answer with agent, expiry and winner and never with a session id.
"""

from dataclasses import dataclass
from datetime import datetime

from .. import bounds
from ..coherence import reading, writing
from ..coherence.writing import ALSO_ENDED
from ..errors import SessionConflict, SessionNotFound
from ..session import Session, changing


@dataclass(frozen=True)
class Grant:
	"""The proof of holding an agent lock; hand it to release_agent and to writes."""

	session_id: str
	agent: str
	fence: int
	expires_at: datetime | None


@dataclass(frozen=True)
class DeviceLock:
	"""What a router may know: the agent, until when, and whether this call is the one that won."""

	agent: str | None
	expires_at: datetime | None
	won: bool = False


def lock_agent(session_id: str, agent: str, *, ttl: int | None = None, steal: bool = False) -> Grant | None:
	"""Route the session to `agent` for `ttl` seconds (Settings); None if another agent has it.

	The same agent gets its lock extended, with a new fence. `steal` takes it from whoever has it.
	"""
	name, agent = bounds.session_id(session_id), bounds.label(agent, "agent")

	result = writing.change(name, changing(lambda session: session.lock_agent(agent, ttl=ttl, steal=steal)))
	row = result.row
	return Grant(name, agent, row.agent_fence, row.agent_lock_expires_at) if result.written else None


def active_agent(session_id: str) -> str | None:
	"""The agent the session is routed to, None if nobody or the lock's time is over."""
	row, origin = reading.read(bounds.session_id(session_id))
	return Session(row, origin).active_agent


def release_agent(grant: Grant) -> bool:
	"""End the lock this grant stands for; False if it had ended, or somebody else has it by now."""
	try:
		return release(bounds.session_id(grant.session_id), "released", fence=grant.fence)
	except (SessionConflict, SessionNotFound):
		return False


def release(name: str, why: str, *, fence: int | None = None) -> bool:
	"""End the lock of a session, also of one that is over; says whether there was one."""

	decide = changing(lambda session: session.release_agent(why), ALSO_ENDED)
	return writing.change(name, decide, fence=fence).written
