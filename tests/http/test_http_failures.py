"""What is left when a call is repeated, limited, refused, or fails in the middle: nothing but the answer."""

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from dev.harness.caller import Caller
from tests.callers import OWNER, key_of, traces, uuid4
from tests.conftest import SITE
from tests.words import new_word

SECRET = f"pin-{new_word(24)}"  # of this run alone: what another left is not ours
THERE = "127.0.0.1"


@pytest.fixture
def page(workers, site):
	return Caller(workers.url, SITE).open()


@pytest.fixture
def stored(site):
	"""Turns and the row's version as they are in the database."""

	def read(name: str) -> tuple[list[str], int]:
		site.db.rollback()
		filters = {"session": name}
		turns = site.get_all("Conversation Turn", filters=filters, order_by="sequence", pluck="content")
		return turns, site.db.get_value("Conversation Session", name, "version")

	return read


@pytest.fixture
def limits(site, cache_server):
	"""The counting of calls, in this process; what was counted is forgotten afterwards."""
	from assistant_session.web import limits

	yield limits
	client = cache_server.client()
	for key in client.scan_iter("*assistant_session:limit:*"):
		client.delete(key)


def error(response) -> tuple[int, str]:
	return response.status_code, response.json()["error"]["type"]


def test_a_repeated_message_id_gets_the_same_replies_and_stores_nothing(page, stored):
	message_id = uuid4()
	first = page.own("send_message", message="hello", message_id=message_id).json()["message"]
	before = stored(page.session_id)
	again = page.own("send_message", message="hello", message_id=message_id).json()["message"]
	assert (first["repeated"], again["repeated"]) == (False, True)
	assert again["replies"] == first["replies"]
	assert stored(page.session_id) == before


def test_a_message_id_is_not_good_for_another_text(page, stored):
	page.own("send_message", message="hello", message_id="one")
	before = stored(page.session_id)
	answer = page.own("send_message", message=SECRET, message_id="one")
	assert error(answer) == (422, "InvalidSessionData") and SECRET not in answer.text
	assert stored(page.session_id) == before


def test_one_sessions_message_id_says_nothing_about_anothers(page, workers):
	other = Caller(workers.url, SITE).open()
	page.own("send_message", message="hello", message_id="one")
	answer = other.own("send_message", message="goodbye", message_id="one")
	assert answer.status_code == 200 and answer.json()["message"]["repeated"] is False


def test_a_chatbot_that_raises_leaves_nothing_of_the_message_anywhere(page, stored, stage, cache_server):
	before = stored(page.session_id)
	answer = page.own("send_message", message=f"raise {SECRET}", message_id=f"id {SECRET}")
	assert error(answer) == (500, "ResponderFailed") and SECRET not in answer.text
	assert stored(page.session_id) == before
	assert traces(SECRET, stage, cache_server) == []


def test_a_failing_chatbot_is_logged_by_kind_and_place_alone(page, stage):
	page.own("send_message", message=f"raise {SECRET}")
	logged = (stage.root / "logs" / "assistant_session.log").read_text()
	assert (
		f"responder in session {page.session_id}: RuntimeError at bots.py:" in logged and SECRET not in logged
	)


def test_a_database_that_goes_away_in_the_chatbot_is_503_and_can_be_tried_again(
	page, stored, stage, cache_server
):
	before = stored(page.session_id)
	text = f"kill database {SECRET}"
	answer = page.own("send_message", message=text, message_id="again")
	assert error(answer) == (503, "SessionStoreUnavailable") and answer.headers["Retry-After"] == "5"
	assert stored(page.session_id) == before
	assert traces(SECRET, stage, cache_server) == []
	answer = page.own("send_message", message="hello", message_id="again")
	assert answer.status_code == 200 and answer.json()["message"]["repeated"] is False


def test_a_database_that_goes_away_is_503_for_a_logged_in_user_as_well(workers, site):
	user = Caller(workers.url, SITE, key=key_of(OWNER)).open()
	answer = user.own("send_message", message="kill database")
	assert error(answer) == (503, "SessionStoreUnavailable") and user.history() == []


@pytest.fixture
def away(site, sessions, page, monkeypatch, cache_server):
	"""This process remembers the page's session as it is now; then the database goes away, and Redis knows nothing."""
	from assistant_session.sessions.tables import session_rows

	def select(*_arguments, **_more):
		raise site.db.OperationalError(2006, "gone away")

	def go_away() -> None:
		cache_server.flush()
		monkeypatch.setattr(session_rows, "select", select)

	sessions.get(page.session_id)
	return go_away


def _admitted(site, page, token: str):
	from assistant_session.web import access

	builder = EnvironBuilder(method="POST", headers={"X-Assistant-Session-Token": token})
	site.local.request = Request(builder.get_environ())
	site.set_user("Guest")
	return access.admitted(page.session_id)


@pytest.mark.parametrize("right", [True, False])
def test_while_the_database_is_away_nobody_is_admitted_or_refused_by_memory(site, page, away, right):
	"""Memory may hold the token of before a verification: the new one was 404, the old one was let in."""
	from assistant_session.sessions.errors import SessionStoreUnavailable

	assert _admitted(site, page, page.token).name == page.session_id
	away()
	with pytest.raises(SessionStoreUnavailable):
		_admitted(site, page, page.token if right else "the new one")


def test_messages_are_limited_per_session_and_other_sessions_go_on(page, workers, limits):
	from assistant_session.sessions import config

	_use_up(limits, "message", page.session_id, config.settings().messages_per_minute)
	answer = page.own("send_message", message="hello")
	assert error(answer) == (429, "TooManyRequests") and int(answer.headers["Retry-After"]) > 0
	assert page.history() == []
	assert Caller(workers.url, SITE).open().own("send_message", message="hello").status_code == 200


def test_refused_messages_are_counted_too(page, limits):
	from assistant_session.sessions import config

	allowed = config.settings().messages_per_minute
	statuses = [page.own("send_message", message="").status_code for _call in range(2 * allowed + 2)]
	assert 429 in statuses and set(statuses) <= {422, 429}


def test_opening_is_limited_per_network_whatever_a_forwarded_address_says(workers, limits, site):
	from assistant_session.sessions import config

	guest = Caller(workers.url, SITE)
	_use_up(limits, "open", THERE, config.settings().opens_per_minute)
	for forwarded in (None, "203.0.113.7", "203.0.113.7, 203.0.113.8", THERE, ""):
		answer = guest.call("open_session", headers={"X-Forwarded-For": forwarded, "X-Real-IP": forwarded})
		assert error(answer) == (429, "TooManyRequests")


def test_opening_is_limited_for_a_logged_in_user_as_well(workers, limits, site):
	from assistant_session.sessions import config

	user = Caller(workers.url, SITE, key=key_of(OWNER))
	_use_up(limits, "open", OWNER, config.settings().opens_per_minute)
	assert error(user.call("open_session")) == (429, "TooManyRequests")
	assert Caller(workers.url, SITE).call("open_session").status_code == 200


def _use_up(limits, kind: str, subject: str, allowed: int) -> None:
	"""Count up to the limit, in this minute and, should it end right now, in the next."""
	for _call in range(allowed):
		limits.count(kind, subject, allowed)


def test_a_limit_refuses_the_call_after_the_last_allowed_one(limits):
	from assistant_session.sessions.errors import TooManyRequests

	subject = uuid4()
	_use_up(limits, "message", subject, 3)
	with pytest.raises(TooManyRequests):
		limits.count("message", subject, 3)
	limits.count("open", subject, 3)
	limits.count("message", uuid4(), 3)


@pytest.mark.parametrize(
	("proxies", "nearest", "forwarded", "counted"),
	[
		([], "198.51.100.1", "203.0.113.7", "198.51.100.1"),
		(["198.51.100.1"], "198.51.100.1", "203.0.113.7", "203.0.113.7"),
		(["198.51.100.1"], "198.51.100.1", "203.0.113.9, 203.0.113.7", "203.0.113.7"),
		(["198.51.100.1"], "198.51.100.2", "203.0.113.7", "198.51.100.2"),
		(["198.51.100.1"], "198.51.100.1", "not an address", "198.51.100.1"),
		(["198.51.100.1"], "198.51.100.1", "", "198.51.100.1"),
		(["198.51.100.0/24"], "198.51.100.9", "203.0.113.7", "203.0.113.7"),
		(["198.51.100.1", "10.0.0.0/8"], "198.51.100.1", "1.2.3.4, 203.0.113.7, 10.0.0.5", "203.0.113.7"),
		([], "::ffff:198.51.100.1", "", "198.51.100.1"),
		(["127.0.0.1"], "::ffff:127.0.0.1", "203.0.113.7", "203.0.113.7"),
		([], "2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::/64"),
		([], None, "203.0.113.7", "unknown"),
	],
)
def test_only_a_configured_proxy_says_where_a_call_comes_from(site, proxies, nearest, forwarded, counted):
	from assistant_session.web import access

	site.local.request = _request(nearest, forwarded)
	site.local.conf["assistant_session_trusted_proxies"] = proxies
	try:
		assert access.place().nearest == counted
	finally:
		del site.local.conf["assistant_session_trusted_proxies"]


@pytest.mark.parametrize(
	("proxies", "nearest", "forwarded", "counted"),
	[
		([], "203.0.113.7".replace("203.0.113", "93.184.216"), "", "93.184.216.7"),
		([], "127.0.0.1", "93.184.216.7", None),  # a proxy nobody named: to lock it would lock everybody
		([], "10.0.0.1", "", None),
		([], "::1", "", None),
		([], None, "", None),
		(["127.0.0.1"], "127.0.0.1", "93.184.216.7", "93.184.216.7"),
		(["127.0.0.1"], "127.0.0.1", "10.0.0.7", "10.0.0.7"),
		(["127.0.0.1"], "127.0.0.1", "", None),
	],
)
def test_failures_are_not_counted_for_a_proxy_that_stands_for_everybody(
	site, proxies, nearest, forwarded, counted
):
	from assistant_session.web import access

	site.local.request = _request(nearest, forwarded)
	site.local.conf["assistant_session_trusted_proxies"] = proxies
	try:
		assert access.caller().network == counted
	finally:
		del site.local.conf["assistant_session_trusted_proxies"]


def _request(nearest: str | None, forwarded: str) -> Request:
	environ = EnvironBuilder(headers={"X-Forwarded-For": forwarded}).get_environ()
	environ["REMOTE_ADDR"] = nearest or ""
	return Request(environ)


@pytest.mark.parametrize("arguments", [{"message": ""}, {"message": None}, {"message": "x" * 20000}, {}])
def test_a_refused_message_is_422_and_leaves_the_session_as_it_was(page, stored, arguments):
	before = stored(page.session_id)
	assert error(page.own("send_message", **arguments)) == (422, "InvalidSessionData")
	assert stored(page.session_id) == before
