"""The caller's transaction is the caller's: commits, rollbacks, savepoints, deadlocks, old snapshots."""

import pytest

from assistant_session import sessions as api
from dev.harness.worker import WorkerError
from tests import databases, in_workers
from tests.sealed import every_seal_fits
from tests.sessions.in_workers import transactions

__all__ = ["every_seal_fits"]


def other_state(worker, name: str):
	return worker().run(in_workers.state, name)


def register_keys(cache_server, name: str) -> list[bytes]:
	return [key for key in cache_server.client().scan_iter() if name.encode() in key]


def test_nothing_is_committed_for_the_caller(sessions, site, opened, worker):
	sessions.transition(opened, "MAYBE")
	assert other_state(worker, opened) is None


def test_a_rollback_leaves_no_trace(sessions, site, opened, worker, cache_server):
	reader = worker()
	reader.run(in_workers.state, opened)
	sessions.transition(opened, "NEVER")
	site.db.rollback()
	assert sessions.get(opened).current_state is None
	assert reader.run(in_workers.state, opened) is None
	assert not [
		key for key in register_keys(cache_server, opened) if cache_server.client().get(key)[:1] == b"m"
	]


def test_a_rolled_back_session_was_never_opened(sessions, site, worker):
	name = sessions.open().id
	site.db.rollback()
	for read in (lambda: sessions.get(name), lambda: worker().run(in_workers.state, name)):
		with pytest.raises(Exception, match=r"SessionNotFound|no such"):
			read()


def test_a_rollback_to_a_savepoint_leaves_no_trace(sessions, site, opened, worker):
	reader = worker()
	reader.run(in_workers.state, opened)
	sessions.update(opened, {"context": {"kept": 1}})
	site.db.savepoint("here")
	sessions.transition(opened, "UNDONE")
	site.db.rollback(save_point="here")
	assert sessions.get(opened).current_state is None
	site.db.commit()
	session = sessions.get(opened)
	assert (session.current_state, session.context) == (None, {"kept": 1})
	assert reader.run(in_workers.look, opened, "current_state", "context") == [None, {"kept": 1}]


def test_a_turn_undone_by_a_savepoint_can_be_stored_again(sessions, site, opened):
	sessions.transition(opened, "BEFORE")  # a turn begins a new transaction if nothing was written
	site.db.savepoint("here")
	with sessions.turn(opened, "hello", message_id="one") as turn:
		turn.reply("hi")
	site.db.rollback(save_point="here")
	site.db.commit()
	with sessions.turn(opened, "hello", message_id="one") as turn:
		turn.reply("hi")
	site.db.commit()
	assert [stored.sequence for stored in sessions.history(opened)] == [1, 2]


def test_a_lost_connection_at_commit_is_survived_by_everybody(worker, opened):
	writer, reader = worker(), worker()
	reader.run(in_workers.state, opened)
	writer.run(api.transition, opened, "LOST")
	reader.run(databases.kill, writer.run(databases.connection_number))
	with pytest.raises(WorkerError):
		writer.commit()
	writer.run(transactions.connect_again)
	assert reader.run(in_workers.state, opened) is None
	writer.run(in_workers.move, opened, "AGAIN")
	assert [one.run(in_workers.state, opened) for one in (writer, reader)] == ["AGAIN", "AGAIN"]


def test_what_a_failed_commit_lost_is_not_published_by_the_next_one(worker, sessions, site):
	lost, kept = sessions.open().id, sessions.open().id
	site.db.commit()
	writer, reader = worker(), worker()
	writer.run(transactions.move_to_nowhere_and_elsewhere, lost, kept)
	assert [writer.run(in_workers.state, name) for name in (lost, kept)] == [None, "KEPT"]
	assert [reader.run(in_workers.state, name) for name in (lost, kept)] == [None, "KEPT"]


def test_a_raising_callback_of_somebody_else_makes_nobody_read_old_rows(worker, opened):
	writer, reader = worker(), worker()
	reader.run(in_workers.state, opened)
	writer.run(transactions.move_and_commit_past_a_callback_that_raises, opened)
	assert [one.run(in_workers.state, opened) for one in (reader, writer)] == ["WRITTEN", "WRITTEN"]


def test_after_a_conflict_the_current_row_is_read_and_not_the_snapshot(worker, opened):
	"""Where the database allows to write past the snapshot at all."""
	old, new = worker(), worker()
	old.run(databases.isolate, strictly=False)
	old.run(transactions.note_and_look, opened, "x")
	new.run(in_workers.add_to_context, opened, new=1)
	old.run(in_workers.add_to_context, opened, old=1)
	assert new.run(in_workers.look, opened, "context") == [{"new": 1, "old": 1}]


@pytest.mark.parametrize("strictly", [False, True])
def test_a_lost_transaction_is_repeated_when_it_held_nothing_else(worker, sessions, site, strictly):
	"""A snapshot from before another's write: with strict isolation the UPDATE ends the transaction."""
	name = sessions.open().id
	site.db.commit()
	old, new = worker(), worker()
	old.run(databases.isolate, strictly)
	old.run(api.get, name)
	new.write(api.update, name, {"context": {"new": 1}})
	old.run(in_workers.move, name, "REPEATED")
	assert new.run(in_workers.look, name, "current_state", "context") == ["REPEATED", {"new": 1}]


def test_a_lost_transaction_with_other_work_in_it_is_a_conflict(worker, sessions, site):
	name = sessions.open().id
	site.db.commit()
	old, new = worker(), worker()
	old.run(databases.isolate, strictly=True)
	old.run(transactions.note_and_look, name, "gone")
	new.write(api.update, name, {"context": {"new": 1}})
	with pytest.raises(WorkerError) as raised:
		old.run(api.transition, name, "NEVER")
	assert raised.value.kind == "SessionConflict"
	old.commit()
	assert new.run(in_workers.notes, "gone") == 0


def test_a_session_opened_after_the_snapshot_is_written_to_when_nothing_else_was(worker, sessions, site):
	old, reader = worker(), worker()
	old.run(transactions.see_an_older_database)
	name = sessions.open().id
	site.db.commit()
	old.run(in_workers.move, name, "MOVED")
	assert reader.run(in_workers.state, name) == "MOVED"


def test_with_other_work_in_the_transaction_it_is_a_conflict_and_not_an_unknown_session(
	worker, sessions, site
):
	old = worker()
	old.run(transactions.see_an_older_database)
	old.run(in_workers.note, "gone")
	name = sessions.open().id
	site.db.commit()
	with pytest.raises(WorkerError) as raised:
		old.run(in_workers.move, name, "MOVED")
	assert raised.value.kind == "SessionConflict"


def test_a_deadlock_takes_one_of_two_and_loses_neither(worker, sessions, site, tmp_path):
	first, second = sessions.open().id, sessions.open().id
	site.db.commit()
	one, other = worker(), worker()
	one.run(in_workers.lock_rows, first)
	other.run(in_workers.lock_rows, second)
	pending = one.start(in_workers.move, second, "ONE")
	waiting = other.start(in_workers.move, first, "OTHER")
	pending(), waiting()
	assert (sessions.get(second).current_state, sessions.get(first).current_state) == ("ONE", "OTHER")


def test_errors_of_every_database_are_told_apart():
	from assistant_session import database_errors

	class Error(Exception):
		pgcode = None

	def postgres(code: str) -> Error:
		error = Error("text")
		error.pgcode = code
		return error

	assert database_errors.is_lost_transaction(postgres("40001"))
	assert database_errors.is_lost_transaction(postgres("40P01"))
	assert database_errors.is_lost_transaction(Error(1020, "changed"))
	assert database_errors.is_lock_wait(postgres("55P03"))
	assert database_errors.is_duplicate(postgres("23505"))
	assert not database_errors.is_lost_transaction(Error(1062, "duplicate"))


def test_an_endpoint_called_from_python_owns_the_transaction_only_while_it_answers(site):
	from werkzeug.test import EnvironBuilder
	from werkzeug.wrappers import Request

	from assistant_session import api
	from assistant_session.sessions.coherence.ledger import ledger

	site.set_user("Guest")
	site.local.request = Request(EnvironBuilder(method="POST", json={}).get_environ())
	assert api.open_session().status_code == 200
	assert not ledger().owned


def test_a_write_of_the_services_own_is_looked_at_again_before_commit_unless_it_was_the_last(
	site, sessions, opened, monkeypatch
):
	"""A rollback to a savepoint tells nobody; where we commit at once after our one write there was none."""
	from assistant_session.sessions.coherence.ledger import ledger
	from assistant_session.sessions.tables import session_rows

	looked, versions = [], session_rows.versions
	monkeypatch.setattr(session_rows, "versions", lambda names: looked.append(list(names)) or versions(names))
	sessions.transition(opened, "TRUSTED")
	ledger().trust(opened)
	site.db.commit()
	assert looked == []
	for state in ("ONCE", "TWICE"):
		sessions.transition(opened, state)
	ledger().trust(opened)
	site.db.commit()
	sessions.transition(opened, "OF SOMEBODY ELSE")
	site.db.commit()
	assert looked == [[opened], [opened]]


def test_a_site_whose_settings_were_never_saved_lets_guests_in_on_the_web_alone():
	from assistant_session.sessions.config import Settings

	assert [(one.name, one.guests, one.verified_by_provider) for one in Settings().channels.values()] == [
		("Web", True, False)
	]
