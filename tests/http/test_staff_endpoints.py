"""Recovery, consistency and report over HTTP: for whom they are, what they say, and that they tell no secret."""

import pytest

from dev.harness.caller import Caller
from tests import in_workers
from tests.callers import AGENT, AUDITOR, OWNER, SERVICE, STAFF_ADMINISTRATOR, VISITOR, key_of
from tests.conftest import SITE

MENDING = ("recover_session_from_database", "ensure_session_consistency")


@pytest.fixture
def call(workers, site):
	def make(user: str | None, endpoint: str, **arguments):
		return Caller(workers.url, SITE, key=key_of(user) if user else None).call(endpoint, **arguments)

	return make


@pytest.mark.parametrize("endpoint", MENDING)
@pytest.mark.parametrize("user", [None, VISITOR, OWNER, SERVICE, AGENT, AUDITOR])
def test_mending_is_for_administrators(call, told, endpoint, user):
	for name in (told, "never-heard-of"):
		answer = call(user, endpoint, session_id=name)
		assert answer.status_code == 403 and told not in answer.text


@pytest.mark.parametrize("user", [None, VISITOR, OWNER, SERVICE])
def test_a_report_is_for_staff(call, told, user):
	assert call(user, "session_report", session_id=told).status_code == 403


@pytest.mark.parametrize("user", [AGENT, AUDITOR, STAFF_ADMINISTRATOR])
def test_staff_are_told_what_is_wrong_and_nothing_secret(call, told, set_row, user):
	set_row(told, turn_count=9)
	answer = call(user, "session_report", session_id=told)
	said = answer.json()["message"]
	assert said["database_exists"]
	assert [one["kind"] for one in said["findings"]] == ["row altered", "turns missing"]
	assert "hello" not in answer.text and "Hari" not in answer.text and "gAAAA" not in answer.text


def test_ensuring_mends_commits_and_is_written_down_with_the_name_of_who_did_it(
	call, told, set_row, stored, site
):
	set_row(told, agent_lock_expires_at="2020-01-01 00:00:00")
	said = call(STAFF_ADMINISTRATOR, "ensure_session_consistency", session_id=told).json()["message"]
	assert said["consistent"] is False and "agent lock overdue" in said["action_taken"]
	assert stored(told).active_agent is None
	event = site.get_all("Session Event", {"session": told}, ["event", "actor"], order_by="sequence desc")[0]
	assert (event.event, event.actor) == ("repaired", STAFF_ADMINISTRATOR)
	again = call(STAFF_ADMINISTRATOR, "ensure_session_consistency", session_id=told).json()["message"]
	assert again["consistent"] is True and again["action_taken"] == "none"


def test_recovering_makes_every_worker_read_anew(call, told, set_row, worker):
	other = worker()
	other.run(in_workers.state, told)
	set_row(told, current_state="EDITED")
	said = call(STAFF_ADMINISTRATOR, "recover_session_from_database", session_id=told).json()["message"]
	assert said["origin"] == "database"
	assert other.run(in_workers.state, told) == "EDITED"


@pytest.mark.parametrize("endpoint", [*MENDING, "session_report"])
def test_an_unknown_session_is_reported_as_such(call, endpoint):
	said = call(STAFF_ADMINISTRATOR, endpoint, session_id="never-heard-of").json()["message"]
	assert said["database_exists"] is False


@pytest.mark.parametrize("endpoint", [*MENDING, "session_report"])
@pytest.mark.parametrize("name", [None, "", "a b", 5, ["x"], "x" * 200])
def test_what_is_no_id_is_422(call, endpoint, name):
	assert call(STAFF_ADMINISTRATOR, endpoint, session_id=name).status_code == 422


@pytest.mark.parametrize("endpoint", MENDING)
def test_mending_is_a_post(workers, told, endpoint):
	caller = Caller(workers.url, SITE, key=key_of(STAFF_ADMINISTRATOR))
	answer = caller.ask("GET", f"/api/method/assistant_session.api.{endpoint}", params={"session_id": told})
	assert answer.status_code in (403, 405)


def test_a_worker_in_trouble_with_redis_lately_makes_others_read_anew_as_well(
	sessions, told, set_row, worker
):
	from assistant_session.sessions.coherence import register

	other = worker()
	other.run(in_workers.state, told)
	set_row(told, current_state="EDITED")
	register.connection()._note_trouble(OSError())
	assert sessions.recover(told).register == "absent"
	assert other.run(in_workers.state, told) == "EDITED"
