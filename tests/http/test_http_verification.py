"""Verifying over HTTP: the gate in send_message, submit_credentials, logout; tokens, replays, theft, forgery."""

import pytest

from assistant_session.demo import directory
from dev.harness.caller import TOKEN, Caller
from tests import checks
from tests.callers import OWNER, STAFF_ADMINISTRATOR, VISITOR, key_of, uuid4
from tests.conftest import SITE
from tests.people import right, wrong
from tests.sealed import every_seal_fits

__all__ = ["every_seal_fits"]

PENSION = {"channel": "Pension"}


@pytest.fixture
def guest(workers, site):
	"""Makes guests who were asked who they are."""

	def make(**more) -> Caller:
		caller = Caller(workers.url, SITE, **more).open(**PENSION)
		said = caller.own("send_message", message=checks.QUESTION).json()["message"]
		assert checks.MEMBER_NUMBER in said["replies"][0]["content"] and said["pending_question"]
		return caller

	return make


def submit(caller: Caller, text: str, **more):
	return caller.own("submit_credentials", text=text, **more)


def told(response) -> dict:
	assert response.status_code == 200, response.text
	return response.json()["message"]


def verify(caller: Caller, member, **more):
	"""Verify and take the new token, as a page does."""
	response = submit(caller, right(member), **more)
	assert told(response)["authenticated"], response.text
	caller.token = response.headers.get(TOKEN, caller.token)
	return response


def test_a_message_with_credentials_verifies_and_answers_the_question(guest, member):
	page = guest()
	response = page.own("send_message", message=right(member))
	body = told(response)
	assert body["authenticated"] and body["pending_question"] is None
	assert body["verification"] == {
		"outcome": "verified",
		"missing": [],
		"returning": False,
		"locked_until": None,
	}
	assert [reply["content"] for reply in body["replies"]] == [
		"Welcome, Hari! You are new here.", "Your fund Sunrise stands at 84250.5 euros.",
	]  # fmt: skip


def test_submitting_does_the_same(guest, member):
	body = told(submit(guest(), right(member)))
	assert body["verification"]["outcome"] == "verified" and "Sunrise" in body["replies"][1]["content"]


def test_an_incomplete_one_says_what_is_missing(guest, member):
	body = told(submit(guest(), member.number))
	assert body["verification"]["outcome"] == "missing"
	assert body["verification"]["missing"] == [checks.NATIONAL_NUMBER] and not body["authenticated"]


def test_what_was_typed_is_masked_in_the_history_and_in_the_answer(guest, member):
	page = guest()
	submit(page, member.number)
	response = verify(page, member)
	history = page.history()
	assert [turn["content"] for turn in history if turn["role"] == "user"] == [checks.QUESTION, "•••", "•••"]
	for text in (response.text, page.own("get_history").text, page.own("resume_session").text):
		assert member.number not in text and member.national_number not in text


def test_the_profile_is_not_told_to_the_page(guest, member):
	page = guest()
	response = verify(page, member)
	for body in (told(response), told(page.own("resume_session"))):
		assert "user_profile" not in body and "identity_hash" not in str(body)


def test_unknown_people_and_wrong_references_get_the_same_answer(guest, member):
	answers = []
	for number in (member.number, f"PEN_9{directory.national_number().replace('/', '')}"):
		page = guest()
		response = submit(page, f"{number} {directory.national_number()}")
		body = told(response)
		varying = {"session_id", "expires_at", "origin"}
		replies = [reply["content"] for reply in body["replies"]]
		answers.append(
			(
				{key: body[key] for key in body if key not in {*varying, "replies"}},
				replies,
				sorted(response.headers),
			)
		)
	assert answers[0] == answers[1]
	assert answers[0][0]["verification"]["outcome"] == "not_matched"


def test_an_ambiguous_answer_looks_like_a_wrong_one(guest, member, site):
	twin = site.copy_doc(site.get_doc(directory.DOCTYPE, {"member_number": member.number}))
	twin.insert()
	site.db.commit()
	page = guest()
	assert told(submit(page, right(member)))["verification"]["outcome"] == "not_matched"
	site.db.rollback()
	details = site.get_all(
		"Session Event", {"session": page.session_id, "event": "authentication_failed"}, pluck="details"
	)
	assert '"ambiguous"' in details[0], "the audit trail keeps them apart"


def test_the_fourth_wrong_one_is_429_with_the_time_to_wait_and_is_still_stored(guest, member, site):
	page = guest()
	for _attempt in range(3):
		assert (
			told(submit(page, wrong(directory.new_member("Maya"))))["verification"]["outcome"]
			== "not_matched"
		)
	response = submit(page, right(member))
	assert response.status_code == 429 and response.json()["error"]["type"] == "VerificationLocked"
	assert 800 < int(response.headers["Retry-After"]) <= 900
	assert "too many attempts" in page.history()[-1]["content"]
	said = told(page.own("send_message", message=right(member)))
	assert said["verification"]["outcome"] == "locked" and not said["authenticated"]


def test_verifying_replaces_the_token_in_header_and_cookie(guest, member):
	page = guest()
	old = page.token
	response = submit(page, right(member))
	new = response.headers[TOKEN]
	assert new != old and len(new) >= 43
	cookies = response.headers["Set-Cookie"]
	assert new in cookies and "HttpOnly" in cookies and "SameSite=Strict" in cookies
	assert old not in response.text and new not in response.text


def test_a_stolen_token_is_worth_nothing_after_the_rotation(guest, member):
	"""Session fixation: whoever opened the session, or read its token before, has nothing afterwards."""
	page = guest()
	thief = Caller(page.url, page.site)
	thief.session_id, thief.token = page.session_id, page.token
	assert thief.own("resume_session").status_code == 200
	verify(page, member)
	unknown = Caller(page.url, page.site)
	unknown.session_id, unknown.token = "unknown-0123456789abcdef", page.token
	for endpoint, more in EVERY_ENDPOINT.items():
		refused, made_up = thief.own(endpoint, **more), unknown.own(endpoint, **more)
		assert refused.status_code == 404 and refused.text == made_up.text, endpoint
	assert told(page.own("resume_session"))["authenticated"]


EVERY_ENDPOINT = {
	"resume_session": {}, "get_history": {}, "logout": {}, "close_session": {},
	"send_message": {"message": "hello"}, "submit_credentials": {"text": "hello"},
}  # fmt: skip


def test_a_lost_answer_can_be_asked_for_once_more_with_the_old_token(guest, member, site):
	page, message_id = guest(), uuid4()
	old = page.token
	lost = submit(page, right(member), message_id=message_id)
	again = submit(page, right(member), message_id=message_id)
	assert told(again)["repeated"] and told(again)["replies"] == told(lost)["replies"]
	new = again.headers[TOKEN]
	assert new not in (old, lost.headers[TOKEN]) and new in again.headers["Set-Cookie"]
	page.token = new
	assert told(page.own("resume_session"))["authenticated"]
	page.token = lost.headers[TOKEN]
	assert page.own("resume_session").status_code == 404, "the answer that was lost is void"
	page.token = old
	assert submit(page, right(member), message_id=message_id).status_code == 404, "only once"


@pytest.mark.parametrize("endpoint", sorted(EVERY_ENDPOINT))
def test_the_old_token_is_good_for_nothing_else(guest, member, endpoint):
	page, message_id = guest(), uuid4()
	submit(page, right(member), message_id=message_id)
	assert page.own(endpoint, **EVERY_ENDPOINT[endpoint]).status_code == 404
	text = {"send_message": "message", "submit_credentials": "text"}.get(endpoint)
	if text:
		for said, used in (
			(right(member), uuid4()),
			(right(member), None),
			(wrong(member), message_id),
		):
			assert page.own(endpoint, **{text: said}, message_id=used).status_code == 404
	assert submit(page, right(member), message_id=message_id).status_code == 200


@pytest.mark.parametrize("text", ["another", "", "x" * 20_000])
def test_after_two_other_texts_the_old_token_is_good_for_nothing_at_all(guest, member, text):
	"""Each would be a guess at what was typed, which nothing else counts."""
	page, message_id = guest(), uuid4()
	submit(page, right(member), message_id=message_id)
	for _guess in range(2):
		assert submit(page, text, message_id=message_id).status_code == 404
	assert submit(page, right(member), message_id=message_id).status_code == 404


@pytest.mark.parametrize("endpoint", ["resume_session", "get_history", "send_message"])
def test_when_the_new_token_is_used_the_old_one_ends(guest, member, endpoint):
	page, message_id = guest(), uuid4()
	answer = submit(page, right(member), message_id=message_id)
	given = {"message": "hello"} if endpoint == "send_message" else {}
	used = page.call(endpoint, token=answer.headers[TOKEN], session_id=page.session_id, **given)
	assert used.status_code == 200
	assert submit(page, right(member), message_id=message_id).status_code == 404


@pytest.mark.by_sql
def test_the_old_token_is_good_for_a_minute(guest, member, site, sessions):
	page, message_id = guest(), uuid4()
	submit(page, right(member), message_id=message_id)
	_age(site, sessions, page.session_id)
	assert submit(page, right(member), message_id=message_id).status_code == 404


def _age(site, sessions, name: str) -> None:
	"""A minute goes by for the replaced token."""
	from assistant_session.sessions.coherence import register as redis_register

	site.db.rollback()
	table = site.qb.DocType("Conversation Session")
	until = site.db.get_value("Conversation Session", name, "old_token_until")
	past = site.utils.add_to_date(until, seconds=-61)
	site.qb.update(table).set(table.old_token_until, past).where(table.name == name).run()
	site.db.commit()
	redis_register.forget([name])


def test_without_a_message_id_the_old_token_is_void_at_once(guest, member):
	page = guest()
	submit(page, right(member))
	assert submit(page, right(member)).status_code == 404


def test_two_who_ask_for_the_lost_answer_at_once_do_not_both_get_a_token(guest, member):
	from concurrent.futures import ThreadPoolExecutor

	page, message_id = guest(), uuid4()
	submit(page, right(member), message_id=message_id)
	with ThreadPoolExecutor(4) as pool:
		responses = list(pool.map(lambda _n: submit(page, right(member), message_id=message_id), range(4)))
	assert sorted(response.status_code for response in responses) == [200, 404, 404, 404]


def test_a_replayed_message_with_the_new_token_is_not_judged_again(guest, member, site, verifier):
	page, message_id = guest(), uuid4()
	wrong_one = wrong(member)
	first = told(submit(page, wrong_one, message_id=message_id))
	for _replay in range(5):
		again = told(submit(page, wrong_one, message_id=message_id))
		assert again["repeated"] and again["replies"] == first["replies"]
	assert checks.events(page.session_id).count("authentication_failed") == 1


def test_closing_ends_what_the_old_token_was_good_for(guest, member):
	page, message_id = guest(), uuid4()
	old = page.token
	verify(page, member, message_id=message_id)
	assert page.own("close_session").status_code == 200
	page.token = old
	assert submit(page, right(member), message_id=message_id).status_code == 404


def test_logout_ends_the_authentication_and_the_conversation_goes_on(guest, member):
	page = guest()
	verify(page, member)
	assert told(page.own("logout"))["authenticated"] is False
	for _worker in range(4):
		assert told(page.own("resume_session"))["authenticated"] is False
	said = told(page.own("send_message", message="and when is my next payment?"))
	assert checks.MEMBER_NUMBER in said["replies"][0]["content"]
	assert told(page.own("logout"))["authenticated"] is False, "twice is no error"


@pytest.mark.parametrize("user", [None, VISITOR, STAFF_ADMINISTRATOR])
@pytest.mark.parametrize("endpoint", ["submit_credentials", "logout", "send_message"])
def test_another_user_and_staff_get_nothing(guest, member, endpoint, user):
	page = guest()
	other = Caller(page.url, page.site, key=key_of(user) if user else None)
	other.session_id = page.session_id
	assert other.own(endpoint, **EVERY_ENDPOINT[endpoint]).status_code == 404


def test_the_logged_in_owner_verifies_without_a_token(workers, site, member):
	page = Caller(workers.url, SITE, key=key_of(OWNER)).open(**PENSION)
	page.token = None
	told(page.own("send_message", message=checks.QUESTION))
	assert told(submit(page, right(member)))["authenticated"]


def test_a_token_of_another_session_verifies_nothing(guest, member):
	page, other = guest(), guest()
	page.token = other.token
	assert submit(page, right(member)).status_code == 404


FORGED = {
	"X-Forwarded-For": "198.51.100.7", "X-Real-IP": "198.51.100.7", "Forwarded": "for=198.51.100.7",
	"X-Device-ID": uuid4(), "X-Authenticated": "1", "X-Remote-User": "Administrator", "Cookie": "sid=Administrator; assistant_session_known_x=1",
}  # fmt: skip


def test_forged_headers_open_nothing_and_move_nobody_to_another_network(guest, member, site, workers):
	from assistant_session.authentication.lockout import NETWORK, Bucket

	page = guest()
	response = page.own("submit_credentials", text=wrong(member), headers=FORGED)
	assert told(response)["authenticated"] is False
	site.db.rollback()
	assert not site.db.exists("Verification Attempt", Bucket.of(NETWORK, "198.51.100.7").name)
	for _attempt in range(2):
		told(page.own("submit_credentials", text=wrong(member), headers=FORGED))
	assert page.own("submit_credentials", text=right(member), headers=FORGED).status_code == 429
	stranger = Caller(page.url, page.site)
	stranger.session_id = page.session_id
	assert stranger.own("resume_session", headers=FORGED).status_code == 404


def test_a_browser_that_was_verified_gets_in_while_strangers_are_locked(guest, member):
	page = guest()
	response = verify(page, member)
	known = {name: value for name, value in response.cookies.items() if "known" in name}
	assert len(known) == 1 and "Max-Age=15552000" in response.headers["Set-Cookie"]
	while submit(guest(), wrong(member)).status_code != 429:
		pass
	assert submit(guest(), right(member)).status_code == 429
	cookie = "; ".join(f"{name}={value}" for name, value in known.items())
	again = guest()
	assert told(again.own("submit_credentials", text=right(member), headers={"Cookie": cookie}))[
		"authenticated"
	]
	forged = cookie[:-1] + ("0" if cookie[-1] != "0" else "1")
	assert (
		guest().own("submit_credentials", text=right(member), headers={"Cookie": forged}).status_code == 429
	)


def test_credentials_for_one_site_open_nothing_on_another(guest, member, workers):
	from tests.conftest import OTHER_SITE

	page = guest()
	verify(page, member)
	elsewhere = Caller(workers.url, OTHER_SITE)
	elsewhere.session_id, elsewhere.token = page.session_id, page.token
	for endpoint, more in EVERY_ENDPOINT.items():
		assert elsewhere.own(endpoint, **more).status_code == 404


def test_a_verified_turn_costs_no_more_statements_than_one_nobody_has_to_prove_anything_for(
	guest, member, site, sessions
):
	from assistant_session import authentication

	page = guest()
	verify(page, member)
	plain = sessions.open().id
	site.db.commit()

	def statements(name: str, intent: str | None) -> int:
		counts = []
		for _turn in range(2):  # the second one has everything at hand
			asked, sql = [], site.db.sql
			site.db.sql = lambda *more, sql=sql, asked=asked, **named: asked.append(more) or sql(
				*more, **named
			)
			try:
				with sessions.turn(name, "and now?") as turn:
					if intent:
						assert authentication.gate(turn)
						assert authentication.require(turn.session, intent, turn.message).open
					turn.reply("well")
				site.db.commit()
			finally:
				del site.db.sql
			counts.append(len(asked))
		return counts[-1]

	assert statements(page.session_id, "pension_inquiry") == statements(plain, None)


def test_an_administrator_without_the_profile_permission_sees_no_profile(guest, member, workers):
	page = guest()
	verify(page, member)
	admin = Caller(workers.url, SITE, key=key_of(STAFF_ADMINISTRATOR))
	document = admin.ask("GET", f"/api/resource/Conversation Session/{page.session_id}")
	assert document.status_code == 200 and document.json()["data"]["authenticated"] == 1
	for column in ("user_profile", "identity_hash", "pending_message", "token_hash", "old_token_hash"):
		assert column not in document.json()["data"]
	data = document.json()["data"]
	said = data.pop("preview")
	assert said in [
		turn["content"][: len(said)] for turn in page.history()
	], "what was said may be read anyway"
	assert "Hari" not in str(data) and "Sunrise" not in str(data)
	listing = admin.ask(
		"GET", "/api/resource/Conversation Session", params={"fields": '["name","user_profile"]'}
	)
	assert "user_profile" not in listing.text


def test_the_next_person_in_a_session_does_not_see_what_the_one_before_was_told(guest, member):
	page = guest()
	verify(page, member)
	assert page.own("logout").status_code == 200
	told(page.own("send_message", message=checks.QUESTION))
	verify(page, directory.new_member("Maya"))
	for body in (told(page.own("resume_session")), told(page.own("get_history"))):
		assert (
			"Hari" not in str(body["history"])
			and "Maya" in str(body["history"])
			and body["has_more"] is False
		)
	assert told(page.own("get_history", before=5))["history"] == []


@pytest.mark.parametrize("endpoint", ["unlock_verification", "try_identity_check"])
@pytest.mark.parametrize("user", [None, VISITOR, OWNER])
def test_staff_endpoints_are_for_administrators(workers, site, endpoint, user):
	caller = Caller(workers.url, SITE, key=key_of(user) if user else None)
	given = (
		{"session_id": "x"} if endpoint == "unlock_verification" else {"check": directory.CHECK, "text": "x"}
	)
	answer = caller.call(endpoint, **given)
	assert answer.status_code == 403 and answer.json()["error"]["type"] == "NotPermitted"


def test_an_administrator_unlocks_and_it_is_written_down(guest, member, workers, site):
	while submit(guest(), wrong(member)).status_code != 429:
		pass
	page = guest()
	assert submit(page, right(member)).status_code == 429
	admin = Caller(workers.url, SITE, key=key_of(STAFF_ADMINISTRATOR))
	answer = admin.call("unlock_verification", session_id=page.session_id)
	assert answer.status_code == 200 and answer.json()["message"]["until"]
	assert told(submit(page, right(member)))["authenticated"]
	site.db.rollback()
	event = site.get_all(
		"Session Event", {"session": page.session_id, "event": "verification_unlocked"}, pluck="actor"
	)
	assert event == [STAFF_ADMINISTRATOR]
	assert admin.call("unlock_verification", session_id="never-heard-of").status_code == 404
