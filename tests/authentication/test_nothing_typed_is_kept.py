"""What a person types as a credential is nowhere afterwards: every table, every log, both Redis servers.

Also when database, verifier or chatbot fail in the middle.
"""

import pytest

from assistant_session.demo import directory
from dev.harness.caller import TOKEN, Caller
from tests import checks
from tests.callers import traces, uuid4
from tests.conftest import SITE
from tests.people import right


@pytest.fixture
def kept(stage, cache_server):
	"""Where any spelling of a member's numbers was left, but for the register itself."""

	def search(member) -> list[str]:
		number, national = member.number, member.national_number
		spellings = {number, number.lower(), number.replace("_", ""), number.replace("_", "-"), number[4:]}
		spellings |= {national, national.replace("/", ""), national.replace("/", "-")}
		return [place for place in traces(spellings, stage, cache_server) if place != directory.DOCTYPE]

	return search


@pytest.fixture
def page(workers, site):
	caller = Caller(workers.url, SITE).open(channel="Pension")
	assert caller.own("send_message", message=checks.QUESTION).status_code == 200
	return caller


def test_the_search_finds_what_is_there(kept, page, site, member, stage):
	page.own("send_message", message=f"nothing secret about {member.number[4:]}")
	assert "Conversation Turn" not in kept(member), "even that was masked, as it may be one"
	site.get_doc(
		{
			"doctype": "Comment",
			"comment_type": "Info",
			"reference_doctype": "User",
			"reference_name": "Administrator",
			"content": member.number,
		}
	).insert()
	site.db.commit()
	assert "Comment" in kept(member)
	site.cache().set_value("left behind", member.national_number)
	(stage.root / "logs" / "x.log").write_text(member.national_number)
	places = kept(member)
	assert any("left" in place for place in places) and any(place.endswith("x.log") for place in places)


def test_a_whole_verification_leaves_nothing(page, member, kept):
	for text in (
		member.number, f"my number is {member.national_number}", f"{member.number[:-1]} is it, I think",
		f"{member.number.lower()} {directory.national_number()}", right(member),
	):  # fmt: skip
		response = page.own("send_message", message=text, message_id=uuid4(), metadata={"typed": text})
		assert response.status_code == 200
		page.token = response.headers.get(TOKEN, page.token)
	page.own("send_message", message=f"is {member.number} still my number?")
	assert page.own("resume_session").json()["message"]["authenticated"]
	assert kept(member) == []


def test_submitting_leaves_nothing(page, member, kept):
	page.own("submit_credentials", text=member.national_number, message_id=f"id {member.number}")
	page.own("submit_credentials", text=f"{member.number} {directory.national_number()}")
	response = page.own("submit_credentials", text=right(member))
	assert response.json()["message"]["authenticated"]
	assert kept(member) == []


def test_typed_before_anybody_asked_it_leaves_nothing(workers, site, member, kept):
	caller = Caller(workers.url, SITE).open(channel="Pension")
	caller.own("send_message", message=f"I am {member.number}, what about my pension?")
	caller.own("send_message", message=f"and {member.national_number}")
	assert kept(member) == []


def test_refused_calls_leave_nothing(page, member, kept):
	for arguments in (
		{"text": [right(member)]}, {"text": {"a": member.number}}, {"text": right(member) * 1000},
		{"text": right(member), "message_id": 5}, {"text": right(member), "message_id": right(member) * 20},
		{"text": f"{right(member)}\x00"}, {"text": "cancel", member.number: member.national_number},
	):  # fmt: skip
		page.own("submit_credentials", **arguments)
	for arguments in (
		{"message": right(member), "metadata": member.number},
		{"message": None, "metadata": {"a": member.number}},
	):
		assert page.own("send_message", **arguments).status_code == 422
	stranger = Caller(page.url, page.site)
	stranger.session_id = page.session_id
	assert stranger.own("submit_credentials", text=right(member)).status_code == 404
	assert kept(member) == []


FAULTS = {
	"the verifier raises": ("assistant_session.demo.pension", "verify", "python_inquiry"),
	"the lookup raises": ("assistant_session.authentication.verifiers", "_profile", "pension_inquiry"),
	"the database fails when it is stored": (
		"assistant_session.sessions.tables.session_rows",
		"replace",
		"pension_inquiry",
	),
	"the turns fail": ("assistant_session.sessions.tables.turns", "append", "pension_inquiry"),
	"the events fail": ("assistant_session.sessions.tables.events", "store", "pension_inquiry"),
	"counting fails": ("assistant_session.authentication.lockout", "_store", "pension_inquiry"),
	"the dialogue fails": ("assistant_session.authentication.dialogue", "_grant", "pension_inquiry"),
	"the chatbot fails": ("assistant_session.demo.pension", "welcome", "pension_inquiry"),
	"the answer fails": ("assistant_session.web.views", "verification", "pension_inquiry"),
}


@pytest.fixture
def broken(workers, site, monkeypatch):
	"""An endpoint called in this process, as Frappe calls it, with one function that raises with all it was given."""
	import importlib

	from werkzeug.test import EnvironBuilder
	from werkzeug.wrappers import Request

	from assistant_session import api
	from assistant_session.web import access

	def call(fault: str, session: str, token: str, text: str):
		module, name, _intent = FAULTS[fault]

		def raises(*arguments, **more):
			raise ValueError(repr((arguments, more, text)))

		monkeypatch.setattr(importlib.import_module(module), name, raises)
		monkeypatch.setitem(site.local.conf, "assistant_session_responder", "assistant_session.demo.respond")
		headers = {access.TOKEN_HEADER: token}
		builder = EnvironBuilder("/api/method/x", method="POST", json={}, headers=headers)
		site.local.request = Request(builder.get_environ())
		site.set_user("Guest")
		response = api.submit_credentials(session_id=session, text=text, message_id="one")
		site.local.request = None
		site.set_user("Administrator")
		monkeypatch.undo()
		return response

	return call


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_middle_leaves_nothing_typed_anywhere(
	broken, page, member, kept, site, sessions, fault
):
	from assistant_session import authentication

	intent = FAULTS[fault][2]
	authentication.require(page.session_id, intent, "and my pension?")
	site.db.commit()
	response = broken(fault, page.session_id, page.token, right(member))
	text = response.get_data(as_text=True)
	assert member.number not in text and member.national_number not in text
	assert response.status_code == (200 if fault in ("the verifier raises", "the lookup raises") else 500)
	site.db.rollback()
	assert not sessions.get(page.session_id).authenticated
	assert kept(member) == []


def test_a_database_that_goes_away_in_the_middle_leaves_nothing(workers, site, member, kept, verifier):
	"""The connection is killed by the chatbot, after the verifier said yes."""
	from tests.verifier import KNOWN

	caller = Caller(workers.url, SITE).open()
	caller.own("send_message", message="require http_inquiry kill database")
	_unlock(site)
	text = f"{KNOWN['member_number']} {KNOWN['national_number']}"
	answer = caller.own("submit_credentials", text=text, message_id="one")
	assert answer.status_code == 503 and answer.headers["Retry-After"] == "5"
	assert not caller.own("resume_session").json()["message"]["authenticated"]
	again = caller.own("submit_credentials", text=text, message_id="one")
	assert again.status_code == 503 and len(verifier.asked) == 2


def _unlock(site) -> None:
	site.db.rollback()
	from tests.authentication.test_lockout import lockout_of
	from tests.verifier import KNOWN

	for bucket in lockout_of(KNOWN):
		site.db.delete("Verification Attempt", bucket)
	site.db.commit()


@pytest.mark.parametrize(
	"place", ["credential_reading.masking.plain", "lockout._in_own_transaction", "verifiers.ask"]
)
def test_an_exception_in_somebody_elses_endpoint_has_none_of_our_variables(
	site, sessions, opened, member, monkeypatch, place
):
	"""Frappe logs every frame's variables: what was typed is not among ours."""
	from assistant_session import authentication

	authentication.require(opened, "pension_inquiry")
	site.db.commit()

	def fails(*_arguments):
		raise sessions.SessionStoreUnavailable.of()

	monkeypatch.setattr(f"assistant_session.authentication.{place}", fails)
	with pytest.raises(sessions.SessionStoreUnavailable) as raised:
		authentication.submit(opened, right(member))
	trace, ours = raised.tb, []
	while trace is not None:
		if "assistant_session/" in trace.tb_frame.f_code.co_filename:
			ours.append(repr(trace.tb_frame.f_locals))
		trace = trace.tb_next
	assert ours and not any(member.number in text or member.national_number in text for text in ours)
	assert raised.value.__suppress_context__
