"""What a hostile review found on a running site, each as the class it belongs to."""

import json
import re
import time
from urllib.parse import urlsplit

import pytest
import requests

from assistant_session.demo import directory
from dev.harness.caller import PREFIX, TOKEN, Caller
from tests.browser import log_in
from tests.callers import OWNER, SERVICE, SUPERUSER, VISITOR, key_of, uuid4
from tests.conftest import SITE
from tests.people import right


@pytest.fixture
def page(workers, site):
	return Caller(workers.url, SITE).open(channel="Pension")


# --- What a page may have of a session ---------------------------------------------------------------------------------


def test_a_page_is_told_where_a_flow_is_and_of_its_data_what_is_public(page, sessions, site):
	sessions.set_flow(
		page.session_id, "order", "contact", {"rating": "difficult", "wish": "11 remotes"}, public=["wish"]
	)
	sessions.set_flow(page.session_id, "secret", "first", {"score": 3})
	site.db.commit()
	seen = page.own("resume_session").json()["message"]["flows"]
	assert seen == {
		"order": {"step": "contact", "data": {"wish": "11 remotes"}},
		"secret": {"step": "first", "data": {}},
	}
	sessions.set_flow(page.session_id, "order", "address", {"street": "x"})
	assert sessions.get_flow(page.session_id, "order").public == ("wish",), "it stays so"
	site.db.commit()
	assert page.own("resume_session").json()["message"]["flows"]["order"]["data"] == {"wish": "11 remotes"}


@pytest.mark.parametrize("public", ["wish", [5], [""], [None]])
def test_what_is_public_is_named_by_keys(sessions, opened, public):
	with pytest.raises(sessions.InvalidSessionData):
		sessions.set_flow(opened, "order", "contact", {"wish": 1}, public=public)


def test_notes_and_what_goes_with_them_are_not_for_the_page(page, sessions, site):
	with sessions.turn(page.session_id, "hello", metadata={"from": "the page"}) as turn:
		turn.note("difficult patient", metadata={"tone": "rude"})
		turn.reply("Hello!", metadata={"buttons": ["a"]})
	site.db.commit()
	for endpoint in ("resume_session", "get_history"):
		answer = page.own(endpoint)
		assert "difficult" not in answer.text and "rude" not in answer.text and "from" not in answer.text
		history = answer.json()["message"]["history"]
		assert [(one["role"], one["metadata"]) for one in history][-2:] == [
			("user", {}),
			("assistant", {"buttons": ["a"]}),
		]


def test_a_page_of_nothing_but_notes_goes_on_beyond_them(page, sessions, site):
	sessions.add_turn(page.session_id, "user", "the first")
	for number in range(7):
		sessions.add_turn(page.session_id, "system", f"note {number}")
	site.db.commit()
	answer = page.own("get_history", limit=3).json()["message"]
	assert [one["content"] for one in answer["history"]] == ["the first"] and answer["has_more"] is False
	answer = page.own("get_history", after=1, limit=3).json()["message"]
	assert answer["history"] == []


def test_the_next_persons_bot_is_not_given_the_last_persons_chat(page, sessions, site, authentication):
	maya, hari = directory.new_member("Maya"), directory.new_member("Hari")
	name = page.session_id
	for person in (maya, hari):
		authentication.require(name, "pension_inquiry", "my pension?")
		site.db.commit()
		with sessions.turn(name, right(person)) as turn:
			assert authentication.submit(turn.session, turn.message).verified
			said = [one.content for one in sessions.history(name)]
			turn.reply(f"Welcome back {turn.session.user_profile['name']}")
		site.db.commit()
		authentication.logout(name)
		site.db.commit()
	assert not [text for text in said if "Maya" in text], "in the very turn in which Hari is verified"
	history = [one.content for one in sessions.history(name)]
	assert history == ["•••", "Welcome back Hari"]
	assert [one.content for one in sessions.history(name, after=0)] == history
	assert sessions.history(name, before=2) == []


# --- Credentials typed unasked -------------------------------------------------------------------------------------------


def _typed(member) -> list[str]:
	digits = member.national_number.replace("/", "")
	return [
		member.national_number, digits, f"{digits[:6]}.{digits[6:8]}.{digits[8]}", f"{digits[:6]} / {digits[6:8]} / {digits[8]}",
		f"{digits[:6]}⁄{digits[6:8]}⁄{digits[8]}", f"{digits[:6]} {digits[6:8]} {digits[8]}", f"{digits[:6]}_{digits[6:8]}_{digits[8]}",
	]  # fmt: skip


def test_what_a_bot_keeps_of_a_message_holds_no_credential(sessions, site, opened, member):
	"""As the README's own bot does: the wish goes into a flow, and into a reply of a later turn."""
	for number, text in enumerate(_typed(member)):
		with sessions.turn(opened, f"I am {text}, eleven remotes please") as turn:
			assert turn.message == "I am •••, eleven remotes please" and text in turn.raw_message
			turn.session.set_flow(
				"order", "contact", {"wish": turn.message, "typed": turn.raw_message, text: number}
			)
			turn.session.context["all"] = {"raw": [turn.raw_message]}
			turn.reply(f"{text}? Gladly.")
		site.db.commit()
		with sessions.turn(opened, "yes") as turn:
			turn.reply(f"Ordered: {turn.session.get_flow('order').data}")
		site.db.commit()
		stored = str(site.db.get_value("Conversation Session", opened, ["context", "flows"]))
		stored += str(site.get_all("Conversation Turn", {"session": opened}, ["content", "metadata"]))
		assert text not in stored and json.dumps(text)[1:-1] not in stored
		assert member.national_number not in stored and member.national_number.replace("/", "") not in stored


def test_a_pin_that_was_typed_is_masked_and_other_numbers_are_left_to_the_bot(
	sessions, site, opened, monkeypatch
):
	"""A PIN is any four digits: what a bot keeps is masked only where it is the one that was typed."""
	from dataclasses import replace

	from assistant_session.sessions import config

	pins = replace(
		config.settings(), credential_patterns=(r"\d{4}",), own_patterns=(), examples={r"\d{4}": "4711"}
	)
	monkeypatch.setattr(config, "settings", lambda: pins)
	with sessions.turn(opened, "my pin is 0815") as turn:
		turn.session.set_flow(
			"order", "contact", {"said": turn.raw_message, "year": 2026, "quantity": "1100"}
		)
		turn.session.context["typed"] = "0815"
		turn.reply("0815 it is, in 2026")
	session = sessions.get(opened)
	assert session.flows["order"]["data"] == {"said": "my pin is •••", "year": 2026, "quantity": "1100"}
	assert session.context == {"typed": "•••"}
	assert turn.replies == ["••• it is, in 2026"]


def test_a_bot_that_writes_outside_a_turn_keeps_none_either(sessions, site, opened, member):
	sessions.update(opened, {"context": {"said": f"it is {member.national_number}", "n": 7}})
	sessions.set_flow(opened, "order", "contact", {"said": member.number})
	sessions.update(opened, {"pending_message": f"I am {member.number}"})
	session = sessions.get(opened)
	assert session.context == {"said": "it is •••", "n": 7}
	assert session.flows["order"]["data"] == {"said": "•••"} and session.pending_message == "I am •••"


def test_a_bot_hands_on_the_message_as_it_was_shown_and_credentials_are_read(
	sessions, site, opened, member, authentication
):
	authentication.require(opened, "pension_inquiry", "my pension?")
	site.db.commit()
	with sessions.turn(opened, right(member)) as turn:
		assert member.number not in turn.message
		assert authentication.submit(turn.session, turn.message).verified


def test_why_something_ended_holds_no_credential(page, sessions, site, member, opened):
	sessions.authenticate(opened, {"name": "Hari"}, method="test")
	sessions.deauthenticate(opened, f"not {member.number}")
	assert (
		page.own("close_session", reason=f"I am {member.number} {member.national_number}").status_code == 200
	)
	site.db.commit()
	rows = str(site.db.get_value("Conversation Session", page.session_id, "*"))
	rows += str(site.get_all("Session Event", {"session": ("in", (page.session_id, opened))}, ["details"]))
	assert "I am ••• •••" in rows and "not •••" in rows
	assert member.number not in rows and member.national_number not in rows


# --- Bodies nobody can read ------------------------------------------------------------------------------------------------

UNREADABLE = [
	'{"text": "%s"',
	'{"text": "%s",}',
	"text=%s",
	'["%s"',
	'{"text": "%s", "n": NaN}',
	'"%s"',
	'{"text": "\\ud800 %s"}',
	'{"text": "%s", "deep": ' + "[" * 100_000,
]


@pytest.mark.parametrize("body", UNREADABLE)
@pytest.mark.parametrize("first", [False, True])
def test_a_body_that_cannot_be_read_is_answered_by_us_and_logged_by_nobody(
	page, stage, site, cache_server, body, first
):
	"""Also the first request of a worker, which comes before anything of ours is loaded there."""
	from tests.callers import traces

	secret = f"PEN_{uuid4()}"
	if first:
		stage.restart()
	url = page.url if not first else stage.url
	answers = [
		requests.post(
			f"{url}{PREFIX}submit_credentials", data=body.replace("%s", secret).encode(),
			headers={"Host": SITE, "X-Frappe-Site-Name": SITE, "Content-Type": "application/json", TOKEN: page.token or ""},
		)
		for _call in range(1 if first else 3)
	]  # fmt: skip
	time.sleep(0.2)
	if not first:
		assert [answer.status_code for answer in answers] in ([422] * 3, [404] * 3), answers[0].text
		assert answers[0].json()["error"]["message"]
	assert traces(secret, stage, cache_server) == []


# --- The owner's browser -----------------------------------------------------------------------------------------------------

OWN_PAGE = {"Content-Type": "application/json", "Origin": f"http://{SITE}", "X-Assistant-Session": "1"}


@pytest.fixture
def owner(workers, site, sessions):
	"""`owner(headers, …)` calls as the logged-in owner's browser does, with its `sid`."""
	key_of(OWNER)
	name = sessions.open(user=OWNER).id
	site.db.commit()
	sid = log_in(OWNER)

	def call(headers: dict, endpoint: str = "send_message", **more) -> requests.Response:
		body = json.dumps(
			{"session_id": name, **({"message": "hello"} if endpoint == "send_message" else {}), **more}
		)
		sent = {
			"Host": SITE,
			"X-Frappe-Site-Name": SITE,
			**{key: value for key, value in headers.items() if value},
		}
		return requests.post(
			f"{workers.url}{PREFIX}{endpoint}", data=body, headers=sent, cookies={"sid": sid}
		)

	call.name = name
	return call


@pytest.mark.parametrize(
	"changed",
	[
		{"Origin": "http://evil.chat.localhost"}, {"Origin": None}, {"Origin": "null"}, {"Content-Type": "text/plain"},
		{"Content-Type": "application/x-www-form-urlencoded"}, {"X-Assistant-Session": None},
		{"X-Frappe-CSRF-Token": "None", "X-Assistant-Session": None},
	],
)  # fmt: skip
@pytest.mark.parametrize("endpoint", ["send_message", "logout", "close_session", "submit_credentials"])
def test_another_page_cannot_act_for_the_logged_in_owner(owner, endpoint, changed):
	answer = owner({**OWN_PAGE, **changed}, endpoint)
	assert answer.status_code in (400, 403, 404, 422), answer.text
	if answer.status_code == 403 and "error" in answer.json():
		assert "needed" in answer.json()["error"]["message"]


def test_the_owners_own_page_can(owner):
	answer = owner(OWN_PAGE)
	assert answer.status_code == 200, answer.text


def test_a_page_that_has_frappes_token_can(owner, workers, bench):
	"""As Desk calls; another token is none."""
	prefix = urlsplit(get_desk_url()).path.rpartition("/")[0]
	headers, cookies = {"Host": SITE, "X-Frappe-Site-Name": SITE}, {"sid": log_in(SUPERUSER)}
	page = requests.get(f"{workers.url}{prefix}", headers=headers, cookies=cookies).text
	token = re.search(r'csrf_token = "([0-9a-f]{20,})"', page)[1]
	for said, status in ((token, 200), ("0" * len(token), 400)):
		answer = requests.post(
			f"{workers.url}{PREFIX}session_report", json={"session_id": owner.name},
			headers={**headers, "X-Frappe-CSRF-Token": said}, cookies=cookies,
		)  # fmt: skip
		assert answer.status_code == status, answer.text


def get_desk_url() -> str:
	from frappe.utils import get_url_to_list

	return get_url_to_list("User")


def test_a_token_does_not_outlive_the_owners_login(workers, site):
	page = Caller(workers.url, SITE, key=key_of(OWNER)).open()
	assert page.own("send_message", message="hello").status_code == 200
	page.key = None
	assert page.own("resume_session").status_code == 404
	assert page.own("send_message", message="hello").status_code == 404
	page.key = key_of(VISITOR)
	assert page.own("resume_session").status_code == 404


# --- Devices -----------------------------------------------------------------------------------------------------------------


def test_who_says_somebodys_device_first_does_not_get_what_a_router_sets_for_it(workers, site, device):
	mallory = Caller(workers.url, SITE, device=device).open()
	router = Caller(workers.url, SITE, key=key_of(SERVICE), device=device)
	lock = router.call("set_session_lock", device_id=device, agent_key="scheduling").json()["message"]["lock"]
	assert lock["won"] and lock["agent"] == "scheduling"
	assert mallory.own("resume_session").json()["message"]["agent"] is None
	assert mallory.call("open_session").json()["message"]["agent"] is None
	assert (
		router.call("get_session_lock", device_id=device).json()["message"]["lock"]["agent"] == "scheduling"
	)
	assert router.call("clear_session_lock", device_id=device).json()["message"]["cleared"]
	assert router.call("get_session_lock", device_id=device).json()["message"]["lock"] is None


def test_a_page_finds_its_session_by_device_and_token_as_ever(workers, device):
	page = Caller(workers.url, SITE, device=device).open()
	again = page.call("open_session", token=page.token).json()["message"]
	assert again["session_id"] == page.session_id
	assert page.call("open_session").json()["message"]["session_id"] != page.session_id


# --- Cookies -----------------------------------------------------------------------------------------------------------------


def test_a_browser_keeps_few_cookies_however_many_conversations_it_had(workers, site):
	browser = requests.Session()
	headers = {"Host": SITE, "X-Frappe-Site-Name": SITE}
	for _conversation in range(30):
		answer = browser.post(f"{workers.url}{PREFIX}open_session", json={}, headers=headers)
		assert answer.status_code == 200
	mine = [cookie for cookie in browser.cookies if cookie.name.startswith("assistant_session_")]
	assert len(mine) == 20
	name = answer.json()["message"]["session_id"]
	said = browser.post(
		f"{workers.url}{PREFIX}resume_session", json={"session_id": name}, headers={**headers, **OWN_PAGE}
	)
	assert said.status_code == 200, "the newest is among them"
	closed = browser.post(
		f"{workers.url}{PREFIX}close_session", json={"session_id": name}, headers={**headers, **OWN_PAGE}
	)
	assert closed.status_code == 200
	assert len([cookie for cookie in browser.cookies if cookie.name.startswith("assistant_session_")]) == 19


def test_the_cookie_of_a_session_that_is_gone_is_taken_back(workers, site, sessions):
	browser = requests.Session()
	headers = {"Host": SITE, "X-Frappe-Site-Name": SITE, **OWN_PAGE}
	name = browser.post(f"{workers.url}{PREFIX}open_session", json={}, headers=headers).json()["message"][
		"session_id"
	]
	sessions.close(name, "elsewhere")
	site.db.commit()
	answer = browser.post(
		f"{workers.url}{PREFIX}send_message", json={"session_id": name, "message": "x"}, headers=headers
	)
	left = [cookie.name for cookie in browser.cookies if cookie.name.startswith("assistant_session_")]
	assert answer.status_code == 410 and left == []


def test_the_devices_of_many_people_are_few_cookies_too(authentication, site, monkeypatch):
	from frappe.utils import set_request

	from assistant_session.web import cookies

	old = "; ".join(
		f"assistant_session_known_{number:016x}=k1.{1000 + number}.{'0' * 64}" for number in range(25)
	)
	set_request(path="/", headers={"Cookie": old})
	gone = {cookie.name for cookie in cookies.too_many(cookies.KNOWN)}
	assert gone == {f"assistant_session_known_{number:016x}" for number in range(6)}


# --- Intents -------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def strict(site, opened):
	from assistant_session.authentication import checks as catalogue

	def listed(**values) -> None:
		settings = site.get_single("Assistant Session Settings")
		settings.update(values)
		settings.save()
		site.db.commit()
		catalogue.forget()

	listed(strict_intents=1, open_intents="opening_hours\n  Small Talk  \n\n")
	yield
	site.db.rollback()
	listed(strict_intents=0, open_intents="opening_hours")


def test_a_misspelt_intent_opens_nothing_where_settings_are_strict(strict, authentication, sessions, opened):
	for intent in ("pension_inquirry", "pension inquiry", "anything"):
		with pytest.raises(sessions.InvalidSessionData, match="neither protected nor open"):
			authentication.require(opened, intent, "my pension?")
	for intent in ("opening_hours", "OPENING_HOURS", "small talk", None):
		assert authentication.require(opened, intent).open
	assert not authentication.require(opened, "pension_inquiry").open


def test_a_site_that_is_not_strict_goes_on_as_before(authentication, opened):
	assert authentication.require(opened, "anything").open


def test_a_new_site_is_strict(site, monkeypatch):
	from assistant_session import install

	class New(dict):
		channels = ()
		saved = False

		def append(self, *_row):
			pass

		def save(self, **_more):
			self.saved = True

	settings = New()
	monkeypatch.setattr(site, "get_single", lambda _doctype: settings)
	install._make_first_channel()
	assert settings.saved and settings.strict_intents == 1


# --- The verifier's address ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
	"address",
	[
		"192.0.0.192",
		"192.88.99.1",
		"3fff::1",
		"64:ff9b::7f00:1",
		"2002:c058:6301::1",
		"::ffff:192.88.99.1",
		"2001::1",
	],
)
def test_an_address_of_no_place_is_no_public_one(site, address):
	from ipaddress import ip_address

	from assistant_session.authentication import outgoing_call

	assert not outgoing_call._is_public(ip_address(address))
	for public in ("93.184.216.34", "2606:2800:220:1::1"):
		assert outgoing_call._is_public(ip_address(public))
