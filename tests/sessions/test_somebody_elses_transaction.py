"""Sessions inside other people's transactions: nothing of theirs is committed, lost, half written or kept."""

import pytest

from assistant_session import sessions as api
from tests import in_workers
from tests.sealed import every_seal_fits
from tests.sessions.in_workers import leases, transactions

__all__ = ["every_seal_fits"]


def test_a_turn_after_a_rolled_back_savepoint_commits_nothing_of_the_caller(worker, opened):
	caller, other = worker(), worker()
	caller.run(transactions.take_a_turn_after_a_part_was_undone, opened)
	assert other.run(transactions.notes_now, opened) == 0
	caller.rollback()
	assert other.run(transactions.notes_now, opened) == 0
	assert other.run(in_workers.look, opened, "turn_count") == [0]


def test_a_savepoint_and_a_row_lock_of_the_caller_survive_a_turn(worker, opened, sessions, site):
	other = sessions.open().id
	site.db.commit()
	site.db.sql("select name from `tabConversation Session` where name = %s for update", other)
	site.db.savepoint("mine")
	with sessions.turn(opened, "hello"):
		pass
	with pytest.raises(Exception, match="SessionBusy"):
		worker().run(in_workers.transition_without_waiting, other, "X")
	site.db.rollback(save_point="mine")
	assert sessions.get(opened).turn_count == 0


def test_a_message_another_worker_stored_while_our_hold_was_lost_is_repeated(
	sessions, site, opened, worker, cache_server
):
	with sessions.turn(opened, "hello", message_id="one") as turn:
		turn.reply("ours")
		cache_server.flush()
		worker().run(in_workers.say, opened, "hello", "theirs", "one")
	site.db.commit()
	assert (turn.repeated, turn.replies) == (True, ["theirs"])
	assert [stored.content for stored in sessions.history(opened)] == ["hello", "theirs"]
	assert sessions.get(opened).turn_count == 2


@pytest.mark.by_sql
def test_a_write_that_fails_half_way_leaves_nothing_in_the_transaction(sessions, site, opened):
	site.db.sql(
		"insert into `tabConversation Turn` (name, session, sequence) values (%s, %s, 2)",
		(f"{opened}-{2:010d}", opened),
	)  # a left-over that is in the way of the reply
	with pytest.raises(sessions.SessionConflict), sessions.turn(opened, "hello") as turn:
		turn.session.transition("HALF")
		turn.reply("hi")
	site.db.commit()
	session = sessions.get(opened)
	assert (session.turn_count, session.current_state) == (0, None)
	assert site.db.count("Conversation Turn", {"session": opened}) == 1


def test_a_session_closed_in_this_transaction_is_not_opened_again(sessions, site, device):
	first = sessions.open(device_id=device).id
	site.db.commit()
	sessions.close(first, "restart")
	assert sessions.open(device_id=device).id != first


def test_what_a_savepoint_undid_is_not_read_again_in_the_same_request(sessions, site, opened):
	class Request:
		pass

	site.local.request = Request()
	site.db.savepoint("here")
	sessions.update(opened, {"context": {"x": 1}})
	assert sessions.get(opened).context == {"x": 1}
	site.db.rollback(save_point="here")
	assert sessions.get(opened).context == {}


def test_a_commit_inside_a_block_is_seen_inside_the_block(sessions, site, opened):
	with sessions.turn(opened, "hello"):
		sessions.update(opened, {"context": {"inside": 1}})
		site.db.commit()
		assert sessions.get(opened).context == {"inside": 1}
	site.db.commit()
	assert (sessions.get(opened).context, sessions.get(opened).turn_count) == ({"inside": 1}, 1)


def test_a_hold_whose_connection_vanished_is_renewed_no_more(worker, opened):
	"""At once: a garbage collection may be minutes away."""
	assert worker().run(leases.renewed_before_and_after_the_connection_vanished, opened) == [1, 0]


def test_a_callback_that_raises_before_commit_frees_the_session_at_the_rollback(
	sessions, site, opened, cache_server
):
	from assistant_session.sessions.coherence import register

	with sessions.turn(opened, "hello"):
		pass
	site.db.before_commit.add(lambda: 1 / 0)
	with pytest.raises(ZeroDivisionError):
		site.db.commit()
	site.db.rollback()
	assert not cache_server.client().exists(register.key("hold", opened))


def test_a_job_with_an_old_snapshot_reads_the_whole_history(worker, opened):
	job, other = worker(), worker()
	job.run(transactions.note_and_read_history, opened, "x")
	other.write(api.add_turn, opened, "user", "hello")
	assert job.run(in_workers.contents, opened) == ["hello"]


@pytest.mark.by_sql
def test_one_locked_session_does_not_stop_the_sweep(worker, sessions, site):
	names = [sessions.open(ttl=1).id for _number in range(2)]
	site.db.sql("update `tabConversation Session` set expires_at = '2001-01-01' where name in %s", [names])
	site.db.commit()
	locker, sweeper = worker(), worker()
	locker.run(in_workers.lock_rows, names[0])
	sweeper.run(transactions.end_what_is_overdue_without_waiting)
	status = [site.db.get_value("Conversation Session", name, "status") for name in names]
	assert status == ["Active", "Expired"]


def test_true_is_not_one_in_a_context(sessions, site, opened):
	sessions.update(opened, {"context": {"n": 1}})
	site.db.commit()
	sessions.update(opened, {"context": {"n": True}})
	site.db.commit()
	assert sessions.get(opened).context["n"] is True


def test_a_renamed_party_is_seen_by_every_worker_and_may_be_deleted(worker, sessions, site, opened):
	tag = site.get_doc({"doctype": "Tag", "name": f"old-{opened}"}).insert().name
	name = sessions.open(party=("Tag", tag)).id
	site.db.commit()
	reader = worker()
	reader.run(in_workers.state, name)
	site.rename_doc("Tag", tag, f"new-{opened}", force=True)
	site.db.commit()
	assert reader.run(in_workers.look, name, "party") == [f"new-{opened}"]
	site.delete_doc("Tag", f"new-{opened}")
	site.db.commit()


@pytest.mark.by_sql
def test_a_device_whose_session_is_overdue_gets_a_new_one_with_its_lock(sessions, site, device):
	old = sessions.open(device_id=device)
	site.db.sql("update `tabConversation Session` set expires_at = '2001-01-01' where name = %s", old.id)
	site.db.commit()
	assert sessions.set_session_lock(device, "scheduling").won
	assert sessions.get_session_lock(device).agent == "scheduling"


def test_a_session_adopted_from_a_race_passes_the_same_checks_as_a_found_one(
	sessions, site, opened, monkeypatch, device
):
	from assistant_session.sessions.operations import opening

	theirs = sessions.open(device_id=device, user="krishna@example.com").id
	site.db.commit()
	monkeypatch.setattr(opening, "_active", lambda _key: None)  # it was not there yet when we looked
	ours = sessions.open(device_id=device, user="other.customer@example.com")
	assert (ours.origin, ours.id == theirs) == ("created", False)


def test_a_lost_transaction_is_not_repeated_without_the_work_before_a_savepoint(worker, opened):
	"""Frappe counts no writes after a rollback to a savepoint; repeating would lose the ToDo without a word."""
	old, new = worker(), worker()
	old.run(transactions.isolate_strictly_and_look, opened)
	old.run(transactions.note_and_undo_a_part, opened)
	new.write(api.update, opened, {"context": {"new": 1}})
	with pytest.raises(Exception, match="SessionConflict"):
		old.run(api.transition, opened, "NEVER")
