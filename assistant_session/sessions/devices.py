"""Agent locks by device, for routers that know only a device id.

They never tell or take a session id, and an answer names agent, expiry and winner alone.
"""

from . import agents, bounds, lifecycle, store
from .agents import DeviceLock
from .rows import Row
from .snapshot import Session


def get_session_lock(device_id: str) -> DeviceLock | None:
	"""The device's agent lock, None if it has none or its time is over."""
	row = _active(device_id)
	if row is None or Session(row, "database").active_agent is None:
		return None
	return DeviceLock(row.active_agent, row.agent_lock_expires_at)


def set_session_lock(device_id: str, agent_key: str, ttl: int | None = None) -> DeviceLock:
	"""Route the device to an agent, opening an unauthenticated session if it has none.

	If another agent has it already, that one stays: of two calls at the same moment one wins, and both answers
	name the winner (`won` says whether it was this call).
	"""
	agent_key = bounds.label(agent_key, "agent_key")
	row = _active(device_id) or lifecycle.open_for_device(bounds.device_id(device_id))
	grant = agents.lock_agent(row.name, agent_key, ttl=ttl)
	if grant:
		return DeviceLock(grant.agent, grant.expires_at, won=True)
	row = store.select_locked(row.name) or row
	return DeviceLock(row.active_agent, row.agent_lock_expires_at)


def clear_session_lock(device_id: str) -> bool:
	"""End the device's agent lock, whoever has it; says whether there was one."""
	row = _active(device_id)
	if row is None or not row.active_agent:
		return False
	return agents.release(row.name, "cleared")


def _active(device_id: str) -> Row | None:
	return lifecycle.holder(lifecycle.Wanted(device_id=bounds.device_id(device_id)))
