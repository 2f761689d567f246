"""Old turns and events of sessions that go on: they go, the rest stays whole and verifiable, a legal hold keeps all."""

import pytest

from tests import in_workers
from tests.damaged import kinds
from tests.sealed import every_seal_fits, reseal
from tests.sessions.in_workers import transactions

__all__ = ["every_seal_fits"]

LONG_AGO, DAYS = "2001-01-01 00:00:00", 9000


@pytest.fixture
def retention(site):
	from assistant_session.maintenance import retention

	return retention


@pytest.fixture
def long_lived(sessions, site, damage, set_row, monkeypatch):
	"""A session with six turns and five events, of which four turns and the first events are from long ago."""
	from assistant_session.sessions import config

	now = config.now
	monkeypatch.setattr(config, "now", lambda: now().replace(year=2001))
	name = sessions.open().id
	for number in range(2):
		with sessions.turn(name, f"question {number}") as turn:
			turn.reply(f"answer {number}")
		sessions.lock_agent(name, f"agent {number}", steal=True)
	monkeypatch.setattr(config, "now", now)
	site.db.commit()
	set_row(name, creation=LONG_AGO, expires_at="2090-01-01 00:00:00")
	reseal(name)
	sessions.lock_agent(name, "agent 2", steal=True)
	with sessions.turn(name, "question 2", message_id="last") as turn:
		turn.reply("answer 2")
	sessions.lock_agent(name, "agent 3", steal=True)
	site.db.commit()
	yield name
	site.db.rollback()
	for doctype, column in (
		("Conversation Session", "name"),
		("Conversation Turn", "session"),
		("Session Event", "session"),
	):
		damage(f"delete from `tab{doctype}` where {column} = %s", name)


def first_event(site, session: str) -> str:
	return site.get_all("Session Event", {"session": session}, order_by="name", limit=1, pluck="name")[0]


def sequences(site, doctype: str, name: str) -> list[int]:
	site.db.rollback()
	return site.get_all(doctype, {"session": name}, pluck="sequence", order_by="sequence")


def test_old_turns_go_and_the_conversation_goes_on(retention, long_lived, sessions, site, stored):
	assert retention.purge_turns(DAYS) == 4
	assert sequences(site, "Conversation Turn", long_lived) == [5, 6]
	assert (stored(long_lived).turn_count, stored(long_lived).purged_turns) == (6, 4)
	assert [turn.sequence for turn in sessions.history(long_lived, limit=3)] == [5, 6]
	assert [turn.sequence for turn in sessions.history(long_lived, after=0, limit=1)] == [5]
	assert [turn.sequence for turn in sessions.history(long_lived, before=3)] == []
	with sessions.turn(long_lived, "question 3") as turn:
		turn.reply("answer 3")
	site.db.commit()
	assert sequences(site, "Conversation Turn", long_lived) == [5, 6, 7, 8]
	assert sessions.ensure_consistency(long_lived).consistent
	assert retention.purge_turns(DAYS) == 0


def test_a_page_says_that_there_is_no_more(retention, long_lived, sessions):
	from assistant_session.web import views

	retention.purge_turns(DAYS)
	session = sessions.get(long_lived)
	assert views.history(session.row, limit=2)["has_more"] is False
	assert views.history(session.row, limit=1)["has_more"] is True


def test_a_retry_of_a_message_that_stayed_is_still_known(retention, long_lived, sessions, site):
	retention.purge_turns(DAYS)
	with sessions.turn(long_lived, "question 2", message_id="last") as turn:
		assert turn.repeated
	site.db.commit()
	assert sequences(site, "Conversation Turn", long_lived) == [5, 6]


def test_every_worker_hears_of_it(retention, long_lived, worker):
	other = worker()
	assert other.run(in_workers.look, long_lived, "purged_turns") == [0]
	retention.purge_turns(DAYS)
	assert other.run(in_workers.look, long_lived, "purged_turns") == [4]


def test_old_events_go_and_the_rest_of_the_trail_is_verified(
	retention, long_lived, sessions, site, stored, damage
):
	before = sequences(site, "Session Event", long_lived)
	purged = retention.purge_events(DAYS)
	after = sequences(site, "Session Event", long_lived)
	assert purged and after == before[purged:] and stored(long_lived).purged_events == purged
	sessions.release_agent(sessions.lock_agent(long_lived, "agent 4", steal=True))
	site.db.commit()
	assert sessions.ensure_consistency(long_lived).consistent
	damage("update `tabSession Event` set actor = 'x' where name = %s", first_event(site, long_lived))
	assert "was altered" in sessions.report(long_lived).findings[0]["detail"]


def test_all_events_may_go_and_the_next_one_fits(retention, long_lived, sessions, site, damage, stored):
	damage("delete from `tabSession Event` where session = %s and sequence > 3", long_lived)
	damage(
		"update `tabConversation Session` set event_count = 3, event_head = (select digest from `tabSession Event`"
		" where session = %s and sequence = 3) where name = %s",
		long_lived,
		long_lived,
	)
	reseal(long_lived)
	assert retention.purge_events(DAYS) == 3 and sequences(site, "Session Event", long_lived) == []
	assert sessions.report(long_lived).findings == []
	sessions.lock_agent(long_lived, "agent 5", steal=True)
	site.db.commit()
	assert sequences(site, "Session Event", long_lived) == [4]
	assert sessions.ensure_consistency(long_lived).consistent


FORGED = {
	"more purged than were": "update `tabConversation Session` set purged_events = purged_events + 1 where name = %s",
	"another digest": "update `tabConversation Session` set event_base = concat('k1:00', event_base) where name = %s",
	"no digest": "update `tabConversation Session` set event_base = null where name = %s",
	"another seal": "update `tabConversation Session` set event_base = concat(event_base, '0') where name = %s",
}


@pytest.mark.parametrize("how", FORGED)
def test_nobody_else_can_say_that_events_were_purged(retention, long_lived, sessions, damage, how, site):
	retention.purge_events(DAYS)
	damage("delete from `tabSession Event` where name = %s", first_event(site, long_lived))
	damage(FORGED[how], long_lived)
	assert kinds(sessions.report(long_lived)) == ["audit trail broken", "row altered"]


def test_events_cut_off_at_the_front_with_the_digest_that_follows_do_not_pass(
	long_lived, sessions, site, damage
):
	"""Somebody with the database, but not with the key, removes the first events and writes down what would fit."""
	site.db.rollback()
	(digest,) = site.get_all("Session Event", {"session": long_lived, "sequence": 2}, pluck="digest")
	damage("delete from `tabSession Event` where session = %s and sequence <= 2", long_lived)
	damage(
		"update `tabConversation Session` set purged_events = 2, event_base = %s where name = %s",
		f"{digest} {digest}",
		long_lived,
	)
	assert kinds(sessions.report(long_lived)) == ["audit trail broken", "row altered"]


def test_a_digest_for_events_that_were_never_purged_is_named(long_lived, sessions, set_row):
	set_row(long_lived, event_base="k1:00 k1:00")
	assert kinds(sessions.report(long_lived)) == ["audit trail broken", "row altered"]


def test_a_trail_that_is_broken_stays_as_it_is(retention, long_lived, damage, site):
	damage("update `tabSession Event` set event = 'closed' where name = %s", first_event(site, long_lived))
	before = sequences(site, "Session Event", long_lived)
	assert retention.purge_events(DAYS) == 0 and sequences(site, "Session Event", long_lived) == before


def test_what_has_ended_stays_whole_until_it_goes_as_a_whole(retention, long_lived, sessions, site):
	sessions.close(long_lived, "done")
	site.db.commit()
	assert (retention.purge_turns(DAYS), retention.purge_events(DAYS)) == (0, 0)


def test_what_was_purged_meanwhile_by_another_is_not_purged_again(retention, long_lived, stored, monkeypatch):
	from assistant_session.maintenance import ageing

	old = ageing.Aged._old

	def another_is_faster(self, name):
		found = old(self, name)
		if name == long_lived and stored(name).purged_turns == 0:
			monkeypatch.setattr(ageing.Aged, "_old", old)
			assert retention.purge_turns(DAYS) == 4
			monkeypatch.setattr(ageing.Aged, "_old", another_is_faster)
		return found

	monkeypatch.setattr(ageing.Aged, "_old", another_is_faster)
	assert retention.purge_turns(DAYS) == 0 and stored(long_lived).purged_turns == 4


def test_a_row_that_was_only_looked_at_is_free_again(retention, long_lived, damage, worker, site):
	damage("update `tabSession Event` set event = 'closed' where name = %s", first_event(site, long_lived))
	assert retention.purge_events(DAYS) == 0
	worker().run(transactions.add_a_turn_without_waiting, long_lived)


def test_a_legal_hold_keeps_turns_and_events(retention, long_lived, set_row, site):
	set_row(long_lived, legal_hold=1)
	assert (retention.purge_turns(DAYS), retention.purge_events(DAYS)) == (0, 0)
	assert sequences(site, "Conversation Turn", long_lived) == [1, 2, 3, 4, 5, 6]


def test_what_is_young_keeps_what_came_after_it(retention, long_lived, set_row, damage, site):
	"""A clock that was set back: sequences stay without a gap."""
	damage(
		"update `tabConversation Turn` set creation = now() where session = %s and sequence = 2", long_lived
	)
	assert retention.purge_turns(DAYS) == 1
	assert sequences(site, "Conversation Turn", long_lived) == [2, 3, 4, 5, 6]


def test_a_step_is_bounded(retention, long_lived, site, monkeypatch):
	from assistant_session.maintenance import ageing

	monkeypatch.setattr(ageing, "ROWS", 3)
	old = ageing.Aged("Conversation Turn", retention._before(DAYS))
	steps = []
	for _step in range(3):
		steps.append(old.purge())
		site.db.commit()
	assert steps == [3, 1, 0]
	assert sequences(site, "Conversation Turn", long_lived) == [5, 6]


def test_a_missing_turn_among_those_that_stay_is_still_named(retention, long_lived, sessions, damage):
	retention.purge_turns(DAYS)
	damage("delete from `tabConversation Turn` where session = %s and sequence = 5", long_lived)
	assert [finding["kind"] for finding in sessions.report(long_lived).findings] == ["turns missing"]


def test_an_uncounted_turn_is_counted_with_the_purged_ones(
	retention, long_lived, sessions, site, set_row, stored
):
	retention.purge_turns(DAYS)
	set_row(long_lived, turn_count=5)
	assert sessions.ensure_consistency(long_lived).action_taken.endswith("turns uncounted: count them")
	site.db.commit()
	assert stored(long_lived).turn_count == 6


def test_frappes_log_settings_clear_them(retention, long_lived, site):
	settings = site.get_single("Log Settings")
	doctypes = ("Conversation Turn", "Session Event")
	settings.set("logs_to_clear", [{"ref_doctype": doctype, "days": DAYS} for doctype in doctypes])
	settings.remove_unsupported_doctypes()
	assert len(settings.logs_to_clear) == 2
	settings.clear_logs()
	assert sequences(site, "Conversation Turn", long_lived) == [5, 6]
	assert sequences(site, "Session Event", long_lived)[0] > 1
	site.db.rollback()
