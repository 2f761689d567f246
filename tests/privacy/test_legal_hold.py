"""The legal hold: who may set it, what it says, and what it stops."""

import pytest

from tests.callers import AGENT, AUDITOR, OWNER, SERVICE, STAFF_ADMINISTRATOR, VISITOR
from tests.http.test_staff_endpoints import call
from tests.privacy import in_workers
from tests.races import race
from tests.sealed import every_seal_fits
from tests.trail import whole

__all__ = ["call", "every_seal_fits"]

ENDPOINTS = ("set_legal_hold", "lift_legal_hold")


def test_it_notes_who_when_and_why_and_is_audited(call, opened, stored, site):
	said = call(
		STAFF_ADMINISTRATOR, "set_legal_hold", session_id=opened, reason="Fall 4711: Ärger <b>"
	).json()
	assert said["message"]["held"] and said["message"]["by"] == STAFF_ADMINISTRATOR
	row = stored(opened)
	assert (row.legal_hold, row.legal_hold_reason, row.legal_hold_by) == (
		1,
		"Fall 4711: Ärger <b>",
		STAFF_ADMINISTRATOR,
	)
	assert row.legal_hold_at and whole(site, opened)
	said = call(STAFF_ADMINISTRATOR, "lift_legal_hold", session_id=opened, reason="settled").json()["message"]
	assert said == {"session_id": opened, "held": False, "reason": None, "by": None, "since": None}
	site.db.rollback()
	events = site.get_all(
		"Session Event", {"session": opened, "event": "held"}, ["actor", "details"], order_by="sequence"
	)
	assert [event.actor for event in events] == [STAFF_ADMINISTRATOR] * 2
	assert '"held":true' in events[0].details and "Fall 4711" in events[0].details
	assert '"held":false' in events[1].details and "settled" in events[1].details


def test_lifting_what_is_not_held_writes_nothing(sessions, opened, stored, site):
	before = stored(opened)
	sessions.lift_legal_hold(opened, "nothing to lift")
	site.db.commit()
	assert stored(opened) == before


def test_also_an_ended_session_can_be_held(sessions, opened, stored, site):
	sessions.close(opened, "done")
	sessions.set_legal_hold(opened, "afterwards")
	site.db.commit()
	assert (stored(opened).status, stored(opened).legal_hold) == ("Closed", 1)


def test_a_held_session_goes_on(sessions, opened, site, stored):
	sessions.set_legal_hold(opened, "case")
	with sessions.turn(opened, "hello") as turn:
		turn.reply("hi")
	site.db.commit()
	assert (stored(opened).legal_hold, stored(opened).turn_count) == (1, 2)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("user", [None, VISITOR, OWNER, SERVICE, AGENT, AUDITOR])
def test_it_is_for_administrators(call, opened, stored, endpoint, user):
	for name in (opened, "never-heard-of"):
		assert call(user, endpoint, session_id=name, reason="mine").status_code == 403
	assert stored(opened).legal_hold == 0


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
	"arguments",
	[
		{}, {"reason": None}, {"reason": ""}, {"reason": "  "}, {"reason": "x" * 501}, {"reason": ["x"]},
		{"reason": "two\nlines"}, {"reason": 5}, {"session_id": "no such", "reason": "x"},
		{"session_id": {"name": "x"}, "reason": "x"}, {"session_id": "x" * 200, "reason": "x"},
	],
)  # fmt: skip
def test_bad_input_is_refused_and_changes_nothing(call, opened, stored, endpoint, arguments):
	before = stored(opened)
	answer = call(STAFF_ADMINISTRATOR, endpoint, **{"session_id": opened, **arguments})
	assert answer.status_code == 422 and answer.json()["error"]["message"]
	assert stored(opened) == before


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_an_unknown_session_is_not_found(call, endpoint):
	assert call(STAFF_ADMINISTRATOR, endpoint, session_id="never-heard-of", reason="x").status_code == 404


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_get_is_refused(workers, endpoint, opened):
	from dev.harness.caller import Caller
	from tests.callers import key_of
	from tests.conftest import SITE

	caller = Caller(workers.url, SITE, key=key_of(STAFF_ADMINISTRATOR))
	path = f"/api/method/assistant_session.api.{endpoint}"
	assert caller.ask("GET", path, params={"session_id": opened, "reason": "x"}).status_code == 403


def test_it_stops_deleting_in_desk_and_says_so(call, opened, site, stored):
	from tests.callers import SUPERUSER

	call(STAFF_ADMINISTRATOR, "set_legal_hold", session_id=opened, reason="case")
	site.db.rollback()
	site.set_user(SUPERUSER)
	with pytest.raises(site.ValidationError, match="legal hold"):
		site.delete_doc("Conversation Session", opened)
	site.db.rollback()
	assert stored(opened).legal_hold == 1


def test_two_at_once_both_hold(sessions, opened, either, stored, site):
	race(
		either, in_workers.set_legal_hold, [{"name": opened, "who": who} for who in ("one", "two")], rounds=10
	)
	assert stored(opened).legal_hold == 1 and stored(opened).event_count == 21 and whole(site, opened)
