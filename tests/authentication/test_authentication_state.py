"""Whether a person is known: stored once, ended everywhere at once, never believed when in doubt."""

from datetime import timedelta

import pytest

from tests import in_workers

KNOWN = ("authenticated", "user_profile")
HARI = {"name": "Hari", "member": 5000168}


@pytest.fixture
def known(sessions, site, opened):
	sessions.authenticate(opened, HARI, method="pension register", identity="PEN_0005000168")
	site.db.commit()
	return opened


def test_an_authentication_is_known_to_every_worker(known, worker):
	assert worker().run(in_workers.look, known, *KNOWN) == [True, HARI]


def test_its_end_is_known_to_every_worker_at_the_next_read(known, worker, sessions, site):
	others = [worker(), worker()]
	assert [one.run(in_workers.look, known, *KNOWN)[0] for one in others] == [True, True]
	sessions.deauthenticate(known)
	site.db.commit()
	assert [one.run(in_workers.look, known, *KNOWN) for one in others] == [[False, {}]] * 2
	assert not sessions.get(known).authenticated


def test_one_that_is_rolled_back_never_was(opened, worker, sessions, site):
	sessions.authenticate(opened, HARI, method="test")
	site.db.rollback()
	assert not sessions.get(opened).authenticated
	assert not worker().run(in_workers.look, opened, *KNOWN)[0]


@pytest.fixture
def later(monkeypatch):
	from assistant_session.sessions import config

	now = config.now
	return lambda seconds: monkeypatch.setattr(config, "now", lambda: now() + timedelta(seconds=seconds))


def test_it_ends_when_the_session_was_idle_for_too_long(known, sessions, later):
	later(1799)
	assert sessions.get(known).authenticated
	later(1801)
	assert (sessions.get(known).authenticated, sessions.get(known).user_profile) == (False, {})


def test_once_idle_for_too_long_no_message_brings_it_back(known, sessions, site, later):
	from tests.checks import events

	later(1801)
	for _message in range(3):
		with sessions.turn(known, "hello?") as turn:
			assert not turn.session.authenticated
			turn.reply("hello")
		site.db.commit()
		assert (sessions.get(known).authenticated, sessions.get(known).user_profile) == (False, {})
	row = site.db.get_value("Conversation Session", known, ["authenticated", "user_profile", "auth_method"])
	assert row == (0, None, None)
	assert events(known)[-1] == "deauthenticated" and events(known).count("deauthenticated") == 1


@pytest.mark.parametrize("write", ["require", "update", "lock_agent", "add_turn"])
def test_no_other_write_brings_it_back_either(known, sessions, site, later, write):
	from assistant_session import authentication

	later(1801)
	{
		"require": lambda: authentication.require(known, "pension_inquiry", "hello"),
		"update": lambda: sessions.update(known, {"context": {"a": 1}}),
		"lock_agent": lambda: sessions.lock_agent(known, "scheduling"),
		"add_turn": lambda: sessions.add_turn(known, "user", "hello"),
	}[write]()
	site.db.commit()
	with sessions.turn(known, "hello?"):
		pass
	site.db.commit()
	assert not sessions.get(known).authenticated
	assert site.db.get_value("Conversation Session", known, "authenticated") == 0


def test_what_a_bot_says_by_itself_does_not_keep_it_alive(known, sessions, site, later):
	later(1000)
	sessions.add_turn(known, "assistant", "Are you still there?")
	site.db.commit()
	later(1801)
	assert not sessions.get(known).authenticated


def test_what_the_person_says_does(known, sessions, site, later):
	later(1000)
	sessions.add_turn(known, "user", "I am still here")
	site.db.commit()
	later(1801)
	assert sessions.get(known).authenticated


def test_it_ends_at_its_absolute_time_however_busy_the_session_is(opened, sessions, site, later):
	sessions.authenticate(opened, HARI, method="test", expires_in=60)
	sessions.add_turn(opened, "user", "still here")
	site.db.commit()
	assert sessions.get(opened).authenticated
	later(61)
	assert not sessions.get(opened).authenticated


def test_it_ends_when_the_session_closes(known, sessions, site):
	sessions.close(known, "done")
	site.db.commit()
	assert site.db.get_value("Conversation Session", known, ["authenticated", "user_profile"]) == (0, None)


def test_profile_and_identity_cannot_be_read_in_the_table(known, site):
	row = str(site.db.get_value("Conversation Session", known, "*"))
	assert "Hari" not in row and "5000168" not in row


def test_one_person_has_one_hash_on_a_site(sessions, site, known, opened):
	other = sessions.open().id
	sessions.authenticate(other, HARI, method="test", identity="PEN_0005000168")
	third = sessions.open().id
	sessions.authenticate(third, HARI, method="test", identity="PEN_0005000169")
	hashes = [
		site.db.get_value("Conversation Session", name, "identity_hash") for name in (known, other, third)
	]
	assert hashes[0] == hashes[1] != hashes[2]


@pytest.mark.parametrize("profile", [None, [], "Hari", {"a": []}, {"a": {}}, {1: "a"}, {"a": "x" * 300_000}])
def test_a_profile_that_is_no_object_of_scalars_is_refused(sessions, opened, profile):
	with pytest.raises(sessions.InvalidSessionData, match="profile"):
		sessions.authenticate(opened, profile, method="test")
	assert not sessions.get(opened).authenticated


def test_without_a_key_nobody_is_authenticated(sessions, site, opened, monkeypatch):
	from assistant_session.sessions.secrets import keys

	monkeypatch.setitem(site.local.conf, keys.CONFIG, None)
	with pytest.raises(keys.KeyMissing, match="make-key"):
		sessions.authenticate(opened, HARI, method="test", identity="PEN_0005000168")


def test_a_profile_the_key_does_not_open_is_an_error_and_not_an_empty_one(sessions, site, known, monkeypatch):
	from cryptography.fernet import Fernet

	from assistant_session.sessions.secrets import keys

	monkeypatch.setitem(site.local.conf, "encryption_key", Fernet.generate_key().decode())
	with pytest.raises(keys.KeyMissing):
		sessions.get(known).user_profile  # noqa: B018


def test_memory_that_says_otherwise_never_reaches_the_database(known, sessions, site):
	"""The bug this app ends: a stale "authenticated" written back from one worker's memory."""
	from assistant_session.sessions.coherence.memory import memory

	stale = memory.get(known).row
	sessions.deauthenticate(known)
	site.db.commit()
	memory.put(stale)
	for use in (sessions.ensure_consistency, sessions.recover, sessions.get):
		use(known)
	with sessions.turn(known, "hello"):
		pass
	site.db.commit()
	assert site.db.get_value("Conversation Session", known, "authenticated") == 0
	assert not sessions.get(known).authenticated


def test_while_the_database_is_away_nobody_is_authenticated(known, sessions, site, monkeypatch, cache_server):
	sessions.get(known)
	cache_server.flush()
	from assistant_session.sessions.tables import session_rows

	def away(*_arguments, **_more):
		raise site.db.OperationalError(2006, "gone away")

	monkeypatch.setattr(session_rows, "select", away)
	session = sessions.get(known)
	assert (session.stale, session.authenticated, session.user_profile) == (True, False, {})


def test_an_intent_is_locked_and_released_and_the_trail_says_so(known, sessions, site):
	sessions.lock_intent(known, "pension_inquiry")
	sessions.lock_intent(known, "address_change")
	sessions.release_intent(known)
	site.db.commit()
	events = site.get_all("Session Event", {"session": known}, ["event", "details"], order_by="sequence")
	assert [event.event for event in events] == [
		"created", "authenticated", "intent_locked", "intent_changed", "intent_changed",
	]  # fmt: skip
	assert sessions.get(known).locked_intent is None
