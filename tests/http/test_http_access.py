"""What each credential may do over HTTP: security.md's first table, row by row, against real workers."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from dev.harness.caller import TOKEN, Caller
from tests.callers import OWNER, SERVICE, UNKNOWN, VISITOR, key_of, uuid4
from tests.conftest import SITE
from tests.databases import until_running

PERSONAL = {
	"open_session": {},
	"resume_session": {},
	"send_message": {"message": "hello"},
	"get_history": {},
	"close_session": {},
}
LOCKS = {
	"get_session_lock": {},
	"set_session_lock": {"agent_key": "scheduling"},
	"clear_session_lock": {},
}


@pytest.fixture
def caller(workers, site):
	"""Makes callers: guests, or the user of `user`."""

	def make(user: str | None = None, device: str | None = None) -> Caller:
		return Caller(workers.url, SITE, key=key_of(user) if user else None, device=device)

	return make


@pytest.fixture
def row(site):
	def read(name: str):
		site.db.rollback()
		return site.db.get_value("Conversation Session", name, "*", as_dict=True)

	return read


def refused(response) -> tuple[int, dict]:
	return response.status_code, response.json()["error"]


def unknown(caller, endpoint: str) -> tuple[int, dict]:
	"""The one answer for everything that is not the caller's."""
	answer = refused(caller().call(endpoint, session_id=UNKNOWN, **PERSONAL[endpoint]))
	assert answer[0] == 404
	return answer


@pytest.mark.parametrize("endpoint", PERSONAL)
def test_a_session_id_alone_is_as_good_as_an_unknown_one(caller, endpoint):
	mine, other = caller().open(), caller().open()
	arguments = {"session_id": mine.session_id, **PERSONAL[endpoint]}
	expected = unknown(caller, endpoint)
	assert refused(caller().call(endpoint, **arguments)) == expected
	assert refused(caller().call(endpoint, token="x" * 43, **arguments)) == expected
	assert refused(caller().call(endpoint, token=other.token, **arguments)) == expected
	assert refused(caller(VISITOR).call(endpoint, **arguments)) == expected
	assert refused(caller(SERVICE).call(endpoint, **arguments)) == expected or endpoint == "open_session"
	assert mine.history() == []


@pytest.mark.parametrize("endpoint", PERSONAL)
def test_a_session_without_a_token_is_opened_by_none(caller, sessions, site, endpoint):
	"""Opened by a bot in Python; the text whose digest stood in for a missing one was in the source."""
	name = sessions.open().id
	site.db.commit()
	arguments = {"session_id": name, **PERSONAL[endpoint]}
	for token in ("no session has this token", "None", "x" * 43):
		assert refused(caller().call(endpoint, token=token, **arguments)) == unknown(caller, endpoint)


def test_a_token_with_its_id_does_everything_for_its_own_session_and_nothing_else(caller, row):
	page, device = caller(), uuid4()
	page.open()
	assert page.own("resume_session").json()["message"]["history"] == []
	assert page.own("send_message", message="hello").json()["message"]["replies"][0]["content"]
	assert page.own("open_session").json()["message"]["session_id"] == page.session_id
	assert [turn["role"] for turn in page.history()] == ["user", "assistant"]
	for endpoint, arguments in LOCKS.items():
		assert page.call(endpoint, token=page.token, device_id=device, **arguments).status_code == 403
	assert page.own("close_session").json()["message"]["status"] == "Closed"
	assert row(page.session_id).status == "Closed"


def test_the_logged_in_owner_needs_no_token_and_nobody_else_is_the_owner(caller):
	page = caller(OWNER)
	page.open()
	page.token = None
	assert page.own("send_message", message="hello").status_code == 200
	assert len(page.history()) == 2
	assert refused(caller(VISITOR).call("get_history", session_id=page.session_id))[0] == 404
	assert refused(caller().call("get_history", session_id=page.session_id))[0] == 404
	assert page.own("close_session").status_code == 200


def test_a_guest_does_not_own_what_belongs_to_the_user_guest(caller, site, sessions):
	name = sessions.open(user="Guest").id
	site.db.commit()
	assert refused(caller().call("get_history", session_id=name)) == unknown(caller, "get_history")


def test_a_device_id_labels_a_new_session_and_opens_none(caller, device, row):
	victim = caller(device=device).open()
	assert row(victim.session_id).device_id == device
	assert refused(caller(device=device).call("get_history", session_id=victim.session_id))[0] == 404
	assert victim.own("open_session").json()["message"]["origin"] != "created"


def test_the_victims_device_and_session_id_give_a_stranger_a_fresh_session(
	caller, device, site, sessions, row
):
	victim = caller(device=device).open()
	victim.own("send_message", message="my balance")
	sessions.authenticate(victim.session_id, {"name": "Victim"}, method="test", identity="victim")
	site.db.commit()
	assert victim.own("resume_session").json()["message"]["authenticated"] is True

	stranger = caller(device=device)
	body = stranger.call("open_session").json()["message"]
	assert body["session_id"] != victim.session_id
	assert (body["authenticated"], body["history"], body["should_greet"]) == (False, [], True)
	taken = row(body["session_id"])
	assert (taken.device_id, taken.active_key) == (None, None)
	given = stranger.call("open_session", session_id=victim.session_id)
	assert refused(given) == unknown(caller, "open_session")
	assert victim.own("resume_session").json()["message"]["authenticated"] is True


def test_python_gives_no_authenticated_session_for_a_device_alone(device, site, sessions):
	known = sessions.open(device_id=device)
	sessions.authenticate(known.id, {"name": "Victim"}, method="test")
	site.db.commit()
	found = sessions.open(device_id=device)
	assert found.id != known.id and not found.authenticated


def test_the_service_role_sets_locks_and_sees_no_id_token_or_profile(caller, device, row, site):
	router = caller(SERVICE, device)
	opened = router.call("open_session")
	assert opened.json() == {"message": {"opened": True, "status": "Active", "agent": None}}
	assert TOKEN not in opened.headers and "assistant_session" not in opened.headers.get("Set-Cookie", "")
	locked = router.call("set_session_lock", device_id=device, agent_key="scheduling").json()["message"]
	assert set(locked["lock"]) == {"agent", "expires_at", "won"} and locked["lock"]["won"]
	assert (
		router.call("get_session_lock", device_id=device).json()["message"]["lock"]["agent"] == "scheduling"
	)
	assert router.call("clear_session_lock", device_id=device).json() == {"message": {"cleared": True}}
	site.db.rollback()
	name = site.db.get_value("Conversation Session", {"device_id": device})
	assert not row(name).authenticated
	for endpoint in ("resume_session", "send_message", "get_history", "close_session"):
		answer = refused(router.call(endpoint, session_id=name, **PERSONAL[endpoint]))
		assert answer == unknown(caller, endpoint)


@pytest.mark.parametrize("user", [None, VISITOR, OWNER])
@pytest.mark.parametrize("endpoint", LOCKS)
def test_agent_locks_are_not_for_guests_and_website_users(caller, endpoint, user, device):
	answer = caller(user).call(endpoint, device_id=device, **LOCKS[endpoint])
	assert refused(answer)[0] == 403


@pytest.mark.parametrize("user", [None, OWNER])
@pytest.mark.parametrize(
	"argument",
	[
		{"external_id": "+380501234567"},
		{"user": OWNER},
		{"user": "Administrator"},
		{"party_type": "Contact"},
		{"party": "somebody"},
		{"state": "CONFIRMED"},
		{"ttl": 60},
		{"ttl": 0},
		{"external_id": ""},
	],
)
def test_a_person_may_not_choose_what_the_server_decides(caller, argument, user):
	assert refused(caller(user).call("open_session", **argument))[1]["type"] == "NotPermitted"


@pytest.mark.parametrize("channel", ["Telephone", "web", "Web ​", "%"])
def test_a_guest_opens_no_session_on_a_channel_that_is_not_open_to_guests(caller, channel):
	assert refused(caller().call("open_session", channel=channel))[0] == 403


def test_gone_and_busy_are_said_only_to_who_shows_the_token(caller, site, sessions, configured):
	configured(hold_wait=1)
	closed, expired, busy = caller().open(), caller().open(), caller().open()
	closed.own("close_session")
	table = site.qb.DocType("Conversation Session")
	past = site.utils.add_days(site.utils.now(), -2)
	site.qb.update(table).set(table.expires_at, past).where(table.name == expired.session_id).run()
	site.db.commit()
	sessions.recover(expired.session_id)
	from assistant_session.sessions.coherence import register

	register.forget([expired.session_id])
	with sessions.turn(busy.session_id, "still thinking"):
		assert refused(busy.own("send_message", message="hello"))[0] == 423
		for page in (closed, expired, busy):
			answer = caller().call("send_message", session_id=page.session_id, message="hello")
			assert refused(answer) == unknown(caller, "send_message")
		site.db.rollback()
	site.db.rollback()
	assert [refused(page.own("get_history"))[0] for page in (closed, expired)] == [410, 410]
	assert refused(closed.own("send_message", message="hello"))[1]["type"] == "SessionClosed"
	assert refused(expired.own("send_message", message="hello"))[1]["type"] == "SessionExpired"


def test_two_writers_of_one_field_get_409_and_nothing_of_the_message(caller, site, sessions):
	page = caller().open()
	sessions.transition(page.session_id, "HERS")
	answers = []
	sending = threading.Thread(
		target=lambda: answers.append(page.own("send_message", message="state MINE")), daemon=True
	)
	sending.start()
	until_running("UPDATE `tabConversation Session`")
	site.db.commit()
	sending.join()
	assert refused(answers[0])[1]["type"] == "SessionConflict" and answers[0].status_code == 409
	assert page.history() == [] and page.own("resume_session").json()["message"]["state"] == "HERS"


def test_guests_who_open_at_the_same_moment_with_one_device_share_nothing(caller):
	for _round in range(8):
		guests = [caller(device=device) for device in [uuid4()] * 4]
		with ThreadPoolExecutor(4) as threads:
			opened = list(threads.map(Caller.open, guests))
		assert len({page.session_id for page in opened}) == 4
		assert [page.own("get_history").status_code for page in opened] == [200] * 4
