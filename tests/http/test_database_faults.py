"""A database that fails in the middle of an endpoint: what the caller is told is true, and the session is free at once."""

import pytest

from dev.harness.caller import Caller
from tests import in_workers
from tests.conftest import SITE
from tests.http import in_workers as here

# Every code that means "the database is away" to `database_errors`, a deadlock, a lock wait, and one that nobody knows.
NUMBERS = [1040, 1047, 1053, 1077, 1158, 1159, 1160, 1161, 1180, 1927, 2002, 2003, 2006, 2013, 2055]
AWAY = [0, *(pytest.param(number, marks=pytest.mark.mariadb) for number in NUMBERS)]
OTHERS = [pytest.param(number, marks=pytest.mark.mariadb) for number in (1213, 1020, 1205, 1105)]


@pytest.fixture
def page(workers, site):
	return Caller(workers.url, SITE).open()


def said(page) -> list[str]:
	return [turn["content"] for turn in page.history() if turn["role"] == "user"]


def error(response) -> tuple[int, str]:
	return response.status_code, response.json()["error"]["type"]


def test_the_codes_tried_here_are_those_the_app_knows():
	from assistant_session import database_errors

	assert {0, *NUMBERS} == database_errors.CONNECTION


@pytest.mark.parametrize("code", AWAY + OTHERS)
def test_a_commit_that_fails_is_503_and_a_retry_stores_the_message_once(page, code):
	answer = page.own("send_message", message=f"fail commit {code}", message_id="one")
	assert error(answer) == (503, "SessionStoreUnavailable") and answer.headers["Retry-After"]
	assert "nothing was stored" not in answer.text.lower()
	again = page.own("send_message", message=f"fail commit {code}", message_id="one")
	assert error(again) == (503, "SessionStoreUnavailable")  # this bot lets it fail again
	assert page.own("send_message", message="hello", message_id="two").status_code == 200
	assert said(page) == ["hello"]


@pytest.mark.parametrize("code", [*AWAY, OTHERS[-1]])
def test_a_commit_whose_answer_is_lost_is_in_doubt_and_the_retry_finds_it(page, code):
	text = f"fail commit {code} afterwards"
	answer = page.own("send_message", message=text, message_id="one")
	assert error(answer) == (503, "SessionStoreUnavailable")
	assert "not known" in answer.text and "nothing was stored" not in answer.text.lower()
	again = page.own("send_message", message=text, message_id="one")
	assert again.status_code == 200 and again.json()["message"]["repeated"] is True
	assert said(page) == [text]


@pytest.mark.parametrize("code", AWAY + OTHERS)
def test_a_rollback_that_fails_leaves_the_session_free(page, code, site):
	answer = page.own("send_message", message=f"fail rollback {code} and raise", message_id="one")
	assert error(answer) == (500, "ResponderFailed")
	_is_free(page, site)
	assert said(page) == ["hello"]


@pytest.mark.parametrize("code", AWAY)
def test_a_database_that_refuses_everything_from_the_middle_on_is_503(page, code, site):
	answer = page.own("send_message", message=f"fail any {code} away", message_id="one")
	assert error(answer) == (503, "SessionStoreUnavailable") and answer.headers["Retry-After"]
	_is_free(page, site)
	assert said(page) == ["hello"]


def _is_free(page, site) -> None:
	"""No lock is left in the database, and no lease in Redis."""
	from assistant_session.sessions.coherence import register

	site.db.rollback()
	assert not register.connection().redis.exists(register.key("hold", page.session_id))
	site.db.sql(
		"select name from `tabConversation Session` where name = %s for update nowait", page.session_id
	)
	site.db.rollback()
	assert page.own("send_message", message="hello", message_id="two").status_code == 200


def test_in_somebody_elses_transaction_a_rollback_that_fails_frees_the_session_too(worker, opened, site):
	"""Frappe ends a failed request or job with `rollback`, and goes on with the error of that."""
	from assistant_session.sessions.coherence import register

	caller, other = worker(), worker()
	assert caller.run(here.roll_back_in_vain, opened) == 1047
	assert not register.connection().redis.exists(register.key("hold", opened))
	other.run(in_workers.say, opened, "next")
	assert caller.run(in_workers.look, opened, "turn_count") == [1]  # it is connected again
