"""A statement that the database refused, and what becomes of the transaction it was refused in.

MariaDB undoes the statement and goes on; PostgreSQL refuses all that follow. So whoever catches such an error and
goes on has to say how (tests/known_handlers.txt), and so has the connection beside, whose transactions are our own.
"""

import ast
import contextlib

import pytest

from assistant_session import database, second_connection
from assistant_session import sessions as api
from dev.harness.caller import Caller
from tests import databases, in_workers
from tests.conftest import REPOSITORY, SITE
from tests.people import right
from tests.sessions.in_workers import transactions
from tests.sessions.test_redis_trouble import stopped

__all__ = ["stopped"]


def todos(site, text: str) -> int:
	site.db.rollback()
	return site.db.count("ToDo", {"description": text})


def test_who_is_told_that_a_session_is_busy_goes_on_with_what_they_wrote(worker, site, opened):
	caller, holder = worker(), worker()
	holder.run(in_workers.lock_rows, opened)
	assert caller.run(transactions.note_and_meet_a_lock, opened, by_turn=False) == "busy"
	assert todos(site, opened) == 1


def test_the_same_where_the_row_is_the_hold_because_redis_is_away(worker, site, opened, stopped):
	caller, holder = worker(), worker()
	holder.run(in_workers.lock_rows, opened)
	assert caller.run(transactions.note_and_meet_a_lock, opened, by_turn=True) == "busy"
	assert todos(site, opened) == 1


@pytest.mark.parametrize("swallows", [False, True])
def test_a_verifier_whose_statement_is_refused_is_away_and_the_conversation_goes_on(
	authentication, sessions, site, opened, member, monkeypatch, swallows
):
	from assistant_session.demo import pension

	def verify(_credentials):
		try:
			site.db.sql("select nothing from `tabNowhere`")
		except Exception:
			if not swallows:
				raise

	monkeypatch.setattr(pension, "verify", verify)
	authentication.require(opened, "python_inquiry")
	site.db.commit()
	site.get_doc({"doctype": "ToDo", "description": opened}).insert()
	said = authentication.submit(opened, right(member)).kind
	site.db.commit()
	assert said == ("not_matched" if swallows and not databases.is_postgres() else "unavailable")
	assert todos(site, opened) == 1


def test_what_is_done_apart_is_stored_whole_or_not_at_all(site, opened):
	def half(db) -> None:
		values = f"half-{opened}", "2001-01-01", "2001-01-01"
		db.sql("insert into `tabToDo` (name, creation, modified) values (%s, %s, %s)", values)
		raise ZeroDivisionError

	second_connection.in_own_transaction(
		lambda db: db.sql("select 1")
	)  # a connection that has ended a transaction before
	with pytest.raises(ZeroDivisionError):
		second_connection.in_own_transaction(half)
	assert site.db.exists("ToDo", f"half-{opened}") is None


def test_reading_settings_or_what_is_committed_does_not_end_what_is_being_done_apart(site, opened):
	from assistant_session.sessions import config
	from assistant_session.sessions.tables import session_rows

	def read_within(db) -> None:
		values = f"apart-{opened}", "2001-01-01", "2001-01-01"
		db.sql("insert into `tabToDo` (name, creation, modified) values (%s, %s, %s)", values)
		config.forget()
		config.settings()
		assert session_rows.existing([opened]) == {opened}

	second_connection.in_own_transaction(read_within)
	site.db.rollback()
	assert site.db.exists("ToDo", f"apart-{opened}")


def test_a_row_locked_apart_stays_locked_until_the_end(site, opened, worker):
	def hold(db) -> None:
		db.sql("select name from `tabConversation Session` where name = %s for update", opened)
		other.run(databases.wait_for_locks, 1)
		with pytest.raises(Exception, match="SessionBusy"):
			other.run(api.transition, opened, "NEVER")

	other = worker()
	second_connection.in_own_transaction(lambda db: db.sql("select 1"))
	second_connection.in_own_transaction(hold)
	other.run(transactions.move_on, opened, "NOW")


def test_who_waited_apart_for_a_row_goes_on_with_what_is_there_by_then(site, sessions, opened, worker):
	other, before = worker(), sessions.get(opened).version
	sessions.transition(opened, "WRITTEN")
	waiting = other.start(transactions.look_after_waiting, opened)
	databases.until_running("select version from `tabConversation Session`")
	site.db.commit()
	assert waiting() == [before + 1, 1]


@pytest.fixture
def page(workers, site):
	return Caller(workers.url, SITE).open()


def user_turns(page) -> list[str]:
	return [turn["content"] for turn in page.history() if turn["role"] == "user"]


def test_a_bot_that_meets_a_busy_session_can_answer_all_the_same(page, worker, sessions, site):
	other, holder = sessions.open().id, worker()
	site.db.commit()
	holder.run(in_workers.lock_rows, other)
	answer = page.own("send_message", message=f"move {other}", message_id="one")
	assert [reply["content"] for reply in answer.json()["message"]["replies"]] == ["it is busy"]


def test_what_postgres_will_not_commit_is_not_acknowledged(page):
	"""A statement was refused before COMMIT, and swallowed: PostgreSQL answers COMMIT with ROLLBACK, and no error."""
	answer = page.own("send_message", message="call back before swallow", message_id="one")
	assert answer.status_code == (500 if databases.is_postgres() else 200)
	assert user_turns(page) == ([] if databases.is_postgres() else ["call back before swallow"])


def test_the_same_in_somebody_elses_transaction(sessions, site, opened):
	with sessions.turn(opened, "hello"):
		pass
	with contextlib.suppress(Exception):
		site.db.sql("select nothing from `tabNowhere`")
	with (
		contextlib.nullcontext() if not databases.is_postgres() else pytest.raises(database.TransactionFailed)
	):
		site.db.commit()
	site.db.rollback()
	assert sessions.get(opened).turn_count == (0 if databases.is_postgres() else 1)


@pytest.mark.parametrize("how", ["raise", "swallow"])
def test_what_fails_after_commit_makes_nothing_unstored(page, how):
	answer = page.own("send_message", message=f"call back after {how}", message_id="one")
	assert answer.status_code == 200
	assert user_turns(page) == [f"call back after {how}"]


@pytest.mark.postgres
def test_nobody_waits_apart_without_a_bound_on_a_site_that_has_none(site):
	site.db.sql("alter role current_user set lock_timeout = 0")
	site.db.commit()
	try:
		second = second_connection._connect()
		assert second.sql("show lock_timeout")[0][0] == "50s"
		second.close()
	finally:
		site.db.sql("alter role current_user reset lock_timeout")
		site.db.commit()


def test_the_doctor_sees_one_moment(site, opened, worker):
	"""What is written between two of its reads does not look like damage."""

	other = worker()
	with second_connection.committed_snapshot() as db:
		turns = "select count(*) from `tabConversation Turn` where session = %s"
		assert db.sql(turns, opened)[0][0] == 0
		other.write(api.add_turn, opened, "user", "hello")
		assert db.sql(turns, opened)[0][0] == 0


def test_every_handler_that_may_catch_a_refused_statement_says_what_becomes_of_the_transaction():
	said = (REPOSITORY / "tests" / "known_handlers.txt").read_text().splitlines()
	known = [line.partition(": ") for line in said if line and not line.startswith("#")]
	assert sorted(place for place, _colon, _why in known) == sorted(handlers())
	assert [place for place, _colon, why in known if len(why) < 8] == []


WIDE = {
	"Exception",
	"BaseException",
	"SessionError",
	"SessionConflict",
	"SessionBusy",
	"SessionStoreUnavailable",
	"every_kind",
}


def handlers() -> list[str]:
	"""`module.function` of every `except` of the app that would catch an error of the database, or what we make of one."""
	found = []
	for file in sorted((REPOSITORY / "assistant_session").rglob("*.py")):
		module = ".".join(file.relative_to(REPOSITORY / "assistant_session").with_suffix("").parts)
		for function in ast.walk(ast.parse(file.read_text())):
			if isinstance(function, ast.FunctionDef):
				found += [f"{module}.{function.name}" for handler in caught_in(function) if is_wide(handler)]
	return found


def caught_in(function: ast.FunctionDef) -> list[ast.ExceptHandler]:
	"""Its handlers, but not those of functions within it."""
	within = [one for one in ast.walk(function) if isinstance(one, ast.FunctionDef) and one is not function]
	theirs = {id(node) for one in within for node in ast.walk(one)}
	return [
		node for node in ast.walk(function) if isinstance(node, ast.ExceptHandler) and id(node) not in theirs
	]


def is_wide(handler: ast.ExceptHandler) -> bool:
	if handler.type is None:
		return True
	names = {getattr(node, "attr", getattr(node, "id", None)) for node in ast.walk(handler.type)}
	return bool(names & WIDE)


@pytest.mark.parametrize(
	"number, kept", [(None, True), (2006, False)], ids=["another error", "connection lost"]
)
def test_a_second_connection_is_kept_after_an_error_and_left_where_it_is_lost(site, number, kept):
	used = []

	def work(db) -> None:
		used.append(db)
		db.sql("select 1")
		if len(used) == 1:
			raise site.db.OperationalError(number, "") if number else ZeroDivisionError

	with contextlib.nullcontext() if number else pytest.raises(ZeroDivisionError):
		second_connection.in_own_transaction(work)
	assert (len(used), second_connection.connection() is used[0]) == (1 if kept else 2, kept)
