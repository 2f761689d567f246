"""Where the token may travel: a header, or a cookie that only our own page can use; and nowhere else."""

import json

import pytest

from dev.harness.caller import PREFIX, TOKEN
from tests.callers import traces
from tests.conftest import SITE
from tests.http.test_http_access import PERSONAL, caller, refused

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


@pytest.mark.parametrize(
	("method", "changed", "missing"),
	[
		("GET", {}, "the method POST, a JSON body"),
		("POST", {"Content-Type": "text/plain"}, "a JSON body"),
		("POST", {"Origin": None}, "the site's own Origin"),
		("POST", {"Origin": "http://evil.example"}, "the site's own Origin"),
		("POST", {"X-Assistant-Session": None}, "the header X-Assistant-Session"),
		(
			"POST", {"Origin": "null", "X-Assistant-Session": None},
			"the site's own Origin, the header X-Assistant-Session",
		),
	],
)  # fmt: skip
def test_a_refusal_says_which_of_the_four_things_is_missing(caller, method, changed, missing):
	page = caller()
	opened = page.call("open_session")
	name, headers = opened.json()["message"]["session_id"], {**COOKIE_CALL, **changed}
	if method == "GET":
		del headers["Content-Type"]
	body = json.dumps({"session_id": name}) if method == "POST" else None
	path = f"{PREFIX}resume_session?session_id={name}"
	answer = page.ask(method, path, headers=headers, cookies=opened.cookies.get_dict(), data=body)
	said = f"With the token in a cookie, this is needed: {missing}."
	assert refused(answer) == (403, {"type": "NotPermitted", "message": said})


PORT = f"http://{SITE}:8443"


@pytest.mark.parametrize(
	("headers", "status"),
	[
		({"Host": f"{SITE}:8443", "Origin": PORT}, 200),
		({"Host": f"{SITE}:80", "Origin": f"http://{SITE}"}, 200),
		({"Host": SITE, "Origin": PORT, "Sec-Fetch-Site": "same-origin"}, 200),
		({"Host": SITE, "Origin": PORT}, 403),
		({"Host": SITE, "Origin": PORT, "Sec-Fetch-Site": "same-site"}, 403),
		({"Host": SITE, "Origin": "http://evil.example:8443", "Sec-Fetch-Site": "same-origin"}, 403),
		({"Host": f"{SITE}:8000", "Origin": PORT, "Sec-Fetch-Site": "same-origin"}, 403),
		({"Host": f"{SITE}:8443", "Origin": f"http://{SITE}"}, 403),
		({"Host": SITE, "Origin": f"http://{SITE}:99999", "Sec-Fetch-Site": "same-origin"}, 403),
	],
)
def test_the_port_of_the_origin_is_the_sites_own(caller, headers, status):
	"""Behind a proxy that hands on `Host $host` the browser says whether it is."""
	page = caller()
	opened = page.call("open_session")
	name = opened.json()["message"]["session_id"]
	sent = {"headers": {**COOKIE_CALL, **headers}, "cookies": opened.cookies.get_dict()}
	answer = page.ask("POST", f"{PREFIX}resume_session", json={"session_id": name}, **sent)
	assert answer.status_code == status
	if status == 403 and headers["Origin"] == PORT and headers["Host"] == SITE:
		assert "whose port does not reach us (hand on Host $http_host" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
	("named", "origin", "own"),
	[
		("https://crm.example.com:8443", "https://crm.example.com:8443", True),
		("crm.example.com:8443", "https://crm.example.com:8443", True),
		("https://crm.example.com:8443", "https://crm.example.com:9443", False),
		("https://crm.example.com:8443", "https://evil.example.com:8443", False),
		("https://evil.example.com:8443", "https://evil.example.com:8443", False),
		("https://crm.example.com", "https://crm.example.com:8443", False),
		(None, "https://crm.example.com:8443", False),
		(None, "https://crm.example.com", True),
		(None, "https://user@crm.example.com", False),
	],
)
def test_the_port_may_also_be_named_in_the_sites_configuration(site, monkeypatch, named, origin, own):
	from werkzeug.test import EnvironBuilder
	from werkzeug.wrappers import Request

	from assistant_session.web import origins

	headers = {"Host": "crm.example.com", "Origin": origin, "X-Forwarded-Host": "evil.example.com:8443"}
	monkeypatch.setitem(site.local.conf, "host_name", named)
	monkeypatch.setattr(
		site.local, "request", Request(EnvironBuilder(headers=headers).get_environ()), raising=False
	)
	assert origins.is_own() is own


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
