"""The nightly round: mends, remembers where it was, and calls for somebody only if there is something to do."""

import pytest

from tests.sessions.test_doctor import PAST, doctor, ward

__all__ = ["doctor", "ward"]

TITLE = "Conversation sessions need somebody"


@pytest.fixture
def sweep(site, doctor, ward, monkeypatch):
	"""`sweep()` goes round the ward alone; returns what was seen and the calls it made."""
	from assistant_session.maintenance import sweep

	def go_round():
		batches = doctor._batches
		monkeypatch.setattr(
			doctor,
			"_batches",
			lambda after: ([name] for names in batches(after) for name in names if name in ward),
		)
		monkeypatch.setattr(doctor, "_orphans", lambda _doctype: iter(()))
		before = site.db.count("Error Log", {"method": TITLE})
		seen = sweep.sweep()
		monkeypatch.setattr(doctor, "_batches", batches)
		site.db.rollback()
		called = site.get_all("Error Log", {"method": TITLE}, pluck="error", order_by="creation desc")
		return seen, called[: len(called) - before]

	site.db.set_global(sweep.PLACE, ward[0][:-1])
	site.db.commit()
	yield go_round
	site.db.set_global(sweep.PLACE, "")
	site.db.commit()


def test_sound_sessions_call_nobody(sweep):
	seen, called = sweep()
	assert (seen.examined, seen.counts, called) == (3, {}, [])


def test_what_has_a_remedy_is_mended_and_calls_nobody(sweep, ward, set_row, stored):
	set_row(ward[1], agent_lock_expires_at=PAST)
	seen, called = sweep()
	assert seen.repaired == {"agent lock overdue": 1} and called == []
	assert stored(ward[1]).active_agent is None


def test_what_has_none_is_left_and_somebody_is_called(sweep, ward, set_row, stored):
	set_row(ward[1], context="{broken")
	set_row(ward[2], agent_lock_expires_at=PAST)
	before = stored(ward[1])
	_seen, called = sweep()
	assert len(called) == 1 and f"{ward[1]}: broken JSON: context" in called[0]
	assert ward[2] not in called[0] and "assistant-session doctor" in called[0]
	assert stored(ward[1]) == before


def test_surroundings_call_somebody(sweep, cache_server):
	cache_server.client().config_set("appendonly", "yes")
	try:
		_seen, called = sweep()
	finally:
		cache_server.client().config_set("appendonly", "no")
	assert len(called) == 1 and "persists" in called[0]


def test_a_round_that_is_cut_off_is_gone_on_with(sweep, ward, monkeypatch):
	from assistant_session.maintenance import sweep as rounds

	monkeypatch.setattr(rounds, "LONGEST_SECONDS", -1)
	assert [sweep()[0].last for _night in range(3)] == ward
	monkeypatch.setattr(rounds, "LONGEST_SECONDS", 60)
	assert sweep()[0].last == "", "all were seen: the next round begins anew"
