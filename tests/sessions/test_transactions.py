"""The caller's transaction is the caller's: commits, rollbacks, savepoints, deadlocks, old snapshots."""

import pytest

from dev.harness.worker import WorkerError
from tests.sealed import every_seal_fits

__all__ = ["every_seal_fits"]

STATE = "result = sessions.get(name).current_state"


def other_state(worker, name: str):
	return worker().run(STATE, name=name)


def register_keys(cache_server, name: str) -> list[bytes]:
	return [key for key in cache_server.client().scan_iter() if name.encode() in key]


def test_nothing_is_committed_for_the_caller(sessions, site, opened, worker):
	sessions.transition(opened, "MAYBE")
	assert other_state(worker, opened) is None


def test_a_rollback_leaves_no_trace(sessions, site, opened, worker, cache_server):
	reader = worker()
	reader.run(STATE, name=opened)
	sessions.transition(opened, "NEVER")
	site.db.rollback()
	assert sessions.get(opened).current_state is None
	assert reader.run(STATE, name=opened) is None
	assert not [
		key for key in register_keys(cache_server, opened) if cache_server.client().get(key)[:1] == b"m"
	]


def test_a_rolled_back_session_was_never_opened(sessions, site, worker):
	name = sessions.open().id
	site.db.rollback()
	for read in (lambda: sessions.get(name), lambda: worker().run(STATE, name=name)):
		with pytest.raises(Exception, match=r"SessionNotFound|no such"):
			read()


def test_a_rollback_to_a_savepoint_leaves_no_trace(sessions, site, opened, worker):
	reader = worker()
	reader.run(STATE, name=opened)
	sessions.update(opened, {"context": {"kept": 1}})
	site.db.savepoint("here")
	sessions.transition(opened, "UNDONE")
	site.db.rollback(save_point="here")
	assert sessions.get(opened).current_state is None
	site.db.commit()
	session = sessions.get(opened)
	assert (session.current_state, session.context) == (None, {"kept": 1})
	assert reader.run("s = sessions.get(name); result = [s.current_state, s.context]", name=opened) == [
		None,
		{"kept": 1},
	]


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
	reader.run(STATE, name=opened)
	number = writer.run(
		"sessions.transition(name, 'LOST'); result = databases.connection_number()", name=opened
	)
	reader.run("databases.kill(number)", number=number)
	with pytest.raises(WorkerError):
		writer.run("frappe.db.commit()")
	writer.run("frappe.db.connect(); frappe.db.rollback()")
	assert reader.run(STATE, name=opened) is None
	writer.run("sessions.transition(name, 'AGAIN'); frappe.db.commit()", name=opened)
	assert [one.run(STATE, name=opened) for one in (writer, reader)] == ["AGAIN", "AGAIN"]


def test_what_a_failed_commit_lost_is_not_published_by_the_next_one(worker, sessions, site):
	lost, kept = sessions.open().id, sessions.open().id
	site.db.commit()
	writer, reader = worker(), worker()
	code = """
sql = frappe.db.sql
def failing(query, *arguments, **more):
	if query == "commit": raise RuntimeError("the database is away")
	return sql(query, *arguments, **more)
sessions.transition(lost, "LOST")
frappe.db.sql = failing
try: frappe.db.commit()
except RuntimeError: pass
frappe.db.sql = sql
frappe.db.sql("rollback")
sessions.transition(kept, "KEPT")
frappe.db.commit()
"""
	writer.run(code, lost=lost, kept=kept)
	assert [writer.run(STATE, name=name) for name in (lost, kept)] == [None, "KEPT"]
	assert [reader.run(STATE, name=name) for name in (lost, kept)] == [None, "KEPT"]


def test_a_raising_callback_of_somebody_else_makes_nobody_read_old_rows(worker, opened):
	writer, reader = worker(), worker()
	reader.run(STATE, name=opened)
	code = """
frappe.db.after_commit.add(lambda: 1 / 0)
sessions.transition(name, "WRITTEN")
try: frappe.db.commit()
except ZeroDivisionError: pass
"""
	writer.run(code, name=opened)
	assert [one.run(STATE, name=opened) for one in (reader, writer)] == ["WRITTEN", "WRITTEN"]


def test_after_a_conflict_the_current_row_is_read_and_not_the_snapshot(worker, opened):
	"""Where the database allows to write past the snapshot at all."""
	old, new = worker(), worker()
	old.run("databases.isolate(strictly=False)")
	old.run(
		"frappe.get_doc({'doctype': 'ToDo', 'description': 'x'}).insert(); sessions.get(name)", name=opened
	)
	new.run("sessions.update(name, lambda s: s.context.update(new=1)); frappe.db.commit()", name=opened)
	old.run("sessions.update(name, lambda s: s.context.update(old=1)); frappe.db.commit()", name=opened)
	assert new.run("result = sessions.get(name).context", name=opened) == {"new": 1, "old": 1}


@pytest.mark.parametrize("strictly", [False, True])
def test_a_lost_transaction_is_repeated_when_it_held_nothing_else(worker, sessions, site, strictly):
	"""A snapshot from before another's write: with strict isolation the UPDATE ends the transaction."""
	name = sessions.open().id
	site.db.commit()
	old, new = worker(), worker()
	old.run("databases.isolate(strictly)", strictly=strictly)
	old.run("sessions.get(name)", name=name)
	new.run("sessions.update(name, {'context': {'new': 1}}); frappe.db.commit()", name=name)
	old.run("sessions.transition(name, 'REPEATED'); frappe.db.commit()", name=name)
	state = "s = sessions.get(name); result = [s.current_state, s.context]"
	assert new.run(state, name=name) == ["REPEATED", {"new": 1}]


def test_a_lost_transaction_with_other_work_in_it_is_a_conflict(worker, sessions, site):
	name = sessions.open().id
	site.db.commit()
	old, new = worker(), worker()
	old.run("databases.isolate(strictly=True)")
	old.run(
		"todo = frappe.get_doc({'doctype': 'ToDo', 'description': 'gone'}).insert(); sessions.get(name)",
		name=name,
	)
	new.run("sessions.update(name, {'context': {'new': 1}}); frappe.db.commit()", name=name)
	with pytest.raises(WorkerError) as raised:
		old.run("sessions.transition(name, 'NEVER')", name=name)
	assert raised.value.kind == "SessionConflict"
	old.run("frappe.db.commit()")
	assert new.run("result = frappe.db.count('ToDo', {'description': 'gone'})") == 0


OLDER = "databases.isolate(strictly=True); frappe.db.count('ToDo')"  # its snapshot is from before the session
MOVED = "sessions.transition(name, 'MOVED'); frappe.db.commit()"


def test_a_session_opened_after_the_snapshot_is_written_to_when_nothing_else_was(worker, sessions, site):
	old, reader = worker(), worker()
	old.run(OLDER)
	name = sessions.open().id
	site.db.commit()
	old.run(MOVED, name=name)
	assert reader.run(STATE, name=name) == "MOVED"


def test_with_other_work_in_the_transaction_it_is_a_conflict_and_not_an_unknown_session(
	worker, sessions, site
):
	old = worker()
	old.run(OLDER + "; frappe.get_doc({'doctype': 'ToDo', 'description': 'gone'}).insert()")
	name = sessions.open().id
	site.db.commit()
	with pytest.raises(WorkerError) as raised:
		old.run(MOVED, name=name)
	assert raised.value.kind == "SessionConflict"


def test_a_deadlock_takes_one_of_two_and_loses_neither(worker, sessions, site, tmp_path):
	first, second = sessions.open().id, sessions.open().id
	site.db.commit()
	one, other = worker(), worker()
	lock = "frappe.db.sql('select name from `tabConversation Session` where name = %s for update', held)\n"
	one.run(lock, held=first)
	other.run(lock, held=second)
	pending = one.start("sessions.transition(wanted, 'ONE'); frappe.db.commit()", wanted=second)
	waiting = other.start("sessions.transition(wanted, 'OTHER'); frappe.db.commit()", wanted=first)
	pending(), waiting()
	assert (sessions.get(second).current_state, sessions.get(first).current_state) == ("ONE", "OTHER")


def test_errors_of_every_database_are_told_apart():
	from assistant_session import compat

	class Error(Exception):
		pgcode = None

	def postgres(code: str) -> Error:
		error = Error("text")
		error.pgcode = code
		return error

	assert compat.is_lost_transaction(postgres("40001"))
	assert compat.is_lost_transaction(postgres("40P01"))
	assert compat.is_lost_transaction(Error(1020, "changed"))
	assert compat.is_lock_wait(postgres("55P03"))
	assert compat.is_duplicate(postgres("23505"))
	assert not compat.is_lost_transaction(Error(1062, "duplicate"))


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
