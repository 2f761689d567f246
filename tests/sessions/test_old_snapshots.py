"""Databases that refuse to write to a row newer than the transaction's snapshot: MariaDB's default from 11.6.2, PostgreSQL.

Two processes are at the first contact with one person at the same moment. The loser adopts the winner's session; that must
cost neither a message nor the bot's own work, with or without that refusal.
"""

import secrets

import pytest

from tests.races import race

BOT = """
sender = f"{phone}-{round}"
session = sessions.open(channel="WhatsApp", external_id=sender)
with sessions.turn(session.id, f"hello from {who}", message_id=who) as turn:
	turn.reply("hi")
frappe.db.commit()
result = session.id
"""

# As it is written in a webhook: before the bot answers nothing is written, while it answers an order is.
SELLER = BOT.replace(
	'\tturn.reply("hi")', '\tfrappe.get_doc({"doctype": "ToDo", "description": sender}).insert()'
)

ROUTER = """
lock = sessions.set_session_lock(devices[round], who)
frappe.db.commit()
result = lock.agent
"""


@pytest.mark.parametrize("bot", [BOT, SELLER])
def test_two_workers_at_the_first_contact_both_get_their_message_stored(either, sessions, bot):
	phone = secrets.token_hex(8)
	first, second = race(either, bot, [{"phone": phone, "who": who} for who in ("one", "two")], rounds=25)
	assert first == second  # one session for both, and no error
	for name in first:
		said = {turn.content for turn in sessions.history(name) if turn.role == "user"}
		assert said == {"hello from one", "hello from two"}


def test_two_routers_on_a_new_device_agree(either):
	import uuid

	devices = [str(uuid.uuid4()) for _round in range(40)]
	first, second = race(either, ROUTER, [{"devices": devices, "who": who} for who in ("a", "b")], rounds=40)
	assert first == second and set(first) <= {"a", "b"}


STALE = """
frappe.db.sql("select count(*) from `tabConversation Session`")
"""
WORKING = """
with sessions.turn(name, "hello", message_id="one") as turn:
	frappe.get_doc({"doctype": "ToDo", "description": name}).insert()
	turn.reply("hi")
frappe.db.commit()
result = frappe.db.count("ToDo", {"description": name})
"""


def test_a_bots_work_is_not_lost_to_a_snapshot_from_before_the_wait(either, sessions, site, opened):
	late = either()
	late.run(STALE)
	sessions.transition(opened, "MOVED")
	site.db.commit()
	assert late.run(WORKING, name=opened) == 1


def test_what_the_caller_wrote_before_is_not_committed_by_a_new_beginning(either, sessions, site, opened):
	late = either()
	late.run(
		STALE + "frappe.get_doc({'doctype': 'ToDo', 'description': f'mine {name}'}).insert()", name=opened
	)
	assert kept_of_theirs(late, sessions, site, opened) == 0


def kept_of_theirs(late, sessions, site, name: str) -> int:
	"""The session moves, `late` takes a turn and rolls back: how much is left of what was written before the turn."""
	sessions.transition(name, "MOVED")
	site.db.commit()
	late.run(
		"try:\n\twith sessions.turn(name, 'hello'): pass\nexcept sessions.SessionConflict: pass", name=name
	)
	late.run("frappe.db.rollback()")
	site.db.rollback()
	return site.db.count("ToDo", {"description": f"mine {name}"})


def test_nor_is_what_frappe_does_not_count_any_more(either, sessions, site, opened):
	"""It forgets its count at a rollback to a savepoint, which may come before the first session is touched."""
	late = either()
	late.run("for hook in frappe.get_hooks('before_job'): frappe.call(hook)")
	late.run(
		STALE
		+ """
frappe.get_doc({"doctype": "ToDo", "description": f"mine {name}"}).insert()
frappe.db.savepoint("later")
frappe.db.rollback(save_point="later")
""",
		name=opened,
	)
	assert kept_of_theirs(late, sessions, site, opened) == 0


def test_a_savepoint_of_the_caller_survives_where_the_session_has_not_moved(either, opened):
	caller = either()
	code = """
frappe.db.sql("select 1 from `tabConversation Session` limit 1")
frappe.db.savepoint("mine")
with sessions.turn(name, "hello"): pass
frappe.db.rollback(save_point="mine")
frappe.db.commit()
result = sessions.get(name).turn_count
"""
	assert caller.run(code, name=opened) == 0
