"""One process on two sites."""

import uuid
from collections.abc import Callable
from typing import Any

import frappe

from assistant_session import sessions
from dev.harness.connection import connect


def on(site: str, work: Callable[[], Any]) -> Any:
	"""Do it there, committed, and leave."""
	connect(site)
	done = work()
	frappe.db.commit()
	frappe.db.close()
	return done


def one_id_on_both(one: str, other: str) -> list:
	"""What each site says of it, and the other after the first has moved it."""
	name = uuid.uuid4().hex
	for site in (one, other):
		on(site, lambda site=site: sessions.open(name, state=site))
	seen = [
		on(site, lambda: [sessions.get(name).current_state, sessions.get(name).origin])
		for site in (one, other)
	]
	on(one, lambda: sessions.transition(name, "MOVED"))
	return [seen, on(other, lambda: sessions.get(name).current_state)]


def one_of_the_first_on_the_other(one: str, other: str) -> str:
	name = on(one, lambda: sessions.open().id)
	try:
		return on(other, lambda: sessions.get(name).id)
	except sessions.SessionNotFound:
		return "not found"


def a_lock_of_the_first_on_the_other(one: str, other: str, device: str) -> list:
	"""Who has the device there, and whether its counts are as before."""
	on(one, lambda: sessions.set_session_lock(device, "scheduling"))
	before = on(other, sessions.counts)
	return [on(other, lambda: sessions.get_session_lock(device)), before == on(other, sessions.counts)]
