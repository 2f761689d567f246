"""Agent locks by device, for routers that know only a device id.

They never tell or take a session id, and an answer names agent, expiry and winner alone. A page says which device it is on
and proves nothing by that: whoever says somebody's device first must not get what a router sets for it. So a router's lock
goes to the session that trusted code opened for the device, or to one of its own; a lock that a bot gave to a page's
session is told, and cleared.
"""

from .. import bounds
from ..session import Session
from ..tables import session_rows
from ..tables.row import Row
from ..vantage import LOCKED
from . import agents, opening
from .agents import DeviceLock
from .opening import OpenRequest


def get_session_lock(device_id: str) -> DeviceLock | None:
	"""The device's agent lock, None if it has none or its time is over."""
	device = bounds.device_id(device_id)
	for row in (_active(device), _claimed(device)):
		if row is not None and Session(row, "database").active_agent is not None:
			return DeviceLock(row.active_agent, row.agent_lock_expires_at)
	return None


def set_session_lock(device_id: str, agent_key: str, ttl: int | None = None) -> DeviceLock:
	"""Route the device to an agent, opening an unauthenticated session if it has none.

	If another agent has it already, that one stays: of two calls at the same moment one wins, and both answers
	name the winner (`won` says whether it was this call).
	"""
	agent_key, device = bounds.label(agent_key, "agent_key"), bounds.device_id(device_id)
	row = _active(device) or opening.open_for_device(device)
	grant = agents.lock_agent(row.name, agent_key, ttl=ttl)
	if grant:
		return DeviceLock(grant.agent, grant.expires_at, won=True)
	row = session_rows.select(row.name, LOCKED) or row
	return DeviceLock(row.active_agent, row.agent_lock_expires_at)


def clear_session_lock(device_id: str) -> bool:
	"""End the device's agent lock, whoever has it; says whether there was one."""
	device = bounds.device_id(device_id)
	held = [row for row in (_active(device), _claimed(device)) if row is not None and row.active_agent]
	return any([agents.release(row.name, "cleared") for row in held])


def _active(device: str) -> Row | None:
	return opening.holder(OpenRequest(device_id=device))


def _claimed(device: str) -> Row | None:
	"""The session of a page that says it is on this device."""
	return opening.holder(OpenRequest(device_id=device, device_is_proven=False))
