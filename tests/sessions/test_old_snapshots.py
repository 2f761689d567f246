"""Databases that refuse to write to a row newer than the transaction's snapshot: MariaDB's default from 11.6.2, PostgreSQL.

Two processes are at the first contact with one person at the same moment. The loser adopts the winner's session; that must
cost neither a message nor the bot's own work, with or without that refusal.
"""

import secrets

import pytest

from tests import in_workers
from tests.races import race
from tests.sessions.in_workers import racing, transactions


@pytest.mark.parametrize("sells", [False, True])
def test_two_workers_at_the_first_contact_both_get_their_message_stored(either, sessions, sells):
	phone = secrets.token_hex(8)
	bots = [{"phone": phone, "who": who, "sells": sells} for who in ("one", "two")]
	first, second = race(either, racing.first_contact, bots, rounds=25)
	assert first == second  # one session for both, and no error
	for name in first:
		said = {turn.content for turn in sessions.history(name) if turn.role == "user"}
		assert said == {"hello from one", "hello from two"}


def test_two_routers_on_a_new_device_agree(either):
	import uuid

	devices = [str(uuid.uuid4()) for _round in range(40)]
	routers = [{"devices": devices, "who": who} for who in ("a", "b")]
	first, second = (
		[agent for agent, _won in locks] for locks in race(either, racing.route, routers, rounds=40)
	)
	assert first == second and set(first) <= {"a", "b"}


def test_a_bots_work_is_not_lost_to_a_snapshot_from_before_the_wait(either, sessions, site, opened):
	late = either()
	late.run(in_workers.begin_snapshot)
	sessions.transition(opened, "MOVED")
	site.db.commit()
	assert late.run(transactions.work_in_a_turn, opened) == 1


def test_what_the_caller_wrote_before_is_not_committed_by_a_new_beginning(either, sessions, site, opened):
	late = either()
	late.run(transactions.note_in_an_old_snapshot, f"mine {opened}")
	assert kept_of_theirs(late, sessions, site, opened) == 0


def kept_of_theirs(late, sessions, site, name: str) -> int:
	"""The session moves, `late` takes a turn and rolls back: how much is left of what was written before the turn."""
	sessions.transition(name, "MOVED")
	site.db.commit()
	late.run(transactions.take_a_turn_or_conflict, name)
	site.db.rollback()
	return site.db.count("ToDo", {"description": f"mine {name}"})


def test_nor_is_what_frappe_does_not_count_any_more(either, sessions, site, opened):
	"""It forgets its count at a rollback to a savepoint, which may come before the first session is touched."""
	late = either()
	late.run(transactions.begin_as_a_job)
	late.run(transactions.note_in_an_old_snapshot_and_undo_nothing, f"mine {opened}")
	assert kept_of_theirs(late, sessions, site, opened) == 0


def test_a_savepoint_of_the_caller_survives_where_the_session_has_not_moved(either, opened):
	assert either().run(transactions.take_a_turn_between_savepoint_and_rollback, opened) == 0
