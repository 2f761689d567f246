"""Where the token may travel: a header, or a cookie that only our own page can use; and nowhere else."""

import json

import pytest

from tests.callers import PREFIX, TOKEN, traces
from tests.conftest import SITE
from tests.test_http_access import PERSONAL, caller, refused

__all__ = ["caller"]


def test_the_token_is_in_no_body_url_log_event_or_turn(caller, stage, cache_server):
	page = caller()
	opened = page.call("open_session")
	token, body = opened.headers[TOKEN], opened.json()["message"]
	page.session_id, page.token = body["session_id"], token
	texts = [opened.text, opened.url]
	for endpoint, arguments in PERSONAL.items():
		answer = page.own(endpoint, **arguments)
		assert TOKEN not in answer.headers
		texts += [answer.text, answer.url]
	assert not [text for text in texts if token in text]
	assert traces(token, stage, cache_server) == []


COOKIE_CALL = {
	"Content-Type": "application/json",
	"Origin": f"http://{SITE}",
	"X-Assistant-Session": "1",
}


@pytest.mark.parametrize(
	("method", "changed"),
	[
		("GET", {}),
		("POST", {"Content-Type": "text/plain"}),
		("POST", {"Content-Type": "application/x-www-form-urlencoded"}),
		("POST", {"Origin": None}),
		("POST", {"Origin": "null"}),
		("POST", {"Origin": "http://evil.example"}),
		("POST", {"Origin": f"http://{SITE}.evil.example"}),
		("POST", {"Origin": f"http://{SITE}@evil.example"}),
		("POST", {"X-Assistant-Session": None}),
	],
)
def test_a_cookie_counts_only_in_a_call_that_our_own_page_makes(caller, method, changed):
	page = caller()
	opened = page.call("open_session")
	name = opened.json()["message"]["session_id"]
	cookies = opened.cookies.get_dict()
	path = f"{PREFIX}resume_session?session_id={name}"

	def ask(method: str, headers: dict):
		body = json.dumps({"session_id": name}) if method == "POST" else None
		return page.ask(method, path, headers=headers, cookies=cookies, data=body)

	assert ask("POST", COOKIE_CALL).status_code == 200
	assert refused(ask(method, {**COOKIE_CALL, **changed}))[0] == 403


def test_the_cookie_is_http_only_and_strict_and_host_bound_on_https(caller):
	plain = _cookie(caller().call("open_session"))
	assert "; HttpOnly" in plain and "; SameSite=Strict" in plain and plain.startswith("assistant_session_")
	https = _cookie(caller().call("open_session", headers={"X-Forwarded-Proto": "https"}))
	assert https.startswith("__Host-assistant_session_") and "; Secure" in https and "; Path=/" in https
	assert "; HttpOnly" in https and "; SameSite=Strict" in https and "Domain" not in https


def _cookie(response) -> str:
	(cookie,) = [one for one in response.raw.headers.getlist("Set-Cookie") if "assistant_session_" in one]
	return cookie


@pytest.mark.parametrize("endpoint", ["resume_session", "get_history"])
def test_reading_works_with_get_and_a_token(caller, endpoint):
	page = caller().open()
	path = f"{PREFIX}{endpoint}?session_id={page.session_id}"
	answer = page.ask("GET", path, headers={TOKEN: page.token})
	assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("endpoint", ["open_session", "send_message", "close_session", "set_session_lock"])
def test_writing_does_not_work_with_get(caller, endpoint):
	page = caller().open()
	path = f"{PREFIX}{endpoint}?session_id={page.session_id}&message=hello"
	assert page.ask("GET", path, headers={TOKEN: page.token}).status_code == 403
	assert page.history() == []
