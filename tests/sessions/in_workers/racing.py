"""What several do at the same moment; each takes the number of its round first (see `tests.races`)."""

import time

import frappe

from assistant_session import sessions
from assistant_session.maintenance import retention
from assistant_session.sessions.operations import expiry
from tests import in_workers


def first_contact(round: int, phone: str, who: str, sells: bool) -> str:
	"""A webhook: before the bot answers nothing is written; while it answers, if it sells, an order is."""
	sender = f"{phone}-{round}"
	session = sessions.open(channel="WhatsApp", external_id=sender)
	with sessions.turn(session.id, f"hello from {who}", message_id=who) as turn:
		if sells:
			in_workers.note(sender)
		else:
			turn.reply("hi")
	frappe.db.commit()
	return session.id


def route(round: int, devices: list[str], who: str) -> list:
	"""Lock a device for one agent: which has it, and whether that was us."""
	lock = sessions.set_session_lock(devices[round], who)
	frappe.db.commit()
	return [lock.agent, lock.won]


def open_one(round: int, phones: list[str]) -> str:
	name = sessions.open(channel="WhatsApp", external_id=phones[round]).id
	frappe.db.commit()
	return name


def count_up(round: int, name: str) -> None:
	sessions.update(name, lambda session: session.context.update(count=session.context.get("count", 0) + 1))
	frappe.db.commit()


def steal_the_agent_lock(round: int, name: str, who: str) -> None:
	sessions.lock_agent(name, who, steal=True)
	frappe.db.commit()


def expire_in_batches(round: int) -> int:
	"""As long as there is something, with pauses in which the other gets some; how many."""
	ended = 0
	while some := expiry.Overdue(expiry.SESSIONS).end(20):
		ended += some
		time.sleep(0.5)
		frappe.db.commit()
	return ended


def purge(round: int, days: int) -> int:
	return retention.purge(days)
