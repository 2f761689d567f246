"""Who judges credentials: a DocType, an HTTPS endpoint, a function. Each can say four things, and fail."""

import json
import re

import pytest

from assistant_session.demo import directory
from tests import checks
from tests.verifier import KNOWN, PERSON, drip

WRONG = {**KNOWN, "national_number": "999999999"}


@pytest.fixture
def ask(site, bench, verifier):
	"""`ask(check, **credentials)` gives the verdict on canonical credentials."""
	from assistant_session.authentication import checks as catalogue
	from assistant_session.authentication import verifiers
	from assistant_session.authentication.canonical import Secret

	def call(check: str, given: dict[str, str], **changed):
		found = catalogue.get(check)
		for field, value in changed.items():
			object.__setattr__(found, field, value)
		return verifiers.ask(found, {key: Secret(value) for key, value in given.items()})

	return call


def credentials(member) -> dict[str, str]:
	return {
		"member_number": member.number.replace("_", ""),
		"national_number": member.national_number.replace("/", ""),
	}


@pytest.fixture
def member(site):
	return directory.new_member("Hari")


def test_a_function_is_given_credentials_as_the_checks_examples_are_written(ask, member, monkeypatch):
	from assistant_session.demo import pension

	given = []
	monkeypatch.setattr(pension, "verify", lambda found: given.append(found) or {"full_name": "Hari"})
	assert ask(checks.PYTHON_CHECK, credentials(member)).outcome == "verified"
	assert given == [{"member_number": member.number, "national_number": member.national_number}]


def test_a_doctype_knows_its_members(ask, member):
	verdict = ask(directory.CHECK, credentials(member))
	assert (verdict.outcome, verdict.profile["name"]) == ("verified", "Hari")
	assert "Hari" not in repr(verdict)


@pytest.mark.parametrize("key", ["member_number", "national_number"])
@pytest.mark.parametrize(
	"value", ["", "%", "_", "PEN%", "0", "None", "['like', '%']", "PEN0000000000", "' or 1=1 --"]
)
def test_a_doctype_matches_whole_values_only(ask, member, key, value):
	verdict = ask(directory.CHECK, {**credentials(member), key: value})
	assert (verdict.outcome, verdict.profile) == ("not_matched", {})


@pytest.mark.mariadb  # PostgreSQL's do not fold
def test_what_a_collation_takes_for_the_same_is_not(ask, site, member):
	table = site.qb.DocType(directory.DOCTYPE)
	odd = member.number.replace("PEN", "PÉN")
	site.qb.update(table).set(table.member_number, odd).where(table.member_number == member.number).run()
	assert site.db.exists(directory.DOCTYPE, {"member_number": member.number}), "the database takes É for E"
	assert ask(directory.CHECK, credentials(member)).outcome == "not_matched"


def test_two_members_with_the_same_numbers_are_ambiguous(ask, site, member):
	twin = site.copy_doc(site.get_doc(directory.DOCTYPE, {"member_number": member.number}))
	twin.full_name = "Somebody else"
	twin.insert()
	verdict = ask(directory.CHECK, credentials(member))
	assert (verdict.outcome, verdict.profile) == ("ambiguous", {})


def test_one_query_is_asked_whichever_half_is_wrong(ask, site, member, monkeypatch):
	"""Comparable time for an unknown person and a wrong reference."""
	asked = []
	sql = site.db.sql
	monkeypatch.setattr(
		site.db,
		"sql",
		lambda query, *more, **named: asked.append(re.sub(r"\d+", "#", str(query)))
		or sql(query, *more, **named),
	)
	statements = []
	for given in (
		{**credentials(member), "national_number": "999999999"},
		{**credentials(member), "member_number": "PEN9999999999"},
	):
		asked.clear()
		assert ask(directory.CHECK, given).outcome == "not_matched"
		statements.append([query for query in asked if directory.DOCTYPE in query])
	assert statements[0] == statements[1] and len(statements[0]) == 1


def test_an_endpoint_gets_credentials_in_the_body_and_the_secret_in_a_header(ask, verifier):
	verdict = ask(checks.HTTP_CHECK, KNOWN)
	assert (verdict.outcome, verdict.profile) == (
		"verified",
		{"name": PERSON["full_name"], "fund": PERSON["fund"]},
	)
	assert verifier.asked == [KNOWN] and verifier.paths == ["/verify"]
	assert verifier.headers["Authorization"] == "Bearer s3cret-of-the-verifier"
	assert verifier.headers["Host"] == verifier.url.split("/")[2]


def test_an_endpoint_that_says_no_is_not_matched(ask):
	assert ask(checks.HTTP_CHECK, WRONG).outcome == "not_matched"


ECHO = {**KNOWN, **PERSON}


@pytest.mark.parametrize("said", [1, "true", "True", "yes", None, [True], {"verified": True}, 1.0])
def test_only_the_configured_literal_is_a_yes(ask, verifier, said):
	verifier.answer = lambda _body: (200, {}, json.dumps({**ECHO, "verified": said}).encode())
	assert ask(checks.HTTP_CHECK, KNOWN).outcome == "not_matched"


def test_another_literal_can_be_configured(ask, verifier):
	verifier.answer = lambda _body: (200, {}, json.dumps({**ECHO, "status": "ok"}).encode())
	assert ask(checks.HTTP_CHECK, KNOWN, verified_field="status", verified_value='"ok"').outcome == "verified"
	assert (
		ask(checks.HTTP_CHECK, KNOWN, verified_field="status", verified_value="true").outcome == "not_matched"
	)


@pytest.mark.parametrize("subject", [None, "PEN9999999999", 5, ["PEN0005000168"]])
def test_a_yes_about_somebody_else_is_none(ask, verifier, subject):
	verifier.answer = lambda _body: (
		200,
		{},
		json.dumps({**ECHO, "verified": True, "member_number": subject}).encode(),
	)
	verdict = ask(checks.HTTP_CHECK, KNOWN)
	assert (verdict.outcome, verdict.profile) == ("unavailable", {})


TROUBLE = {
	"status 500": lambda body: (500, {}, b'{"verified": true}'),
	"status 401": lambda body: (401, {}, b"{}"),
	"no JSON": lambda body: (200, {}, b"<html>"),
	"nested deep": lambda body: (200, {}, b"[" * 50_000),
	"no object": lambda body: (200, {}, b"[true]"),
	"nothing": lambda body: None,
	"endless": lambda body: (200, {}, [b" " * 8192] * 1000),
	"byte by byte": lambda body: (200, {}, drip(5, json.dumps({**ECHO, "verified": True}).encode())),
	"a redirect": lambda body: (307, {"Location": "/elsewhere"}, b"{}"),
}


@pytest.mark.parametrize("trouble", TROUBLE)
def test_trouble_is_no_judgement_and_nothing_is_asked_twice(ask, verifier, trouble):
	verifier.answer = TROUBLE[trouble]
	assert ask(checks.HTTP_CHECK, KNOWN, timeout=2).outcome == "unavailable"
	assert verifier.paths == ["/verify"]


@pytest.mark.parametrize(
	"trouble, kind",
	[
		("status 500", "ValueError"), ("no JSON", "JSONDecodeError"), ("nested deep", "ValueError"), ("nothing", "ConnectionError"),
		("byte by byte", "no answer in time"),
	],
)  # fmt: skip
def test_the_log_says_what_kind_of_trouble_it_was_and_nothing_more(ask, verifier, stage, trouble, kind):
	log = stage.root / "logs" / "assistant_session.log"
	before = len(log.read_text()) if log.exists() else 0
	verifier.answer = TROUBLE[trouble]
	ask(checks.HTTP_CHECK, KNOWN, timeout=2)
	(line,) = log.read_text()[before:].splitlines()
	assert line.endswith(f"verifier of {checks.HTTP_CHECK}: {kind}")


def test_nothing_goes_on_with_the_credentials_after_the_time_is_over(ask, verifier):
	import threading

	verifier.answer = lambda _body: (200, {}, drip(30, b"{}"))
	assert ask(checks.HTTP_CHECK, KNOWN, timeout=1).outcome == "unavailable"
	for thread in threading.enumerate():
		if thread.name == "verifier":
			thread.join(10)
			assert not thread.is_alive()


def test_nobody_listening_is_no_judgement(ask):
	assert ask(checks.HTTP_CHECK, KNOWN, url="https://127.0.0.1:9/verify").outcome == "unavailable"


def test_a_certificate_nobody_vouches_for_is_refused_before_anything_is_sent(
	ask, site, verifier, monkeypatch
):
	monkeypatch.delitem(site.local.conf, "assistant_session_verifier_ca")
	assert ask(checks.HTTP_CHECK, KNOWN).outcome == "unavailable"
	assert verifier.asked == []


def test_a_certificate_of_another_host_is_refused(ask, verifier):
	other = verifier.url.replace("localhost", "localhost.localdomain")
	assert ask(checks.HTTP_CHECK, KNOWN, url=other).outcome == "unavailable"
	assert verifier.asked == []


def test_a_private_address_is_refused_unless_its_network_is_listed(ask, site, verifier, monkeypatch):
	assert ask(checks.HTTP_CHECK, KNOWN).outcome == "verified"
	for networks in ([], ["10.0.0.0/8"], None):
		monkeypatch.setitem(site.local.conf, "assistant_session_verifier_networks", networks)
		assert ask(checks.HTTP_CHECK, KNOWN).outcome == "unavailable"
	assert verifier.asked == [KNOWN]


@pytest.mark.parametrize(
	"address",
	[
		"127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1",
		"::1", "fe80::1", "fc00::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "2002:7f00:1::",
		"64:ff9b::a9fe:a9fe", "fec0::1", "::127.0.0.1", "ff02::1",
	],
)  # fmt: skip
def test_no_private_or_link_local_address_counts_as_public(site, address):
	from ipaddress import ip_address

	from assistant_session.authentication import outgoing_call

	assert not outgoing_call._is_public(ip_address(address))


def test_a_host_that_resolves_to_a_private_address_as_well_is_refused(ask, site, verifier, monkeypatch):
	import socket

	from assistant_session.authentication import outgoing_call

	monkeypatch.setitem(site.local.conf, "assistant_session_verifier_networks", ["127.0.0.1/32"])
	answers = [
		(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in ("127.0.0.1", "127.0.0.2")
	]
	monkeypatch.setattr(outgoing_call.socket, "getaddrinfo", lambda *_a, **_m: answers)
	assert ask(checks.HTTP_CHECK, KNOWN).outcome == "unavailable" and verifier.asked == []


def test_the_address_is_looked_up_once_and_kept(ask, verifier, monkeypatch):
	"""A name that changes its address between the check and the call is called where it was checked."""
	from assistant_session.authentication import outgoing_call

	real, looked_up = outgoing_call.socket.getaddrinfo, []

	def once(host, *more, **named):
		looked_up.append(host)
		return real(host, *more, **named)

	monkeypatch.setattr(outgoing_call.socket, "getaddrinfo", once)
	assert ask(checks.HTTP_CHECK, KNOWN).outcome == "verified"
	assert looked_up.count("localhost") == 1


def test_a_proxy_in_the_environment_gets_nothing(ask, monkeypatch):
	for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
		monkeypatch.setenv(name, "http://127.0.0.1:9")
	assert ask(checks.HTTP_CHECK, KNOWN).outcome == "verified"


@pytest.mark.parametrize(
	"url",
	[
		"http://example.com/",
		"ftp://example.com",
		"https://",
		"//example.com",
		"https://me:secret@example.com/",
		"",
		None,
		"https://example.com:x/",
	],
)
def test_only_https_without_a_login_in_it_may_be_asked(ask, verifier, url):
	from assistant_session.authentication import outgoing_call
	from assistant_session.sessions import InvalidSessionData

	with pytest.raises(InvalidSessionData):
		outgoing_call.check_url(url)
	assert ask(checks.HTTP_CHECK, KNOWN, url=url).outcome == "unavailable"


def test_a_function_of_an_app_judges(ask, member):
	verdict = ask(checks.PYTHON_CHECK, credentials(member))
	assert (verdict.outcome, verdict.profile) == ("verified", {"name": "Hari", "fund": "Sunrise"})
	assert ask(checks.PYTHON_CHECK, {**credentials(member), "national_number": "0"}).outcome == "not_matched"


@pytest.mark.parametrize(
	"name", ["os.system", "frappe.get_doc", "assistant_session.demo.pension.verify", "nobody", None]
)
def test_only_a_registered_function_is_asked(ask, member, name):
	assert ask(checks.PYTHON_CHECK, credentials(member), python_verifier=name).outcome == "unavailable"


def test_a_verifier_that_raises_is_unavailable_and_the_log_says_only_what_kind(
	ask, site, stage, member, monkeypatch
):
	from assistant_session.demo import pension

	def broken(given):
		raise RuntimeError(given)

	monkeypatch.setattr(pension, "verify", broken)
	given = credentials(member)
	assert ask(checks.PYTHON_CHECK, given).outcome == "unavailable"
	logged = (stage.root / "logs" / "assistant_session.log").read_text()
	assert f"verifier of {checks.PYTHON_CHECK}: RuntimeError" in logged
	assert given["member_number"] not in logged and given["national_number"] not in logged
