"""The audit trail: an HMAC chain whose head and count stand in the session's row."""

from tests.races import race
from tests.sessions.in_workers import racing
from tests.trail import trail, whole


def fill(sessions, site, name: str) -> None:
	sessions.lock_agent(name, "scheduling")
	sessions.authenticate(name, {"name": "Hari"}, method="test")
	sessions.transition(name, "NEXT")
	site.db.commit()


def test_events_of_one_session_are_chained(sessions, site, opened):
	fill(sessions, site, opened)
	assert [event.event for event in trail(site, opened)] == [
		"created", "agent_locked", "authenticated", "state_changed",
	]  # fmt: skip
	assert whole(site, opened)


def test_an_altered_a_removed_and_a_cut_off_event_show(sessions, site, opened):
	fill(sessions, site, opened)
	for damage in (
		"update `tabSession Event` set actor = 'somebody' where session = %s and sequence = 2",
		"delete from `tabSession Event` where session = %s and sequence = 2",
		"delete from `tabSession Event` where session = %s and sequence = 4",
	):
		site.db.sql(damage, opened)
		assert not whole(site, opened)
		site.db.rollback()
	assert whole(site, opened)


def test_concurrent_events_of_one_session_chain_correctly(sessions, site, opened, either):
	race(either, racing.steal_the_agent_lock, [{"name": opened, "who": who} for who in "ABC"], rounds=10)
	site.db.commit()
	assert len(trail(site, opened)) == 31
	assert whole(site, opened)


def test_a_turn_writes_no_event_and_reading_writes_nothing(sessions, site, opened):
	with sessions.turn(opened, "hello") as turn:
		turn.session.transition("NEXT")
		turn.reply("hi")
	site.db.commit()
	sessions.get(opened)
	assert [event.event for event in trail(site, opened)] == ["created"]


def test_no_event_names_what_was_said_or_who_it_was(sessions, site, opened):
	sessions.authenticate(opened, {"name": "Hari"}, method="test", identity="PEN_0005000168")
	with sessions.turn(opened, "my number is 8848850922"):
		pass
	site.db.commit()
	assert not any(secret in str(trail(site, opened)) for secret in ("Hari", "0005000168", "8848850922"))
