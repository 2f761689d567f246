"""Opening: one active session per person and channel, whatever happens at the same moment."""

from datetime import timedelta

import pytest

from tests.races import race
from tests.sealed import every_seal_fits
from tests.sessions.in_workers import racing

__all__ = ["every_seal_fits"]


@pytest.fixture
def later(monkeypatch):
	"""Lets time pass in this process: `later(seconds)`."""
	from assistant_session.sessions import config

	now = config.now
	return lambda seconds: monkeypatch.setattr(config, "now", lambda: now() + timedelta(seconds=seconds))


@pytest.fixture
def verified_channel(site, monkeypatch):
	"""A channel whose provider vouches for the sender."""
	import dataclasses

	from assistant_session.sessions import config

	settings = config.settings()
	channels = {**settings.channels, "WhatsApp": config.Channel("WhatsApp", verified_by_provider=True)}
	changed = dataclasses.replace(settings, channels=channels)
	monkeypatch.setitem(config.settings._kept, site.local.site, (float("inf"), changed))
	return "WhatsApp"


def test_a_new_session_has_an_unguessable_id_and_is_greeted(sessions):
	one, other = sessions.open(), sessions.open()
	assert one.id != other.id and len(one.id) >= 22
	assert (one.origin, one.should_greet, one.status) == ("created", True, "Active")


def test_a_trusted_caller_may_bring_an_id(sessions, site):
	import uuid

	for name in (f"chat_1755303283738_{uuid.uuid4().hex[:9]}", str(uuid.uuid4())):
		assert sessions.open(name).origin == "created"
		site.db.commit()
		assert (sessions.open(name).id, sessions.open(name).origin) == (name, "memory")


@pytest.mark.mariadb  # PostgreSQL tells them apart
def test_an_id_that_differs_in_case_or_accent_only_is_refused(sessions, site):
	import uuid

	name = f"Chat_{uuid.uuid4().hex}"
	sessions.open(name)
	site.db.commit()
	with pytest.raises(sessions.InvalidSessionData):
		sessions.open(name.lower())
	with pytest.raises(sessions.SessionNotFound):
		sessions.get(name.lower())


@pytest.mark.parametrize(
	"name", ["", " ", "a b", "ä", "x" * 121, "a/b", "a\n", None, 5, ["=", "x"], "a%", "a'"]
)
def test_a_malformed_id_is_refused(sessions, name):
	with pytest.raises(sessions.InvalidSessionData, match="session_id"):
		sessions.get(name)


def test_a_person_has_one_session_per_channel(sessions, site):
	import uuid

	phone = f"+49{uuid.uuid4().int % 10**12}"
	first = sessions.open(channel="WhatsApp", external_id=phone)
	site.db.commit()
	assert sessions.open(channel="WhatsApp", external_id=phone).id == first.id
	assert sessions.open(channel="Voice", external_id=phone).id != first.id


def test_the_key_is_taken_as_exact_bytes(sessions, site):
	import uuid

	name = f"Hari{uuid.uuid4().hex}"
	assert sessions.open(external_id=name).id != sessions.open(external_id=name.upper()).id


def test_workers_that_open_at_once_get_one_session(either):
	import uuid

	phones = [uuid.uuid4().hex for _round in range(20)]
	opened = race(either, racing.open_one, [{"phones": phones}] * 4, rounds=20)
	assert all(len(set(of_one_person)) == 1 for of_one_person in zip(*opened, strict=True))


def test_an_expired_session_hands_its_key_to_the_next(sessions, site, later, device):
	old = sessions.open(device_id=device, ttl=60)
	site.db.commit()
	later(61)
	with pytest.raises(sessions.SessionExpired):
		sessions.get(old.id)
	new = sessions.open(device_id=device)
	site.db.commit()
	assert new.id != old.id and sessions.open(device_id=device).id == new.id
	status, key = site.db.get_value("Conversation Session", old.id, ["status", "active_key"])
	assert (status, key) == ("Expired", None)


def test_an_id_that_ended_is_refused_but_with_its_person_opens_a_new_one(sessions, site, device):
	old = sessions.open(device_id=device).id
	sessions.close(old, "done")
	site.db.commit()
	with pytest.raises(sessions.SessionClosed):
		sessions.open(old)
	assert sessions.open(old, device_id=device).id != old


def test_a_device_id_alone_never_opens_an_authenticated_session(sessions, site, device):
	known = sessions.open(device_id=device).id
	sessions.authenticate(known, {"name": "Hari"}, method="test")
	site.db.commit()
	stranger = sessions.open(device_id=device)
	site.db.commit()
	assert stranger.id != known and not stranger.authenticated
	assert sessions.get(known).authenticated


def test_an_external_id_opens_an_authenticated_session_only_on_a_verified_channel(
	sessions, site, verified_channel
):
	import uuid

	from assistant_session.sessions import config

	phone = uuid.uuid4().hex
	known = sessions.open(channel=verified_channel, external_id=phone).id
	sessions.authenticate(known, {"name": "Hari"}, method="test")
	site.db.commit()
	again = sessions.open(channel=verified_channel, external_id=phone)
	assert (again.id, again.authenticated) == (known, True)
	config.settings().channels.pop(verified_channel)  # nobody vouches any more
	stranger = sessions.open(channel=verified_channel, external_id=phone)
	assert stranger.id != known and not stranger.authenticated


def test_another_user_with_the_same_id_gets_nothing(sessions, site):
	name = sessions.open(user="krishna@example.com").id
	site.db.commit()
	assert sessions.open(name, user="krishna@example.com").id == name
	with pytest.raises(sessions.SessionNotFound):
		sessions.open(name, user="other.customer@example.com")


def test_closing_keeps_the_row_and_its_events_and_drops_what_it_gave(sessions, site, opened):
	sessions.authenticate(opened, {"name": "Hari"}, method="test")
	sessions.lock_agent(opened, "scheduling")
	sessions.close(opened, "the person said goodbye")
	site.db.commit()
	row = site.db.get_value("Conversation Session", opened, "*")
	assert (row.status, row.close_reason, row.authenticated) == ("Closed", "the person said goodbye", 0)
	assert not any((row.user_profile, row.active_agent, row.active_key, row.auth_expires_at))
	events = site.get_all("Session Event", {"session": opened}, pluck="event", order_by="sequence")
	assert events == ["created", "authenticated", "agent_locked", "closed"]
	for use in (lambda: sessions.get(opened), lambda: sessions.transition(opened, "X")):
		with pytest.raises(sessions.SessionClosed):
			use()
	sessions.close(opened, "again")  # closing twice is no error, and changes nothing
	assert site.db.get_value("Conversation Session", opened, "close_reason") == "the person said goodbye"


@pytest.mark.by_sql
def test_the_sweep_expires_what_is_overdue_and_nothing_else(sessions, site, later):
	old, young = sessions.open(ttl=60).id, sessions.open(ttl=600).id
	site.db.commit()
	later(61)
	while sessions.cleanup_expired():
		site.db.commit()
	site.db.commit()
	assert site.db.get_value("Conversation Session", old, "status") == "Expired"
	assert site.db.get_value("Conversation Session", young, "status") == "Active"


@pytest.mark.parametrize("ttl", [0, -1, 10**9, True, "60", 1.5])
def test_a_ttl_out_of_bounds_is_refused(sessions, ttl):
	with pytest.raises(sessions.InvalidSessionData, match="ttl"):
		sessions.open(ttl=ttl)


@pytest.mark.parametrize("text", ["", "x" * 141, "a\nb", "a\x00b", 5, "\ud800"])
def test_names_that_are_no_names_are_refused_everywhere(sessions, opened, text):
	for use in (
		lambda: sessions.transition(opened, text),
		lambda: sessions.lock_intent(opened, text),
		lambda: sessions.lock_agent(opened, text),
		lambda: sessions.set_flow(opened, text, "step"),
		lambda: sessions.set_flow(opened, "flow", text),
		lambda: sessions.close(opened, text),
	):
		with pytest.raises(sessions.InvalidSessionData):
			use()
	assert sessions.get(opened).version == 1


@pytest.mark.parametrize(
	"value",
	[[], "text", {"a": object()}, {1: "a"}, {"a": float("nan")}, {"a": "x" * 300_000}, {"a": "\ud800"}],
)
def test_a_context_that_is_no_small_json_object_is_refused(sessions, opened, value):
	with pytest.raises(sessions.InvalidSessionData, match="context"):
		sessions.update(opened, {"context": value})


def test_json_nested_too_deep_is_refused(sessions, opened):
	deep: dict = {}
	for _level in range(30):
		deep = {"a": deep}
	with pytest.raises(sessions.InvalidSessionData, match="nesting"):
		sessions.update(opened, {"context": deep})


@pytest.mark.parametrize("text", ["<img src=x>", 'x" onmouseover="alert(1)', ">"])
def test_a_link_names_a_document(sessions, text):
	"""Desk writes it into an attribute of HTML; no document of Frappe has such a name."""
	for named in ({"user": text}, {"party": ("User", text)}, {"party": (text, "x")}):
		with pytest.raises(sessions.InvalidSessionData, match="not allowed"):
			sessions.open(**named)
