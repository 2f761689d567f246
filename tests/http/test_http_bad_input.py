"""Whatever is sent to whatever endpoint: a 4xx in one form, no Python in its text, and no harm done."""

import inspect
import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant_session import api
from dev.harness.caller import PREFIX, TOKEN, Caller
from tests.callers import OWNER, SERVICE, UNKNOWN, key_of, uuid4
from tests.conftest import SITE

ENDPOINTS = sorted(
	name
	for name, function in inspect.getmembers(api, inspect.isfunction)
	if function.__module__ == api.__name__ and not name.startswith("_")
)
ARGUMENTS = {name: list(inspect.signature(getattr(api, name)).parameters)[:-1] for name in ENDPOINTS}
NOISY = ["foreign", "cmd_", "self", "doctype", "flags", "ignore_permissions", "__class__"]
REPR = re.compile(r"\{'|\['|<[a-z_]+ object|Traceback|NoneType|object at 0x|Decimal\(|datetime\.")

strange_texts = st.one_of(
	st.text(max_size=40),
	st.text(st.characters(categories=["Cc", "Cf", "Cs", "Co", "Zl", "Zp"]), max_size=10),
	st.sampled_from(
		["", " ", "\x00", "\ud800", "‮evil", "%", "_", "'", '"; drop table', "../..", "null", "５", "ſ"]
	),
	st.sampled_from([UNKNOWN, "a" * 121, "é" * 200, "x" * 20001]),
)
scalars = st.one_of(
	st.none(),
	st.booleans(),
	st.integers(),
	st.sampled_from([-1, 0, 2**31, -(2**63), 10**30]),
	st.floats(allow_nan=True, allow_infinity=True),
	strange_texts,
)
values = st.recursive(
	scalars,
	lambda inner: st.lists(inner, max_size=3) | st.dictionaries(strange_texts, inner, max_size=3),
	max_leaves=6,
)


@st.composite
def calls(draw, endpoint: str, keep: tuple[str, ...] = ()):
	"""Arguments for an endpoint, some missing, some foreign; those in `keep` are filled in by the test."""
	names = [name for name in ARGUMENTS[endpoint] if name not in keep]
	chosen = draw(st.lists(st.sampled_from(names + NOISY), unique=True, max_size=5))
	return {name: draw(values) for name in chosen}


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_an_argument_that_is_not_there_is_named(workers, endpoint):
	answer = Caller(workers.url, SITE).call(endpoint, sessionid="x")
	known = ", ".join(ARGUMENTS[endpoint]) or "none"
	said = f"sessionid: there is no such argument. Those of {endpoint} are: {known}."
	assert (answer.status_code, answer.json()["error"]) == (
		422,
		{"type": "InvalidSessionData", "message": said},
	)


@pytest.mark.parametrize("own", ["cmd", "csrf_token", "_", "_lang"])
def test_what_frappe_itself_hands_over_is_no_argument(workers, own):
	value = "assistant_session.api.open_session" if own == "cmd" else "en"
	for ask in (
		lambda page: page.ask("POST", f"{PREFIX}open_session?{own}={value}", json={}),
		lambda page: page.ask("POST", f"{PREFIX}open_session", data={own: value}),
	):
		assert ask(Caller(workers.url, SITE)).status_code == 200


@pytest.mark.parametrize("name", ["", "x" * 61, "a b", "<b>", "é", "PEN/0005000168"])
def test_a_name_that_is_none_is_not_repeated(workers, name):
	answer = Caller(workers.url, SITE).call("open_session", **{name: 1})
	assert answer.status_code == 422
	assert answer.json()["error"]["message"].startswith("(a name of other signs): there is no such argument.")


@pytest.mark.parametrize("session_id", ["\ud800", "é", "", UNKNOWN, 5, None])
def test_an_argument_that_is_not_there_is_named_beside_whatever_id(guest, session_id):
	answer = send(guest, "get_history", {"session_id": session_id, "foreign": None}, {})
	refused(answer, 422, naming="foreign", readable=session_id != "\ud800")


def test_json_that_is_sent_as_a_form_is_not_passed_over(workers):
	sent = {"Content-Type": "application/x-www-form-urlencoded"}
	answer = Caller(workers.url, SITE).ask(
		"POST", f"{PREFIX}open_session", data='{"channel": "Clinic"}', headers=sent
	)
	assert answer.status_code == 422 and "Content-Type: application/json" in answer.json()["error"]["message"]


@pytest.fixture(scope="module")
def keys(bench):
	return {user: key_of(user) for user in (OWNER, SERVICE)}


@pytest.fixture(scope="module")
def page(workers, keys):
	return Caller(workers.url, SITE, key=keys[OWNER]).open()


@pytest.fixture
def guest(workers, site):
	return Caller(workers.url, SITE).open()


def send(caller: Caller, endpoint: str, arguments: dict, headers: dict | None = None):
	"""As raw JSON with escapes: what a hostile client writes, lone surrogates and NaN included."""
	headers = {"Content-Type": "application/json", **(headers or {})}
	return caller.ask("POST", PREFIX + endpoint, data=json.dumps(arguments), headers=headers)


def check(response) -> int:
	"""Our form, whatever it says; returns the status."""
	assert response.status_code < 500, response.text
	if response.status_code == 200:
		assert "message" in response.json()
		return 200
	error = response.json()["error"]
	assert error["type"].isidentifier() and len(error["message"]) > 10
	assert not REPR.search(error["message"]), error["message"]
	return response.status_code


TRIES = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), database=None)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_no_arguments_break_an_endpoint(endpoint, page, keys):
	name, turns = page.session_id, len(page.history())
	stranger = Caller(page.url, SITE)
	service = Caller(page.url, SITE, key=keys[SERVICE])

	@TRIES
	@given(calls(endpoint), st.booleans())
	def anything(arguments, as_service):
		check(send(service if as_service else stranger, endpoint, arguments))

	@TRIES
	@given(calls(endpoint, keep=("session_id", "message")))
	def anything_else_for_my_own_session(arguments):
		arguments = {**arguments, "session_id": name, "message": "", "text": ""}
		check(send(page if endpoint != "close_session" else stranger, endpoint, arguments))

	anything()
	anything_else_for_my_own_session()
	resumed = page.own("resume_session")
	assert resumed.status_code == 200 and resumed.json()["message"]["turns"] == turns


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_no_headers_break_an_endpoint(endpoint, page):
	latin = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=60)
	stranger = Caller(page.url, SITE)

	@settings(TRIES, max_examples=15)
	@given(latin, latin)
	def anything(token, device):
		headers = {TOKEN: token.strip().encode("latin-1"), "X-Device-ID": device.strip().encode("latin-1")}
		check(send(stranger, endpoint, {"session_id": page.session_id}, headers))

	anything()


@pytest.mark.parametrize("body", ["[]", "null", '"text"', "7", "[[[]]]", "{}"])
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_body_that_is_no_object_is_answered_by_frappe_or_by_us_but_changes_nothing(endpoint, body, page):
	stranger = Caller(page.url, SITE)
	before = page.own("resume_session").json()
	stranger.ask("POST", PREFIX + endpoint, data=body, headers={"Content-Type": "application/json"})
	assert page.own("resume_session").json()["message"]["turns"] == before["message"]["turns"]


def refused(response, status: int, *, naming: str, readable: bool = True) -> None:
	"""Frappe 16 does not read what is no JSON by the letter (`readable`), so that nobody can say which argument it was."""
	assert check(response) == status
	told = response.json()["error"]["message"]
	assert naming in told or (not readable and "not a JSON object that can be read" in told)


@pytest.mark.parametrize(
	("session_id", "status"),
	[
		(UNKNOWN, 404),
		("", 422),
		(None, 422),
		("not an id", 422),
		("id\x00", 422),
		("id\n", 422),
		("%", 422),
		("５", 422),
		("a" * 120, 404),
		("a" * 121, 422),
		(7, 422),
		(["=", "a"], 422),
		({"like": "%"}, 422),
		(True, 422),
	],
)
def test_a_session_id_is_unknown_or_malformed(guest, session_id, status):
	for endpoint in ("resume_session", "send_message", "get_history", "close_session"):
		message = {"message": "hello"} if endpoint == "send_message" else {}
		answer = send(guest, endpoint, {"session_id": session_id, **message}, {TOKEN: guest.token})
		refused(answer, status, naming="session" if status == 404 else "session_id")


@pytest.mark.parametrize("spelled", [str.upper, str.lower, str.swapcase])
def test_an_id_in_other_letters_is_another_id(guest, spelled):
	name = spelled(guest.session_id)
	if name != guest.session_id:
		assert check(guest.call("get_history", token=guest.token, session_id=name)) == 404


@pytest.mark.parametrize("token", [None, "", "wrong", "0" * 64, "é", "a" * 5000])
def test_a_missing_or_wrong_token_is_404(guest, token):
	headers = {TOKEN: token.encode("latin-1")} if token is not None else {}
	assert check(send(guest, "get_history", {"session_id": guest.session_id}, headers)) == 404
	assert check(guest.own("get_history")) == 200


@pytest.mark.parametrize("device", ["my-phone", "1", uuid4()[:-1], uuid4() + "0", "{" + uuid4() + "}", "%"])
def test_a_device_that_is_no_uuid_is_refused(guest, device, keys):
	refused(guest.call("open_session", headers={"X-Device-ID": device}), 422, naming="device_id")
	service = Caller(guest.url, SITE, key=keys[SERVICE])
	for endpoint in ("get_session_lock", "set_session_lock", "clear_session_lock"):
		arguments = {"agent_key": "scheduling"} if endpoint == "set_session_lock" else {}
		refused(service.call(endpoint, device_id=device, **arguments), 422, naming="device_id")


@pytest.mark.parametrize("ttl", [0, -1, 366 * 86400 + 1, 10**30, "soon", 1.5, True, [60], {"$gt": 0}])
def test_a_lock_of_impossible_length_is_refused(guest, keys, ttl):
	service = Caller(guest.url, SITE, key=keys[SERVICE])
	refused(service.call("set_session_lock", device_id=uuid4(), agent_key="a", ttl=ttl), 422, naming="ttl")


@pytest.mark.parametrize(
	"message", ["", " \n", None, 7, ["hello"], {"text": "hello"}, "x" * 16001, "a\x00b", "a\x1bb"]
)
def test_a_message_that_is_no_text_or_too_long_is_refused(guest, message):
	answer = send(
		guest, "send_message", {"session_id": guest.session_id, "message": message}, {TOKEN: guest.token}
	)
	refused(answer, 422, naming="message")
	assert guest.history() == []


def test_half_a_character_is_refused_and_a_whole_one_comes_back_as_it_was(guest):
	arguments = {"session_id": guest.session_id, "message": "\ud83d"}
	refused(
		send(guest, "send_message", arguments, {TOKEN: guest.token}), 422, naming="message", readable=False
	)
	for text in ("🙂", "‮שלום", "naïve\ttext\nwith lines", "{'session_id': 1}", "<script>alert(1)</script>"):
		assert guest.own("send_message", message=text).status_code == 200
		assert guest.history()[-2]["content"] == text


@pytest.mark.parametrize(
	"metadata", [{"a": "x" * 300_000}, [], "text", 7, {"a": float("nan")}, {"\ud800": 1}, {"deep": None}]
)
def test_metadata_that_is_no_small_flat_object_is_refused(guest, metadata):
	if isinstance(metadata, dict) and "deep" in metadata:
		for _level in range(25):
			metadata = {"deep": metadata}
	readable = metadata not in ({"\ud800": 1},) and "nan" not in str(metadata)
	arguments = {"session_id": guest.session_id, "message": "hello", "metadata": metadata}
	refused(
		send(guest, "send_message", arguments, {TOKEN: guest.token}),
		422,
		naming="metadata",
		readable=readable,
	)
	assert guest.history() == []


@pytest.mark.parametrize("name", ["limit", "before", "after"])
@pytest.mark.parametrize("value", [-1, -(2**63), 10**30, "many", 1.5, [1], True])
def test_a_page_of_impossible_size_is_refused(guest, name, value):
	refused(guest.own("get_history", **{name: value}), 422, naming=name)


@pytest.mark.parametrize("message_id", ["", "x" * 141, "a\nb", 7, ["a"]])
def test_a_message_id_that_is_no_short_text_is_refused(guest, message_id):
	refused(guest.own("send_message", message="hello", message_id=message_id), 422, naming="message_id")
	assert guest.history() == []


def test_null_is_the_same_as_not_given(guest):
	assert guest.own("get_history", limit=None, before=None).status_code == 200
	assert guest.own("close_session", reason=None).json()["message"]["status"] == "Closed"


LONG_OR_CONTROL = ["x" * 141, "a\nb", "a\x00b", "a\u2028b", "", " ", "\ud800", 7, ["a"], {"a": 1}]
NAMING = {
	"state": lambda sessions, name, label: sessions.transition(name, label),
	"intent": lambda sessions, name, label: sessions.lock_intent(name, label),
	"flow": lambda sessions, name, label: sessions.set_flow(name, label, "step"),
	"step": lambda sessions, name, label: sessions.set_flow(name, "flow", label),
	"agent": lambda sessions, name, label: sessions.lock_agent(name, label),
	"reason": lambda sessions, name, label: sessions.close(name, label),
}


@pytest.mark.parametrize("label", LONG_OR_CONTROL)
@pytest.mark.parametrize("kind", NAMING)
def test_names_that_are_long_or_hold_control_characters_are_refused(sessions, opened, kind, label):
	before = sessions.get(opened).version
	with pytest.raises(sessions.InvalidSessionData) as refusal:
		NAMING[kind](sessions, opened, label)
	assert kind in str(refusal.value) and not REPR.search(str(refusal.value))
	assert sessions.get(opened).version == before


@pytest.mark.parametrize("ttl", [0, -1, 366 * 86400 + 1, 10**30, True, "60", 1.5])
def test_a_session_or_lock_of_impossible_length_is_refused(sessions, opened, ttl):
	with pytest.raises(sessions.InvalidSessionData):
		sessions.open(ttl=ttl)
	with pytest.raises(sessions.InvalidSessionData):
		sessions.lock_agent(opened, "scheduling", ttl=ttl)
	with pytest.raises(sessions.InvalidSessionData):
		sessions.set_flow(opened, "order", "asking", ttl=ttl)
	assert sessions.active_agent(opened) is None


@pytest.mark.parametrize(
	"context", [["a"], "text", {"a": float("inf")}, {"a": object()}, {"a": "x" * 300_000}, {1: 2}]
)
def test_a_context_that_json_cannot_hold_or_that_is_too_large_is_refused(sessions, opened, context):
	with pytest.raises(sessions.InvalidSessionData) as refusal:
		sessions.update(opened, {"context": context})
	assert "context" in str(refusal.value) and sessions.get(opened).context == {}


def test_a_context_of_too_many_levels_is_refused(sessions, opened):
	deep: dict = {}
	for _level in range(2000):
		deep = {"deep": deep}
	with pytest.raises(sessions.InvalidSessionData):
		sessions.update(opened, {"context": deep})
	assert sessions.get(opened).context == {}


def test_a_writer_whose_agent_lock_went_to_another_is_refused(site, sessions, opened):
	mine = sessions.lock_agent(opened, "scheduling")
	theirs = sessions.lock_agent(opened, "billing", steal=True)
	for write in (
		lambda: sessions.transition(opened, "MINE", grant=mine),
		lambda: sessions.update(opened, {"context": {"mine": 1}}, grant=mine),
	):
		with pytest.raises(sessions.SessionConflict):
			write()
	assert sessions.release_agent(mine) is False and sessions.active_agent(opened) == "billing"
	assert sessions.transition(opened, "THEIRS", grant=theirs).current_state == "THEIRS"


@pytest.mark.parametrize("text", ["11", "-7", "007", "true", "null", "1e3", "{}"])
def test_a_message_that_looks_like_something_else_is_a_text(workers, text):
	page = Caller(workers.url, SITE).open()
	answer = page.own("send_message", message=text, message_id="11")
	assert answer.status_code == 200, answer.text
	assert page.history()[0]["content"] == text
