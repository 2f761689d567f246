"""One person's data over HTTP and through Frappe's own requests: who may, what they get, what is written down."""

import json
import os
import secrets

import pytest

from assistant_session.demo import directory
from dev.harness.users import new_user
from tests.callers import AGENT, AUDITOR, OWNER, SERVICE, STAFF_ADMINISTRATOR, VISITOR
from tests.http.test_staff_endpoints import call
from tests.privacy.test_export import verified

__all__ = ["call", "verified"]

ENDPOINTS = ("export_person", "erase_person")


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("user", [None, VISITOR, OWNER, SERVICE, AGENT, AUDITOR])
def test_it_is_for_administrators(call, opened, sessions, site, endpoint, user):
	for name in (opened, "never-heard-of"):
		answer = call(user, endpoint, person={"session": name})
		assert answer.status_code == 403
	site.db.rollback()
	assert sessions.get(opened).status == "Active"


def test_everything_is_exported_and_that_is_written_down(call, verified, member, site):
	said = call(
		STAFF_ADMINISTRATOR, "export_person", person={"identity": [directory.CHECK, member.number]}
	).json()
	(found,) = said["message"]["sessions"]
	assert found["session"]["name"] == verified and found["profile"]["name"] == "Hari"
	assert len(found["turns"]) == 4
	site.db.rollback()
	event = site.get_all(
		"Session Event", {"session": verified}, ["event", "actor"], order_by="sequence desc"
	)[0]
	assert (event.event, event.actor) == ("exported", STAFF_ADMINISTRATOR)


def test_an_export_tells_nobody_of_a_legal_hold_nor_who_of_the_staff_did_what(call, opened):
	call(STAFF_ADMINISTRATOR, "set_legal_hold", session_id=opened, reason="suspected fraud")
	call(STAFF_ADMINISTRATOR, "unlock_verification", session_id=opened)
	answer = call(STAFF_ADMINISTRATOR, "export_person", person={"session": opened})
	events = answer.json()["message"]["sessions"][0]["events"]
	assert "fraud" not in answer.text and "hold" not in answer.text
	assert "held" not in [event["event"] for event in events]
	assert STAFF_ADMINISTRATOR not in answer.text and "staff" in [event["actor"] for event in events]


def test_erasing_answers_with_a_signed_receipt(call, verified, member, site, sessions):
	from assistant_session.privacy import erasing

	person = {"identity": [directory.CHECK, member.number]}
	receipt = call(STAFF_ADMINISTRATOR, "erase_person", person=person).json()["message"]
	assert erasing.is_genuine(receipt) and receipt["by"] == STAFF_ADMINISTRATOR
	assert [one["session"] for one in receipt["sessions"]] == [verified]
	assert call(STAFF_ADMINISTRATOR, "export_person", person=person).json()["message"]["sessions"] == []
	site.db.rollback()
	assert sessions.history(verified) == []


def test_a_person_nobody_knows_has_nothing(call):
	person = {"user": "nobody@example.com"}
	assert call(STAFF_ADMINISTRATOR, "export_person", person=person).json()["message"] == {"sessions": []}
	receipt = call(STAFF_ADMINISTRATOR, "erase_person", person=person).json()["message"]
	assert receipt["sessions"] == [] and receipt["digest"]


WRONG = [
	None, {}, {"user": None}, {"user": ""}, {"user": ["a@b.c"]}, {"user": {"name": ["like", "%"]}}, {"user": 5},
	{"user": "a@b.c", "session": "x"}, {"everybody": "x"}, {"party": "Customer"}, {"party": ["Customer"]},
	{"party": ["Customer", ["like", "%"]]}, {"party": [None, None]}, {"address": ["Web", ""]}, {"device": "phone"},
	{"session": "no such id"}, {"session": "x" * 200}, {"identity": ["No such check", "x"]},
	{"identity": [["like", "%"], "x"]}, {"identity": [directory.CHECK, None]}, {"identity": [directory.CHECK, ""]},
	{"identity": [directory.CHECK, {"a": 1}]}, {"columns": ["name"]}, {"of": "x"}, {"user": "x" * 10_000},
]  # fmt: skip


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("person", WRONG, ids=lambda person: json.dumps(person)[:40])
def test_who_is_not_named_in_exactly_one_way_is_nobody(call, endpoint, person):
	answer = call(STAFF_ADMINISTRATOR, endpoint, person=person)
	assert answer.status_code == 422 and answer.json()["error"]["message"]


def test_a_person_that_is_no_object_is_refused(call):
	for person in ("everybody", 5, ["user", "x"], True):
		assert call(STAFF_ADMINISTRATOR, "erase_person", person=person).status_code == 422


def test_one_too_large_for_an_answer_is_refused_and_the_way_out_is_named(
	call, opened, sessions, site, monkeypatch
):
	from assistant_session.sessions.errors import InvalidSessionData
	from assistant_session.web import privacy

	sessions.add_turn(opened, "user", "hello")
	site.db.commit()
	monkeypatch.setattr(privacy, "MOST_TURNS", 0)
	with pytest.raises(InvalidSessionData, match="assistant-session export"):
		privacy.exported(privacy.named({"session": opened}))


@pytest.mark.parametrize("way", ["user", "device", "session", "party", "address", "identity"])
def test_nobody_is_found_by_a_part_or_a_pattern(call, opened, way):
	"""What SQL or Frappe's filters would read as a pattern is a plain text here."""
	for text in ("%", "_", f"{opened[:-1]}_", "*"):
		value = [text, text] if way in ("party", "address", "identity") else text
		answer = call(STAFF_ADMINISTRATOR, "export_person", person={way: value})
		assert answer.status_code == 422 or answer.json()["message"]["sessions"] == []


@pytest.fixture
def website_user(site):
	user = new_user(f"maya-{secrets.token_hex(4)}@example.com")
	site.db.commit()
	return user.name


@pytest.fixture
def mailed(site, monkeypatch):
	"""Mails that would be sent: another service's business."""
	sent = []
	monkeypatch.setattr(site, "sendmail", lambda **mail: sent.append(mail))
	return sent


@pytest.fixture
def theirs(sessions, site, website_user):
	name = sessions.open(user=website_user).id
	with sessions.turn(name, "my cat is called Momo") as turn:
		turn.reply("noted")
	site.db.commit()
	return name


def test_frappes_download_request_hands_out_the_conversations(website_user, theirs, site, mailed):
	from assistant_session.privacy import requests

	request = site.get_doc({"doctype": requests.DOWNLOAD, "user": website_user, "user_name": "Maya"})
	request.insert(ignore_permissions=True)
	site.db.commit()
	(job,) = _queued(site, "assistant_session.privacy.requests.hand_out", request.name)
	assert job == {"request": request.name, "user": website_user, "asker": "Administrator"}
	requests.hand_out(**job)
	site.db.commit()
	(name,) = site.get_all(
		"File", {"file_name": ("like", f"{requests.HANDED_OUT}{request.name}%")}, pluck="name"
	)
	file = site.get_doc("File", name)
	(found,) = json.loads(file.get_content())
	assert found["session"]["name"] == theirs and found["turns"][0]["content"] == "my cat is called Momo"
	assert file.is_private and mailed[0]["recipients"] == website_user
	assert file.file_url.split("/")[-1] in mailed[0]["message"]


def test_who_has_no_conversations_gets_no_file(website_user, site, mailed):
	from assistant_session.privacy import requests

	request = site.get_doc({"doctype": requests.DOWNLOAD, "user": website_user, "user_name": "Maya"})
	request.insert(ignore_permissions=True)
	requests.hand_out(request.name, website_user, "Administrator")
	assert mailed == [] and not site.db.count(
		"File", {"file_name": ("like", f"{requests.HANDED_OUT}{request.name}%")}
	)
	site.db.rollback()


def _queued(site, method: str, argument: str) -> list[dict]:
	"""What queued jobs for this method and argument would be called with; removed, as nobody works here."""
	from frappe.utils.background_jobs import get_queues

	jobs = [job for queue in get_queues() for job in queue.jobs if method in str(job.kwargs)]
	found = [job for job in jobs if argument in str(job.kwargs)]
	for job in found:
		job.delete()
	return [job.kwargs["kwargs"] for job in found]


def test_erasing_takes_what_a_download_request_handed_out(website_user, theirs, site, mailed):
	from assistant_session.privacy import erasing, requests
	from assistant_session.privacy.person import Person

	request = site.get_doc({"doctype": requests.DOWNLOAD, "user": website_user, "user_name": "Maya"})
	request.insert(ignore_permissions=True)
	requests.hand_out(request.name, website_user, "Administrator")
	site.db.commit()
	named = {"file_name": ("like", f"{requests.HANDED_OUT}{request.name}%")}
	path = site.get_doc("File", named).get_full_path()
	receipt = erasing.erase(Person.by_user(website_user))
	site.db.commit()
	assert receipt.elsewhere["File"] == 1 and not os.path.exists(path) and not receipt.left
	_queued(site, "assistant_session.privacy.requests.hand_out", request.name)


def test_frappes_deletion_request_erases_the_conversations(website_user, theirs, site, mailed, sessions):
	from assistant_session.privacy import erasing, requests

	held = sessions.open(user=website_user).id
	sessions.set_legal_hold(held, "case")
	site.db.commit()
	request = site.get_doc({"doctype": "Personal Data Deletion Request", "email": website_user})
	request.insert(ignore_permissions=True)
	request.db_set("status", "Pending Approval")
	site.db.commit()
	assert len(sessions.history(theirs)) == 2, "not before it is carried out"
	request._anonymize_data()
	site.db.commit()
	assert (
		sessions.history(theirs) == [] and site.db.get_value("Conversation Session", theirs, "user") is None
	)
	(kwargs,) = _queued(site, "assistant_session.privacy.requests.file_receipt", request.name)
	requests.file_receipt(**kwargs)
	about = {"reference_doctype": request.doctype, "reference_name": request.name, "comment_type": "Info"}
	(comment,) = site.get_all("Comment", about, pluck="content")
	assert "1 conversations were erased, 1 are under legal hold" in comment
	file = site.get_doc("File", {"attached_to_name": request.name, "file_name": ("like", "Receipt-%")})
	assert erasing.is_genuine(json.loads(file.get_content())) and file.is_private
	assert sessions.get(held).user == request.name, "what is held stays, under the name Frappe gave the user"


def test_a_deletion_that_fails_erases_nothing(website_user, theirs, site, mailed, sessions):
	request = site.get_doc({"doctype": "Personal Data Deletion Request", "email": website_user})
	request.insert(ignore_permissions=True)
	site.db.commit()
	request._anonymize_data()
	site.db.rollback()
	assert len(sessions.history(theirs)) == 2 and sessions.get(theirs).user == website_user
