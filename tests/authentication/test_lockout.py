"""How often somebody may guess: over all workers, restarts and Redis losses, without locking the victim out."""

from dataclasses import replace
from datetime import timedelta

import pytest

from assistant_session.demo import directory
from tests import checks
from tests.authentication import in_workers
from tests.people import right, wrong
from tests.races import race
from tests.verifier import KNOWN

ALLOWED = 3


@pytest.fixture
def lockout(site):
	from assistant_session.authentication import lockout

	return lockout


@pytest.fixture
def later(monkeypatch):
	from assistant_session.sessions import config

	now = config.now
	return lambda seconds: monkeypatch.setattr(config, "now", lambda: now() + timedelta(seconds=seconds))


@pytest.fixture
def say(authentication, sessions, site):
	"""`say(text, session=None, …)` submits in a session of its own unless one is named; the outcome's kind."""

	def call(
		text: str, session: str | None = None, *, caller=None, intent: str = "pension_inquiry", **opened
	) -> str:
		session = session or sessions.open(**opened).id
		authentication.require(session, intent)
		site.db.commit()
		outcome = authentication.submit(session, text, caller=caller)
		site.db.commit()
		return outcome.kind

	return call


def test_three_wrong_ones_lock_the_session(say, opened, member, site):
	assert [say(wrong(directory.new_member("Maya")), opened) for _attempt in range(4)] == [
		"not_matched"
	] * 3 + ["locked"]
	assert say(right(member), opened) == "locked"
	assert checks.events(opened).count("verification_locked") == 3


def test_a_person_guessed_at_from_many_sessions_is_locked_for_strangers(say, member):
	assert [say(wrong(member)) for _session in range(4)] == ["not_matched"] * 3 + ["locked"]
	assert say(right(member)) == "locked"
	assert say(right(directory.new_member("Maya"))) == "verified"


def test_a_reference_tried_on_many_people_is_locked_as_well(say):
	reference = directory.national_number()
	kinds = [say(f"{directory.new_member('Maya').number} {reference}") for _attempt in range(4)]
	assert kinds == ["not_matched"] * 3 + ["locked"]


def test_spellings_of_one_credential_count_together(say, member):
	spellings = (
		member.number,
		member.number.lower(),
		member.number.replace("_", "-"),
		member.number.replace("_", ""),
	)
	assert [say(f"{text} {directory.national_number()}") for text in spellings] == ["not_matched"] * 3 + [
		"locked"
	]


def test_people_who_do_not_exist_lock_the_same_way(say):
	nobody = f"PEN_9{directory.national_number().replace('/', '')}"
	kinds = [say(f"{nobody} {directory.national_number()}") for _attempt in range(4)]
	assert kinds[-1] == "locked"


def test_it_holds_on_every_worker_and_after_redis_was_flushed(
	say, sessions, site, member, worker, cache_server
):
	for _attempt in range(ALLOWED):
		say(wrong(member))
	cache_server.flush()
	name = sessions.open().id
	site.db.commit()
	for one in (worker(), worker()):
		assert one.run(in_workers.submit, name, right(member), "pension_inquiry") == "locked"


def test_eight_workers_at_once_get_no_more_calls_to_the_verifier_than_allowed(
	sessions, site, either, verifier, lockout
):
	"""Each has a session of its own and guesses at one person as fast as it can."""
	for bucket in lockout_of(KNOWN):
		site.db.delete("Verification Attempt", bucket)
	names = [sessions.open().id for _worker in range(8)]
	site.db.commit()
	guesses = [
		[f"{KNOWN['member_number']} {directory.national_number()}" for _n in range(5)] for _name in names
	]
	contestants = [{"name": name, "texts": texts} for name, texts in zip(names, guesses, strict=True)]
	kinds = [kind for outcomes in race(either, in_workers.guess, contestants, rounds=5) for kind in outcomes]
	assert len(verifier.asked) == ALLOWED
	assert kinds.count("not_matched") == ALLOWED and kinds.count("locked") == 8 * 5 - ALLOWED


def test_workers_that_count_at_the_same_moment_wait_for_each_other(either, opened):
	def slow():
		one = either()
		one.run(in_workers.count_slowly, opened)
		return one

	reserved = race(slow, in_workers.reserve, [{"name": opened}] * 4)
	assert [one for (one,) in reserved].count(True) == ALLOWED


def lockout_of(credentials: dict[str, str]) -> list[str]:
	from assistant_session.authentication.lockout import STRANGER, Bucket

	return [Bucket.of(STRANGER, checks.HTTP_CHECK, key, value).name for key, value in credentials.items()]


def test_an_attempt_counts_although_the_request_fails_afterwards(authentication, sessions, site, member, say):
	for _attempt in range(ALLOWED):
		name = sessions.open().id
		authentication.require(name, "pension_inquiry")
		site.db.commit()
		authentication.submit(name, wrong(member))
		site.db.rollback()
	assert say(right(member)) == "locked"


def test_an_attempt_is_committed_before_the_verifier_is_asked(
	authentication, sessions, site, member, worker, lockout, monkeypatch
):
	"""A worker that dies while it waits for the verifier has used up its attempt."""
	other, seen = worker(), []
	from assistant_session.authentication import verifiers

	ask = verifiers.ask

	def look(check, given):
		buckets = [
			lockout.Bucket.of(lockout.STRANGER, check.namespace, key, value.reveal()).name
			for key, value in given.items()
		]
		seen.extend(other.run(in_workers.attempts, name) for name in buckets)
		return ask(check, given)

	monkeypatch.setattr(verifiers, "ask", look)
	name = sessions.open().id
	authentication.require(name, "pension_inquiry")
	authentication.submit(name, wrong(member))
	assert seen == [1, 1]


def test_locks_grow_and_then_are_forgotten(say, site, member, lockout, later):
	bucket = lockout.Bucket.of(lockout.STRANGER, "member", "member_number", member.number.replace("_", ""))
	lengths, clock = [], 0
	for _lock in range(10):
		for _attempt in range(ALLOWED):
			assert say(wrong(member)) == "not_matched"
		site.db.rollback()
		started, until = site.db.get_value(
			"Verification Attempt", bucket.name, ["window_started", "locked_until"]
		)
		lengths.append(round((until - started).total_seconds() / 900))
		clock += round((until - started).total_seconds()) + 1
		later(clock)
		if len(lengths) == 10:
			break
	assert lengths[:6] == [1, 2, 4, 8, 16, 32]
	assert lengths[6:] == [64, 96, 96, 96], "a day is the longest"
	later(clock + 2 * 86400)
	for _attempt in range(ALLOWED):
		assert say(wrong(member)) == "not_matched"
	site.db.rollback()
	started, until = site.db.get_value(
		"Verification Attempt", bucket.name, ["window_started", "locked_until"]
	)
	assert round((until - started).total_seconds()) == 900


def test_a_patient_guesser_who_tries_once_an_hour_gets_three_a_day_in_the_end(say, member, later):
	kinds = []
	for hour in range(5 * 24):
		later(hour * 3600)
		kinds.append(say(wrong(member)))
	days = [kinds[day * 24 : day * 24 + 24].count("not_matched") for day in range(5)]
	assert days[0] == 18 and sum(days[1:]) <= 4 * 3, days


def test_a_success_costs_no_attempt_and_forgets_none(say, member, authentication, opened, site):
	assert [say(wrong(member)), say(wrong(member))] == ["not_matched"] * 2
	for _time in range(4):
		assert say(right(member), opened) == "verified"
		authentication.logout(opened)
		site.db.commit()
	assert [say(wrong(member)), say(wrong(member))] == ["not_matched", "locked"]


def test_guesses_at_the_stronger_check_are_not_forgotten_when_the_weaker_succeeds(say, member):
	kinds = []
	for _round in range(4):
		kinds += [say(wrong(member), intent="change_account"), say(wrong(member), intent="change_account")]
		say(right(member))
	assert kinds == ["not_matched"] * 3 + ["locked"] * 5


def test_one_reference_tried_on_many_people_is_not_forgotten_when_its_owner_succeeds(say, site):
	mine = directory.new_member("Eve")
	kinds = []
	for _round in range(4):
		kinds += [
			say(f"{directory.new_member('Maya').number} {mine.national_number}") for _person in range(2)
		]
		say(right(mine))
	assert kinds == ["not_matched"] * 3 + ["locked"] * 5


def test_a_verifier_that_is_away_costs_no_attempt(say, site, verifier, opened):
	for bucket in lockout_of(KNOWN):
		site.db.delete("Verification Attempt", bucket)
	site.db.commit()
	text = f"{KNOWN['member_number']} {KNOWN['national_number']}"
	verifier.answer = lambda _body: (503, {}, b"")
	assert [say(text, opened, intent="http_inquiry") for _attempt in range(5)] == ["unavailable"] * 5
	assert "authentication_failed" not in checks.events(opened)
	verifier.answer = verifier.judge
	assert say(text, opened, intent="http_inquiry") == "verified"


def test_a_verifier_that_is_always_away_cannot_be_asked_for_ever(say, site, verifier, opened, lockout):
	for bucket in lockout_of(KNOWN):
		site.db.delete("Verification Attempt", bucket)
	site.db.commit()
	text = f"{KNOWN['member_number']} {KNOWN['national_number']}"
	verifier.answer = lambda _body: (503, {}, b"")
	kinds = [say(text, opened, intent="http_inquiry") for _attempt in range(20)]
	assert kinds == ["unavailable"] * (lockout.MOST_GIVEN_BACK + ALLOWED) + ["locked"] * (
		20 - lockout.MOST_GIVEN_BACK - ALLOWED
	)


class Browser:
	"""Keeps the cookie a success gave."""

	def __init__(self, network: str = "203.0.113.1"):
		self.cookies: dict[str, str] = {}
		self.network = network

	@property
	def caller(self):
		from assistant_session.authentication import Caller

		return Caller(self.network, self.cookies.get)


@pytest.fixture
def browser(authentication, sessions, site, member):
	"""The device on which the member was verified before."""
	device = Browser()
	name = sessions.open().id
	authentication.require(name, "pension_inquiry")
	outcome = authentication.submit(name, right(member), caller=device.caller)
	site.db.commit()
	device.cookies[outcome.known_device[0]] = outcome.known_device[1]
	return device


@pytest.fixture
def besieged(say, member):
	"""Strangers have used up their attempts on the member."""
	while say(wrong(member)) != "locked":
		pass
	return member


def test_the_victims_known_device_still_gets_in_and_no_other_does(say, browser, besieged):
	assert say(right(besieged)) == "locked"
	assert say(right(besieged), caller=Browser("203.0.113.2").caller) == "locked"
	assert say(right(besieged), caller=browser.caller) == "verified"


def test_no_other_persons_known_device_can_lock_it(say, browser, authentication, sessions, site, member):
	"""Eve types her own number with the victim's, from a device that knows her."""
	eve, mallory = directory.new_member("Eve"), Browser("203.0.113.9")
	name = sessions.open().id
	authentication.require(name, "pension_inquiry")
	outcome = authentication.submit(name, right(eve), caller=mallory.caller)
	site.db.commit()
	mallory.cookies[outcome.known_device[0]] = outcome.known_device[1]
	while say(f"{eve.number} {member.national_number}", caller=mallory.caller) != "locked":
		pass
	assert say(right(member), caller=browser.caller) == "verified"


def test_all_devices_of_a_person_count_together(say, browser, known_by, member):
	"""Otherwise each device, of which every success makes one more, would have attempts of its own."""
	library = known_by(member, "203.0.113.8")
	while say(wrong(member), caller=library.caller) != "locked":
		pass
	assert say(right(member), caller=library.caller) == "locked"
	assert say(right(member), caller=browser.caller) == "locked"


@pytest.fixture
def known_by(authentication, sessions, site):
	"""`known_by(member, network, intent)`: a device on which the member was verified a moment ago."""

	def make(member, network: str, intent: str = "pension_inquiry", before: Browser | None = None) -> Browser:
		device, name = Browser(network), sessions.open().id
		device.cookies.update(before.cookies if before else {})
		authentication.require(name, intent)
		outcome = authentication.submit(name, right(member), caller=device.caller)
		site.db.commit()
		assert outcome.verified
		device.cookies[outcome.known_device[0]] = outcome.known_device[1]
		return device

	return make


def test_who_passes_an_easy_check_buys_no_guesses_at_a_harder_one(say, known_by, member):
	"""Each success at the first level makes a known device; at the second nobody knows it."""
	kinds, device = [], None
	for attempt in range(6):
		device = known_by(member, f"203.0.113.{attempt}", before=device)
		kinds.append(say(wrong(member), intent="change_account", caller=device.caller))
	assert kinds == ["not_matched"] * 3 + ["locked"] * 3


def test_a_device_is_known_to_the_check_it_passed_alone(say, known_by, member):
	device = known_by(member, "203.0.113.4")
	while say(wrong(member), intent="change_account") != "locked":
		pass
	assert say(right(member), intent="change_account", caller=device.caller) == "locked"


def test_a_device_known_to_the_harder_check_is_known_there(say, known_by, member):
	device = known_by(member, "203.0.113.4", "change_account")
	while say(wrong(member), intent="change_account") != "locked":
		pass
	assert say(right(member), intent="change_account", caller=device.caller) == "verified"


def test_a_value_tried_by_the_known_devices_of_many_people_is_found(say, known_by, monkeypatch):
	_allow(monkeypatch, attempts_allowed_network=4)
	national = directory.national_number()
	kinds = []
	for _person in range(6):
		person = directory.new_member("Eve")
		kinds.append(say(f"{person.number} {national}", caller=known_by(person, "203.0.113.5").caller))
	assert kinds == ["not_matched"] * 4 + ["locked"] * 2


def test_a_known_device_is_not_locked_out_by_strangers_of_its_network(say, known_by, member, monkeypatch):
	_allow(monkeypatch, attempts_allowed_network=5)
	device = known_by(member, f"198.51.100.{directory.national_number()}")
	neighbour = Browser(device.network)
	while say(wrong(directory.new_member("Eve")), caller=neighbour.caller) != "locked":
		pass
	assert say(right(directory.new_member("Hari")), caller=neighbour.caller) == "locked"
	assert say(right(member), caller=device.caller) == "verified"


@pytest.mark.parametrize("form", ["2001:db8:{0}:{1:x}::/64", "2001:db8:{0}:{1:x}::5"])
def test_who_has_many_ipv6_networks_is_counted_as_one_as_well(say, monkeypatch, form):
	_allow(monkeypatch, attempts_allowed_network=2)
	site = f"{int(directory.national_number().replace('/', '')) % 0xFFFF:x}"
	kinds = [
		say(wrong(directory.new_member("Eve")), caller=Browser(form.format(site, n)).caller)
		for n in range(10)
	]
	assert kinds == ["not_matched"] * 8 + ["locked"] * 2


def _allow(monkeypatch, **settings) -> None:
	from dataclasses import replace

	from assistant_session.sessions import config

	changed = replace(config.settings(), **settings)
	monkeypatch.setattr(config, "settings", lambda: changed)


@pytest.fixture
def pin(site, monkeypatch):
	"""A check that asks for a member number and a PIN of four digits, which many members share."""
	from assistant_session.authentication import checks as catalogue

	check = catalogue.catalogue().checks[directory.CHECK]
	number = check.credential("member_number")
	shared = catalogue._credential(
		site._dict(
			key="national_number", label="PIN", pattern=r"\d{4}", example="4711", normalisation="Digits"
		),
		"member_number",
	)
	changed = replace(check, credentials=(number, shared))
	found = replace(catalogue.catalogue(), checks={directory.CHECK: changed})
	monkeypatch.setattr(catalogue, "catalogue", lambda: found)
	monkeypatch.setattr("assistant_session.authentication.dialogue.catalogue", lambda: found)
	return lambda: f"{directory.national_number().replace('/', '')[-4:]}"


def test_strangers_who_share_a_pin_do_not_lock_each_other(say, pin):
	digits = pin()
	kinds = [say(f"PEN_9{directory.national_number().replace('/', '')} {digits}") for _attempt in range(9)]
	assert kinds == ["not_matched"] * 9


def test_who_tries_one_pin_on_everybody_is_found(say, pin, monkeypatch):
	_allow(monkeypatch, attempts_allowed_network=1)
	digits = pin()
	kinds = [say(f"PEN_9{directory.national_number().replace('/', '')} {digits}") for _attempt in range(12)]
	assert kinds == ["not_matched"] * 10 + ["locked"] * 2


def test_a_person_is_locked_after_as_few_guesses_as_ever_at_a_pin(say, pin, member):
	kinds = [say(f"{member.number} {number:04d}") for number in range(5)]
	assert kinds == ["not_matched"] * 3 + ["locked"] * 2


def test_a_device_stays_known_when_the_sites_key_is_replaced(say, browser, besieged, site, monkeypatch):
	keys = site.local.conf["assistant_session_keys"]
	monkeypatch.setitem(site.local.conf, "assistant_session_keys", {**keys, "k2": "cd" * 32, "current": "k2"})
	while say(wrong(besieged)) != "locked":
		pass
	assert say(right(besieged), caller=browser.caller) == "verified"


def test_a_known_device_is_counted_too(say, browser, besieged):
	kinds = [say(wrong(besieged), caller=browser.caller) for _attempt in range(4)]
	assert kinds == ["not_matched"] * 3 + ["locked"]


def test_a_known_device_is_known_for_its_own_person_only(say, browser, site):
	other = directory.new_member("Maya")
	while say(wrong(other)) != "locked":
		pass
	assert say(right(other), caller=browser.caller) == "locked"


def part(value: str, place: int, change) -> str:
	"""A cookie (key, time, signature) with one part changed."""
	parts = value.split(".")
	parts[place] = change(parts[place])
	return ".".join(parts)


FORGERIES = {
	"another signature": lambda value: part(
		value, 2, lambda text: text[:-1] + ("0" if text[-1] != "0" else "1")
	),
	"another time": lambda value: part(value, 1, lambda text: str(int(text) + 1)),
	"no time": lambda value: part(value, 1, lambda _text: ""),
	"an unknown key": lambda value: part(value, 0, lambda _text: "k9"),
	"the key named current": lambda value: part(value, 0, lambda _text: "current"),
	"nothing": lambda _value: "",
	"dots": lambda _value: "...",
	"another script": lambda value: value.replace("1", "١"),
	"very long": lambda value: value * 1000,
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_device_is_a_stranger(say, browser, besieged, forgery):
	browser.cookies = {name: FORGERIES[forgery](value) for name, value in browser.cookies.items()}
	assert say(right(besieged), caller=browser.caller) == "locked"


def test_a_device_is_forgotten_after_half_a_year(say, browser, besieged, monkeypatch):
	from assistant_session.authentication import known_devices

	now = known_devices.time.time()
	monkeypatch.setattr(known_devices.time, "time", lambda: now + 181 * 86400)
	assert say(right(besieged), caller=browser.caller) == "locked"


def test_a_cookie_of_another_site_is_worth_nothing(say, browser, besieged, site, monkeypatch):
	from assistant_session.authentication import known_devices
	from assistant_session.authentication.canonical import Secret
	from assistant_session.authentication.checks import catalogue

	identity, check = Secret(besieged.number.replace("_", "")), catalogue().checks[directory.CHECK]
	with monkeypatch.context() as elsewhere:
		elsewhere.setattr(site.local, "site", "other.example")
		value = known_devices.value(check, identity)
	browser.cookies = {known_devices.name(check, identity): value}
	assert say(right(besieged), caller=browser.caller) == "locked"


def test_a_sender_whose_provider_vouches_is_no_stranger(say, besieged, site, monkeypatch):
	from dataclasses import replace

	from assistant_session.sessions import config

	settings = replace(
		config.settings(), channels={"WhatsApp": config.Channel("WhatsApp", verified_by_provider=True)}
	)
	monkeypatch.setattr(config, "settings", lambda: settings)
	phone = {"channel": "WhatsApp", "external_id": f"+49{besieged.number[4:]}"}
	assert say(right(besieged), channel="WhatsApp") == "locked"
	assert say(right(besieged), **phone) == "verified"


@pytest.fixture
def whatsapp(monkeypatch):
	from dataclasses import replace

	from assistant_session.sessions import config

	channels = {"WhatsApp": config.Channel("WhatsApp", verified_by_provider=True)}
	settings = replace(config.settings(), channels=channels, attempts_allowed_network=8)
	monkeypatch.setattr(config, "settings", lambda: settings)
	return lambda: {"channel": "WhatsApp", "external_id": f"+49{directory.national_number()}"}


def test_one_sender_has_a_limit_for_all_it_asks_about(say, whatsapp, sessions, site):
	sender, kinds = whatsapp(), []
	for _person in range(6):
		kinds.append(say(wrong(directory.new_member("Maya")), **sender))
		sessions.close(sessions.open(**sender).id, "again")
		site.db.commit()
	assert kinds == ["not_matched"] * 3 + ["locked"] * 3


def test_many_senders_have_one_limit_for_one_person(say, besieged, whatsapp):
	kinds = [say(wrong(besieged), **whatsapp()) for _sender in range(12)]
	assert kinds == ["not_matched"] * 8 + ["locked"] * 4


def test_who_is_locked_makes_no_new_counters(say, opened, site):
	while say(wrong(directory.new_member("Maya")), opened) != "locked":
		pass
	site.db.rollback()
	count = site.db.count("Verification Attempt")
	for _attempt in range(5):
		assert say(wrong(directory.new_member("Maya")), opened) == "locked"
	site.db.rollback()
	assert site.db.count("Verification Attempt") == count


def test_a_logged_in_party_is_no_stranger_and_a_login_alone_is(say, besieged, site):
	from tests.callers import OWNER

	party = ("User", OWNER)
	site.set_user(OWNER)
	assert say(right(besieged), user=OWNER) == "locked"
	assert say(right(besieged), user="Administrator", party=party) == "locked"
	assert say(right(besieged), user=OWNER, party=party) == "verified"


def test_staff_can_let_one_session_try_for_a_while(authentication, say, besieged, opened, site, later):
	assert say(right(besieged), opened) == "locked"
	authentication.unlock(opened)
	site.db.commit()
	assert say(right(besieged)) == "locked", "another session is not unlocked"
	assert say(right(besieged), opened) == "verified"
	assert "verification_unlocked" in checks.events(opened)
	later(901)
	assert say(right(besieged), opened) in ("locked", "nothing_asked")


def test_an_unlock_without_its_event_does_not_happen(authentication, say, besieged, opened, site):
	authentication.unlock(opened)
	site.db.rollback()
	assert "verification_unlocked" not in checks.events(opened)
	assert say(right(besieged), opened) == "locked"


def test_an_unlocked_session_has_its_own_limit_all_the_same(authentication, say, besieged, opened, site):
	authentication.unlock(opened)
	site.db.commit()
	assert [say(wrong(besieged), opened) for _attempt in range(4)] == ["not_matched"] * 3 + ["locked"]


def test_a_network_is_limited_for_an_hour_and_people_who_get_in_do_not_use_it_up(
	say, site, lockout, later, monkeypatch
):
	from dataclasses import replace

	from assistant_session.sessions import config

	settings = replace(config.settings(), attempts_allowed_network=5)
	monkeypatch.setattr(config, "settings", lambda: settings)
	network = f"198.51.100.{directory.national_number()}"
	office = Browser(network)
	for _person in range(8):
		assert say(right(directory.new_member("Hari")), caller=office.caller) == "verified"
	for _guess in range(5):
		assert say(wrong(directory.new_member("Hari")), caller=office.caller) == "not_matched"
	assert say(right(directory.new_member("Hari")), caller=office.caller) == "locked"
	assert say(right(directory.new_member("Hari")), caller=Browser(f"{network}9").caller) == "verified"
	later(901)
	assert say(right(directory.new_member("Hari")), caller=office.caller) == "verified"


def test_many_failures_of_a_check_raise_one_alarm_and_lock_nobody(say, site, monkeypatch, lockout):
	from dataclasses import replace

	from assistant_session.sessions import config

	bucket = lockout.Bucket.of(lockout.CHECK, directory.CHECK)
	site.db.delete("Verification Attempt", bucket.name)
	site.db.commit()
	settings = replace(config.settings(), failures_alarm=4)
	monkeypatch.setattr(config, "settings", lambda: settings)
	before = site.db.count("Error Log", {"method": ["like", "%many failed verifications%"]})
	for _person in range(6):
		say(wrong(directory.new_member("Hari")))
	assert site.db.count("Error Log", {"method": ["like", "%many failed verifications%"]}) == before + 1
	assert say(right(directory.new_member("Hari"))) == "verified"


def test_counters_hold_no_credential_and_are_purged_when_nobody_needs_them(say, site, member, lockout, later):
	while say(wrong(member)) != "locked":
		pass
	site.db.rollback()
	text = str(site.db.sql("select * from `tabVerification Attempt`"))
	assert member.number not in text and member.number.replace("_", "") not in text
	name = lockout.Bucket.of(lockout.STRANGER, "member", "member_number", member.number.replace("_", "")).name
	from assistant_session import maintenance

	later(86400)
	maintenance.purge_verification_attempts()
	assert site.db.exists("Verification Attempt", name)
	later(86400 * 3)
	assert maintenance.purge_verification_attempts() > 0
	site.db.rollback()
	assert not site.db.exists("Verification Attempt", name)


def test_nothing_is_asked_when_attempts_cannot_be_counted(
	authentication, sessions, site, opened, verifier, monkeypatch
):
	from assistant_session import database, second_connection

	authentication.require(opened, "http_inquiry")
	site.db.commit()

	def away():
		raise site.db.OperationalError(2006, "gone away")

	monkeypatch.setattr(second_connection, "_connect", away)
	monkeypatch.setattr(site.db, database.SECOND, None, raising=False)
	with pytest.raises(sessions.SessionStoreUnavailable):
		authentication.submit(opened, f"{KNOWN['member_number']} {KNOWN['national_number']}")
	assert verifier.asked == []
