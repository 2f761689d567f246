"""One guest does not stop everybody: who waits, who calls too often, who stores too much, and who is counted together."""

import time

import pytest

from dev.harness.caller import Caller
from tests import in_workers
from tests.callers import uuid4
from tests.conftest import SITE
from tests.http import in_workers as here


@pytest.fixture
def guest(workers, site, cache_server):
	"""`guest(network)` opened a session, through a proxy that nobody named and that says where the call is from."""
	cache_server.flush()

	def make(network: str = "203.0.113.1", **more) -> Caller:
		page = Caller(workers.url, SITE, **more)
		page.said = {"X-Forwarded-For": network}
		page.opened = page.call("open_session", headers=page.said)
		if page.opened.status_code == 200:
			page.session_id = page.opened.json()["message"]["session_id"]
			page.token = page.opened.headers["X-Assistant-Session-Token"]
		return page

	return make


def _say(page: Caller, message: str = "hello", **more):
	return page.own("send_message", message=message, headers=page.said, **more)


def test_of_many_messages_at_once_one_waits_and_the_others_are_told_at_once(worker, opened):
	"""A bot thinks for three seconds; meanwhile four more messages come, each on a worker of its own."""
	slow, others = worker(), [worker() for _number in range(4)]
	thinking = slow.start(here.think, opened, 3)
	time.sleep(1)
	pending = [
		one.start(here.say_or_be_told, opened, f"message {number}") for number, one in enumerate(others)
	]
	answers = [wait() for wait in pending]
	thinking()
	assert sorted(kind for kind, _seconds in answers) == ["busy"] * 3 + ["stored"]
	(waited,) = [seconds for kind, seconds in answers if kind == "stored"]
	assert all(seconds < waited for kind, seconds in answers if kind == "busy")


def test_a_waiter_that_was_killed_is_forgotten(worker, opened, sessions, site):
	holder, waiter = worker(), worker()
	holder.run(in_workers.take_lease, opened)
	waiter.start(in_workers.say, opened, "second")
	time.sleep(0.5)
	waiter.kill()
	from assistant_session.sessions.coherence import leases, register

	here = register.connection()
	left = here.redis.pttl(register.key("waiter", opened))
	from assistant_session.sessions import config

	assert 0 < left <= config.settings().hold_wait * 1000 + leases.WAITER_GRACE


def test_a_page_sends_little_beside_a_message_and_is_not_shown_it_again(guest):
	page = guest()
	assert _say(page, metadata={"a": "x" * 5000}).status_code == 422
	assert _say(page, metadata={"browser": "y" * 4000}).status_code == 200
	seen = page.own("resume_session", headers=page.said)
	assert "yyyy" not in seen.text and seen.json()["message"]["turns"] >= 1


def test_what_one_network_stores_in_an_hour_has_a_limit(guest, configured):
	configured(megabytes_per_hour_network=1)
	many, other = guest("203.0.113.7"), guest("203.0.113.8")
	statuses = [_say(many, "x" * 15_000).status_code for _message in range(40)]
	while 429 not in statuses and len(statuses) < 120:
		many = guest("203.0.113.7")
		statuses += [_say(many, "x" * 15_000).status_code for _message in range(40)]
	refused = _say(many)
	assert refused.status_code == 429 and int(refused.headers["Retry-After"]) <= 3600
	assert statuses.count(200) <= 1024 * 1024 // 15_000 + 1
	assert _say(other).status_code == 200


@pytest.mark.parametrize(
	("setting", "call"),
	[
		("messages_per_minute_network", lambda page: _say(page)),
		("reads_per_minute_network", lambda page: page.own("resume_session", headers=page.said)),
		("reads_per_minute", lambda page: page.own("get_history", headers=page.said)),
		(
			"refusals_per_minute_network",
			lambda page: page.call(
				"resume_session", token="wrong", session_id=page.session_id, headers=page.said
			),
		),
	],
)
def test_what_a_network_may_do_in_a_minute_has_a_limit(guest, configured, setting, call):
	configured(**{setting: 5})
	page, other = guest("203.0.113.9"), guest("203.0.113.10")
	_at_the_beginning_of_a_minute()
	statuses = [call(page).status_code for _call in range(8)]
	assert statuses[5:] == [429] * 3 and 429 not in statuses[:5]
	assert call(other).status_code != 429


@pytest.mark.parametrize("named", ["by id", "by device"])
def test_opening_ones_own_session_again_is_a_read_like_others(guest, configured, named):
	configured(reads_per_minute=3)
	page = guest("203.0.113.50", device=uuid4())
	_at_the_beginning_of_a_minute()
	more = {"session_id": page.session_id} if named == "by id" else {}
	answers = [page.call("open_session", token=page.token, headers=page.said, **more) for _open in range(5)]
	assert [answer.status_code for answer in answers] == [200] * 3 + [429] * 2
	assert answers[0].json()["message"]["session_id"] == page.session_id


def _at_the_beginning_of_a_minute() -> None:
	left = 60 - time.time() % 60
	if left < 10:
		time.sleep(left)


def test_wrong_tokens_and_unknown_ids_count_alike(guest, configured):
	configured(refusals_per_minute_network=3)
	page = guest("203.0.113.20")
	_at_the_beginning_of_a_minute()
	statuses = []
	for name in (page.session_id, "never-heard-of", page.session_id, "never-heard-of", page.session_id):
		answer = page.call("resume_session", token="wrong", session_id=name, headers=page.said)
		statuses.append(answer.status_code)
	assert statuses == [404] * 3 + [429] * 2
	assert page.own("resume_session", headers=page.said).status_code == 200, "who has the token goes on"


@pytest.mark.parametrize("one", ["client", "device"])
def test_one_client_or_device_does_not_use_up_what_all_may_open(guest, configured, one):
	"""Behind a proxy that nobody named all are one network."""
	configured(opens_per_minute=20)
	_at_the_beginning_of_a_minute()
	more = {"device": uuid4()} if one == "device" else {}
	networks = [f"203.0.113.{number}" if one == "device" else "203.0.113.31" for number in range(12)]
	statuses = [guest(network, **more).opened.status_code for network in networks]
	assert statuses == [200] * 4 + [429] * 8
	assert guest("203.0.113.200").opened.status_code == 200


def test_an_unnamed_proxy_is_named_by_the_doctor_and_by_settings(site, cache_server, monkeypatch):
	from frappe.utils import set_request

	from assistant_session.maintenance import doctor
	from assistant_session.sessions.health import proxies
	from assistant_session.web import access

	cache_server.flush()
	monkeypatch.setattr(proxies, "_noted_at", 0.0)
	headers = {"X-Forwarded-For": "6.6.6.6, 203.0.113.40"}
	set_request(path="/", headers=headers, environ_base={"REMOTE_ADDR": "10.0.0.7"})
	assert access.place() == access.limits.Place("10.0.0.7", None, "203.0.113.40")
	assert [text for text in doctor.surroundings() if "10.0.0.7" in text and proxies.CONFIG in text]
	settings = site.get_single("Assistant Session Settings")
	settings.run_method("onload")
	assert "10.0.0.7" in settings.get("__onload").proxies


def test_settings_say_that_no_proxy_is_named_and_nothing_once_it_is(site, cache_server, monkeypatch):
	from assistant_session.sessions.health import proxies

	cache_server.flush()
	assert proxies.CONFIG in proxies.situation()
	monkeypatch.setitem(site.local.conf, proxies.CONFIG, ["127.0.0.1"])
	assert proxies.situation() == ""


def test_who_is_refused_waits_as_long_for_an_id_that_exists_as_for_one_that_does_not(
	guest, site, monkeypatch
):
	"""How long somebody looked would tell: every refusal takes the same time at least, whatever it had to read."""
	from assistant_session.sessions.coherence import reading
	from assistant_session.web import access

	assert access.REFUSED_SECONDS >= 0.03
	page, slept, clock = guest(), [], [100.0]
	monkeypatch.setattr(access.time, "sleep", slept.append)
	monkeypatch.setattr(access.time, "monotonic", lambda: clock[0])
	monkeypatch.setattr(access, "opens", lambda row, name: False)
	monkeypatch.setattr(access, "place", lambda: access.limits.Place("203.0.113.1", "203.0.113.1"))
	read = reading.read
	for name, took in ((page.session_id, 0.001), ("never-heard-of", 0.02)):
		monkeypatch.setattr(
			access.reading,
			"read",
			lambda name, took=took: (clock.__setitem__(0, clock[0] + took), read(name))[1],
		)
		with pytest.raises(access.SessionNotFound):
			access.admitted(name)
	assert slept == [pytest.approx(0.029), pytest.approx(0.01)]
