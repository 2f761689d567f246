"""Identity Checks and protected intents in Desk: what may be saved, by whom, and the button that tries one."""

import copy
import json
from types import SimpleNamespace

import pytest

from assistant_session.demo import directory
from dev.harness.caller import Caller
from tests import checks
from tests.callers import AGENT, AUDITOR, STAFF_ADMINISTRATOR, SUPERUSER, VISITOR, key_of
from tests.conftest import SITE
from tests.people import right, wrong


def values(**changed) -> dict:
	return {**copy.deepcopy(checks.values("A new check")), **changed}


def credentials(**changed) -> list[dict]:
	rows = copy.deepcopy(checks.CREDENTIALS)
	rows[0].update(changed)
	return rows


def fields(*replaced: dict) -> list[dict]:
	return [*copy.deepcopy(checks.COMPARED), *replaced]


def profile_of(field: str) -> dict:
	return {"kind": "Profile", "key": "name", "field": field}


REFUSED = {
	"no credentials": ({"credentials": []}, None),
	"a key twice": ({"credentials": [checks.CREDENTIALS[0], checks.CREDENTIALS[0]]}, "each key once"),
	"a key with spaces": ({"credentials": credentials(key="member number")}, "each key once"),
	"a pattern that does not compile": ({"credentials": credentials(pattern="(")}, "not a regular expression"),
	"a pattern that misses its example": ({"credentials": credentials(pattern="x+")}, "does not fit its own example"),
	"a pattern without end": ({"credentials": credentials(pattern="(a|aa)+$", example="aaaa")}, "takes too long"),
	"an identity that is not asked for": ({"identity_credential": "name"}, "Identity credential"),
	"no DocType": ({"verify_doctype": None}, None),
	"a DocType that is not there": ({"verify_doctype": "No Such Register"}, None),
	"accounts": ({"verify_doctype": "User"}, "core DocTypes are refused"),
	"sessions": ({"verify_doctype": "Conversation Session"}, "core DocTypes are refused"),
	"a single": ({"verify_doctype": "System Settings"}, "core DocTypes are refused"),
	"a child table": ({"verify_doctype": "Contact Phone"}, "lists persons"),
	"a credential nothing is compared with": ({"fields": [checks.COMPARED[0]]}, "every credential needs one row"),
	"a field that is not there": ({"fields": fields(profile_of("no_such_field"))}, "no field"),
	"a field of the framework's": ({"fields": fields(profile_of("owner"))}, "no field"),
	"a URL without TLS": ({"verifier": "HTTP", "url": "http://example.com"}, "https"),
	"a URL with a password": ({"verifier": "HTTP", "url": "https://me:x@example.com"}, "https"),
	"a literal that is no JSON": ({"verifier": "HTTP", "url": "https://example.com", "verified_value": "yes"}, "as JSON"),
	"a no for a yes": ({"verifier": "HTTP", "url": "https://example.com", "verified_value": "false"}, "as JSON"),
	"an empty text for a yes": ({"verifier": "HTTP", "url": "https://example.com", "verified_value": '""'}, "as JSON"),
	"a very long wait": ({"verifier": "HTTP", "url": "https://example.com", "timeout": 31}, "Timeout"),
	"a path for a name": ({"verifier": "Python", "python_verifier": "os.system"}, "nothing is registered"),
	"no verifier": ({"verifier": "Crystal ball"}, None),
}  # fmt: skip


@pytest.mark.parametrize("mistake", REFUSED)
def test_a_check_that_cannot_work_is_not_saved_and_the_reason_is_said(site, bench, mistake):
	changed, reason = REFUSED[mistake]
	with pytest.raises(site.ValidationError, match=reason):
		site.get_doc(values(**changed)).insert()


def test_a_password_field_is_neither_compared_nor_shown(site, bench):
	_register_with(site, "Secret", "Password", 0)
	with pytest.raises(site.ValidationError, match="no field"):
		site.get_doc(values(verify_doctype="Register of Secret", fields=fields(profile_of("extra")))).insert()


def _register_with(site, label: str, kind: str, permlevel: int) -> None:
	name = f"Register of {label}"
	if site.db.exists("DocType", name):
		return
	rows = [
		{"fieldname": row["field"], "fieldtype": "Data", "label": row["field"]} for row in checks.COMPARED
	]
	extra = {"fieldname": "extra", "fieldtype": kind, "label": "Extra", "permlevel": permlevel}
	permissions = [
		{"role": "System Manager", "read": 1},
		{"role": "Assistant Session Administrator", "read": 1},
	]
	site.get_doc(
		{
			"doctype": "DocType",
			"name": name,
			"module": "Assistant Session",
			"custom": 1,
			"fields": [*rows, extra],
			"permissions": permissions,
		}
	).insert()
	site.db.commit()


def test_only_who_may_read_the_register_may_have_it_asked(site, bench):
	_register_with(site, "Level", "Data", 1)
	key_of(STAFF_ADMINISTRATOR)
	site.set_user(STAFF_ADMINISTRATOR)
	with pytest.raises(site.PermissionError):
		site.get_doc(values()).insert()
	with pytest.raises(site.PermissionError, match="field extra"):
		site.get_doc(values(verify_doctype="Register of Level", fields=fields(profile_of("extra")))).insert()
	site.get_doc(values(verify_doctype="Register of Level", fields=fields())).insert()


@pytest.mark.parametrize("user", [AGENT, AUDITOR])
def test_only_administrators_save_checks(site, bench, user):
	key_of(user)
	site.set_user(user)
	with pytest.raises(site.PermissionError):
		site.get_doc(values(verifier="HTTP", url="https://example.com")).insert()


def test_a_check_that_protects_intents_is_not_deleted_and_none_is_renamed(site, bench):
	with pytest.raises(site.ValidationError, match="protected by this check"):
		site.delete_doc("Identity Check", checks.HTTP_CHECK)
	with pytest.raises(site.ValidationError):
		site.rename_doc("Identity Check", checks.HTTP_CHECK, "Another name")


def test_one_that_protects_nothing_is(site, bench):
	name = site.get_doc(values()).insert().name
	site.delete_doc("Identity Check", name)
	assert not site.db.exists("Identity Check", name)


def test_what_a_check_proves_is_not_changed_afterwards(site, bench):
	"""Sessions that passed it keep what it proved then."""
	for changed in ({"level": 5}, {"namespace": "others"}, {"identity_credential": "national_number"}):
		document = site.get_doc("Identity Check", checks.STRONG_CHECK)
		document.update(changed)
		with pytest.raises(site.ValidationError):
			document.save()


def test_the_secret_of_one_host_is_not_sent_to_another(site, bench):
	document = site.get_doc("Identity Check", checks.HTTP_CHECK)
	document.url = "https://elsewhere.example.com/"
	with pytest.raises(site.ValidationError, match="another host"):
		document.save()
	document.reload()
	document.url, document.secret = "https://elsewhere.example.com/", "a new one"
	document.save()


@pytest.mark.parametrize(
	"doctype",
	["Identity Check", "Identity Check Credential", "Protected Intent", "Assistant Session Channel"],
)
def test_nobody_else_asks_how_people_are_verified(workers, site, bench, doctype):
	for user in (None, VISITOR, AGENT):
		caller = Caller(workers.url, SITE, key=key_of(user) if user else None)
		filters = {"name": ["like", "%"]}
		answer = caller.ask(
			"POST", "/api/method/frappe.client.get_count", json={"doctype": doctype, "filters": filters}
		)
		assert answer.status_code in (401, 403) and "message" not in answer.json()


def test_settings_are_checked(site, bench):
	settings = site.get_single("Assistant Session Settings")
	for changed in (
		{"attempts_allowed": 0}, {"attempts_allowed_network": -1}, {"attempt_window": 5}, {"lock_seconds": 10**6},
		{"failures_alarm": 0}, {"attempts_allowed": 10**6}, {"attempts_allowed_network": 10**6},
	):  # fmt: skip
		settings.reload()
		settings.update(changed)
		with pytest.raises(site.ValidationError):
			settings.save()
	settings.reload()
	settings.append("protected_intents", {"intent": "pension_inquiry", "identity_check": checks.HTTP_CHECK})
	with pytest.raises(site.ValidationError, match="listed twice"):
		settings.save()


def test_an_edit_shows_in_this_process_at_once(site, bench, sessions, opened):
	from assistant_session import authentication
	from assistant_session.sessions import config

	site.local.request = SimpleNamespace()  # as in Desk, where a request's own view counts
	patterns = config.settings().credential_patterns
	name = (
		site.get_doc(values(credentials=credentials(pattern=r"NEW\d{6}", example="NEW123456"))).insert().name
	)
	assert set(config.settings().credential_patterns) == {*patterns, r"NEW\d{6}"}
	settings = site.get_single("Assistant Session Settings")
	settings.append("protected_intents", {"intent": "brand_new", "identity_check": name})
	settings.save()
	assert not authentication.require(opened, "brand_new").open


@pytest.fixture
def try_it(workers, site, bench):
	from assistant_session.authentication.lockout import SESSION, UNLOCKED, Bucket

	for bucket in (Bucket.of(SESSION, "tried by", SUPERUSER), Bucket.of(UNLOCKED, f"tried by {SUPERUSER}")):
		site.db.delete("Verification Attempt", bucket.name)
	site.db.commit()

	def call(text, *, user=SUPERUSER, check=directory.CHECK, verb="POST", **more):
		caller = Caller(workers.url, SITE, key=key_of(user))
		path = "/api/method/assistant_session.api.try_identity_check"
		return caller.ask(verb, path, json={"check": check, "text": text, **more})

	return call


def test_trying_says_the_outcome_and_names_of_fields_and_no_value(try_it, member):
	answer = try_it(right(member))
	assert answer.json()["message"] == {
		"outcome": "verified",
		"fields": ["balance", "fund", "name", "next_payment"],
	}
	assert try_it(wrong(member)).json()["message"] == {"outcome": "not_matched", "fields": []}
	assert try_it(member.number).json()["message"] == {
		"outcome": "missing",
		"missing": [checks.NATIONAL_NUMBER],
	}
	assert "Hari" not in answer.text


def test_trying_counts_against_lockout_and_is_written_down_without_what_was_typed(try_it, member, site):
	outcomes = [try_it(wrong(member)).json()["message"]["outcome"] for _attempt in range(4)]
	assert outcomes == ["not_matched"] * 3 + ["locked"]
	assert try_it(right(member)).json()["message"]["outcome"] == "locked"
	site.db.rollback()
	noted = site.get_all(
		"Comment", {"reference_doctype": "Identity Check", "reference_name": directory.CHECK}, ["content", "comment_email"],
		order_by="creation desc", limit=5,
	)  # fmt: skip
	assert noted[0].content == "tried it: locked" and member.number not in json.dumps(noted, default=str)


def test_whoever_is_locked_out_is_told_until_when(try_it, member):
	"""Already by the answer to the attempt that locked."""
	from datetime import datetime, timedelta

	answers = [try_it(wrong(member)).json()["message"] for _attempt in range(4)]
	assert ["locked_until" in answer for answer in answers] == [False, False, True, True]
	for answer in answers[2:]:
		until = datetime.fromisoformat(answer["locked_until"])
		assert timedelta(minutes=14) < until - datetime.now(until.tzinfo) <= timedelta(minutes=15)
		assert answer["minutes"] in (14, 15)


@pytest.fixture
def release(workers, site):
	def call(user=SUPERUSER, check=directory.CHECK):
		return Caller(workers.url, SITE, key=key_of(user)).call("release_tries", check=check)

	return call


def test_an_administrator_releases_their_own_tries_and_it_is_written_down(try_it, release, member, site):
	assert [try_it(wrong(member)).json()["message"]["outcome"] for _attempt in range(4)][3] == "locked"
	answer = release()
	assert answer.status_code == 200 and answer.json()["message"]["until"]
	assert try_it(right(member)).json()["message"]["outcome"] == "verified"
	assert [try_it(wrong(member)).json()["message"]["outcome"] for _attempt in range(4)][2:] == [
		"not_matched", "locked",
	]  # fmt: skip
	site.db.rollback()
	about = {"reference_doctype": "Identity Check", "reference_name": directory.CHECK}
	noted = site.get_all("Comment", about, ["content", "comment_email"], order_by="creation desc", limit=6)
	assert ("released their own tries", SUPERUSER) in [(one.content, one.comment_email) for one in noted]


def test_releasing_ones_tries_lets_nobody_guess_for_ever(try_it, member, site, monkeypatch):
	"""All vouched-for attempts at one credential have one limit a day, tries of administrators among them."""
	from dataclasses import replace

	from assistant_session.authentication import staff
	from assistant_session.sessions import config

	settings, outcomes = replace(config.settings(), attempts_allowed=3, attempts_allowed_network=5), []
	monkeypatch.setattr(config, "settings", lambda: settings)
	for _round in range(4):
		outcomes += [staff.try_check(directory.CHECK, wrong(member))["outcome"] for _attempt in range(3)]
		staff.release_tries(directory.CHECK)
		site.db.commit()
	assert outcomes == ["not_matched"] * 8 + ["locked"] * 4


def test_releasing_ones_tries_releases_no_person(try_it, release, member, sessions, site):
	from assistant_session import authentication

	for _attempt in range(3):
		try_it(wrong(member))
	release()
	name = sessions.open().id
	authentication.require(name, "pension_inquiry")
	assert authentication.submit(name, right(member)).kind == "locked"


@pytest.mark.parametrize("user", [None, VISITOR, AGENT, AUDITOR])
def test_only_administrators_release_their_tries(workers, site, user):
	caller = Caller(workers.url, SITE, key=key_of(user) if user else None)
	assert caller.call("release_tries", check=directory.CHECK).status_code == 403


@pytest.mark.parametrize("check", [None, "", "No such check", 5])
def test_releasing_tries_of_a_check_that_is_not_there_is_422(release, check):
	assert release(check=check).status_code == 422


def test_trying_is_a_post(try_it, member):
	assert try_it(right(member), verb="GET").status_code in (403, 405)


def test_only_who_may_read_the_register_may_try_it(try_it, member):
	answer = try_it(right(member), user=STAFF_ADMINISTRATOR)
	assert answer.status_code == 403 and "may not read" in answer.json()["error"]["message"]


@pytest.mark.parametrize("check", [None, "", "No such check", "%", 5, ["a"]])
def test_trying_a_check_that_is_not_there_is_422(try_it, check):
	assert try_it("x", check=check).status_code == 422


@pytest.mark.parametrize("text", [None, "", 5, ["a"], "x" * 20_000])
def test_trying_with_no_text_is_422(try_it, text):
	assert try_it(text).status_code == 422
