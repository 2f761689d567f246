"""Every kind of damage, made on purpose: found, named, mended where one answer is right, left alone where not."""

from datetime import timedelta

import pytest

from tests import in_workers
from tests.damaged import ensured, kinds
from tests.sealed import reseal
from tests.sessions.in_workers import transactions
from tests.trail import whole


def test_a_sound_session_has_no_findings_and_is_not_written(sessions, site, told, stored):
	before = stored(told)
	report = ensured(sessions, site, told)
	assert (report.consistent, report.findings, report.action_taken) == (True, [], "none")
	assert stored(told) == before


ALONE = {
	"context": ("broken JSON", {"context": "{not json"}),
	"flows": ("broken JSON", {"flows": "[1, 2]"}),
	"question": ("unreadable", {"pending_message": "plain text"}),
	"status": ("impossible value", {"status": "Sleeping"}),
	"version": ("impossible value", {"version": 0}),
	"turn count below zero": ("impossible value", {"turn_count": -1}),
	"revision": ("impossible value", {"revision": None}),
	"events counted that are not there": ("audit trail broken, row altered", {"event_count": 9}),
	"another head": ("audit trail broken, row altered", {"event_head": "k1:00"}),
}


@pytest.mark.parametrize("what", ALONE)
def test_a_damaged_row_is_named_and_left_alone(sessions, site, told, set_row, stored, what):
	kind, values = ALONE[what]
	set_row(told, **values)
	before = stored(told)
	report = ensured(sessions, site, told)
	assert kinds(report) == kind.split(", ") and not report.consistent
	assert [one["remedy"] for one in report.findings] == [None] * len(report.findings)
	assert stored(told) == before


SEALED_ANEW = {
	"profile": ("unreadable", {"user_profile": "gAAAAAnonsense"}, {"user_profile": None, "authenticated": 0}),
	"more turns counted than stored": (
		"turns missing",
		{"turn_count": 9},
		{"turn_count": 9, "authenticated": 0},
	),
}


@pytest.mark.parametrize("what", SEALED_ANEW)
def test_what_has_no_remedy_stays_where_the_row_is_sealed_anew(sessions, site, told, set_row, stored, what):
	kind, values, after = SEALED_ANEW[what]
	set_row(told, **values)
	assert kinds(ensured(sessions, site, told)) == ["row altered", kind]
	row = stored(told)
	assert {column: row[column] for column in after} == after


ALONE_BESIDE = {
	"a turn deleted in the middle": (
		"turns missing",
		"delete from `tabConversation Turn` where session = %s and sequence = 2",
	),
	"the last turn deleted": (
		"turns missing",
		"delete from `tabConversation Turn` where session = %s and sequence = 4",
	),
	"all turns deleted": ("turns missing", "delete from `tabConversation Turn` where session = %s"),
	"a turn's metadata broken": (
		"broken JSON, turn altered",
		"update `tabConversation Turn` set metadata = '{' where session = %s and sequence = 1",
	),
	"an event altered": (
		"audit trail broken",
		"update `tabSession Event` set details = '{}' where session = %s and sequence = 2",
	),
	"an event's actor altered": (
		"audit trail broken",
		"update `tabSession Event` set actor = 'x' where session = %s and sequence = 2",
	),
	"an event's salt gone": (
		"audit trail broken",
		"update `tabSession Event` set salt = null where session = %s and sequence = 2",
	),
	"an event's digest gone": (
		"audit trail broken",
		"update `tabSession Event` set digest = null where session = %s and sequence = 2",
	),
	"the first event deleted": (
		"audit trail broken",
		"delete from `tabSession Event` where session = %s and sequence = 1",
	),
	"an event deleted": (
		"audit trail broken",
		"delete from `tabSession Event` where session = %s and sequence = 2",
	),
	"the last event cut off": (
		"audit trail broken",
		"delete from `tabSession Event` where session = %s and sequence = 3",
	),
}


@pytest.mark.parametrize("what", ALONE_BESIDE)
def test_missing_turns_and_altered_events_are_named_and_left_alone(
	sessions, site, told, damage, stored, what
):
	kind, statement = ALONE_BESIDE[what]
	damage(statement, told)
	before = stored(told)
	report = ensured(sessions, site, told)
	assert kinds(report) == kind.split(", ") and report.action_taken == "none"
	assert stored(told) == before


PAST = "2020-01-01 00:00:00"
MENDED = {
	"lock overdue": ("agent lock overdue", {"agent_lock_expires_at": PAST}, {"active_agent": None}),
	"lock without an end": ("agent lock overdue", {"agent_lock_expires_at": None}, {"active_agent": None}),
	"authentication overdue": (
		"authentication overdue",
		{"auth_expires_at": PAST},
		{"authenticated": 0, "user_profile": None},
	),
	"authentication without an end": (
		"authentication overdue",
		{"auth_expires_at": None},
		{"authenticated": 0, "user_profile": None},
	),
	"session overdue": ("session overdue", {"expires_at": PAST}, {"status": "Expired", "active_key": None}),
	"ended, but known": (
		"ended but not cleared",
		{"status": "Closed"},
		{"authenticated": 0, "user_profile": None, "active_agent": None},
	),
	"turns uncounted": ("turns uncounted", {"turn_count": 2}, {"turn_count": 4}),
}


@pytest.mark.parametrize("what", MENDED)
def test_what_has_one_right_answer_is_mended_with_an_event(sessions, site, told, set_row, stored, what):
	kind, values, right = MENDED[what]
	set_row(told, **values)
	report = ensured(sessions, site, told)
	assert kind in kinds(report) and kind in report.action_taken
	row = stored(told)
	assert {column: row[column] for column in right} == right
	assert whole(site, told)
	assert (
		site.get_all("Session Event", {"session": told}, pluck="event", order_by="sequence")[-1] == "repaired"
	)
	again = ensured(sessions, site, told)
	assert (again.consistent, again.findings, again.action_taken) == (True, [], "none")


def test_two_repairs_of_one_session_are_one_write(sessions, site, told, set_row, stored):
	set_row(told, agent_lock_expires_at=PAST, auth_expires_at=PAST, turn_count=2)
	version = stored(told).version
	report = ensured(sessions, site, told)
	assert kinds(report) == ["agent lock overdue", "authentication overdue", "row altered", "turns uncounted"]
	assert stored(told).version == version + 1 and whole(site, told)


def test_a_repair_decides_on_the_row_as_it_is_by_then(sessions, site, told, set_row, worker, monkeypatch):
	"""Somebody locks the session anew between the look and the repair: their lock stays."""
	from assistant_session.sessions.health import diagnosis

	set_row(told, agent_lock_expires_at=PAST)
	other, examine = worker(), diagnosis.examine

	def then_somebody_else(names, **more):
		found = examine(names, **more)
		other.run(transactions.recover_and_lock_agent, told, "billing")
		return found

	monkeypatch.setattr(diagnosis, "examine", then_somebody_else)
	report = ensured(sessions, site, told)
	assert "agent lock overdue" in kinds(report)
	assert sessions.active_agent(told) == "billing"


def test_a_stale_authentication_in_memory_never_reaches_the_database(sessions, site, told, set_row, stored):
	"""Memory says authenticated, the database does not: reading, working and every repair keep it that way."""
	assert sessions.get(told).authenticated
	set_row(told, authenticated=0, user_profile=None, auth_expires_at=None)
	for call in (sessions.ensure_consistency, sessions.recover):
		report = call(told)
		site.db.commit()
		assert stored(told).authenticated == 0
	assert (report.memory_authenticated, report.database_authenticated) == (False, False)
	with sessions.turn(told, "still me?"):
		pass
	site.db.commit()
	assert stored(told).authenticated == 0 and not sessions.get(told).authenticated


def test_a_turn_on_stale_memory_does_not_write_the_authentication_back(sessions, site, told, set_row, stored):
	set_row(told, authenticated=0)
	with sessions.turn(told, "still me?") as turn:
		turn.session.context["seen"] = True
	site.db.commit()
	assert stored(told).authenticated == 0


@pytest.mark.parametrize(("version", "revision"), [(1, 0), (99, 7), (2, 5)])
def test_a_register_that_is_behind_or_ahead_is_mended(sessions, told, version, revision):
	from assistant_session.sessions.coherence import register

	here = register.connection()
	here.redis.set(register.key("register", told), f"{version}:{revision}")
	report = sessions.ensure_consistency(told)
	assert report.register == "outdated" and "register entry deleted" in report.action_taken
	assert register.read(told) is None


@pytest.mark.parametrize("step", [-1, 1])
def test_memory_older_or_newer_than_the_database_is_dropped(sessions, site, told, step):
	from assistant_session.sessions.coherence.memory import memory
	from assistant_session.sessions.tables import session_rows
	from assistant_session.sessions.vantage import COMMITTED

	row = session_rows.select(told, COMMITTED)
	memory.put(row._replace(version=row.version + step, current_state="WRONG", revision="1"))
	report = ensured(sessions, site, told)
	assert {difference["field"] for difference in report.differences} == {
		"version",
		"revision",
		"current_state",
	}
	assert "memory dropped" in report.action_taken and memory.get(told) is None
	assert sessions.get(told).current_state is None


def test_every_worker_reads_anew_after_a_repair(sessions, site, told, set_row, worker):
	other = worker()
	assert other.run(in_workers.state, told) is None
	set_row(told, current_state="EDITED")
	ensured(sessions, site, told)
	assert other.run(in_workers.state, told) == "EDITED"


def test_a_row_from_an_older_backup_counts_its_events_again(sessions, site, told, set_row, stored):
	"""The trail is whole and goes on from what the row counts: there is one right answer."""
	before = stored(told)
	(digest,) = site.get_all("Session Event", {"session": told, "sequence": 1}, pluck="digest")
	set_row(told, event_count=1, event_head=digest)
	reseal(told)
	report = ensured(sessions, site, told)
	assert [(one["kind"], one["detail"], one["remedy"]) for one in report.findings] == [
		("events uncounted", f"{before.event_count} stored, 1 counted", "count them")
	]
	assert stored(told).event_count == before.event_count + 1, "and the repair is written down"
	assert whole(site, told) and sessions.ensure_consistency(told).consistent


def test_a_head_that_is_none_of_its_own_is_not_mended(sessions, site, told, set_row):
	set_row(told, event_count=1)
	assert kinds(ensured(sessions, site, told)) == ["audit trail broken", "row altered"]


def test_a_trail_whose_key_is_gone_is_named(sessions, site, told, monkeypatch):
	keys = site.local.conf["assistant_session_keys"]
	monkeypatch.setitem(site.local.conf, "assistant_session_keys", {"current": "k2", "k2": "ab" * 32})
	report = sessions.ensure_consistency(told)
	assert kinds(report) == ["audit trail broken", "unreadable", "unreadable"]
	assert [one["detail"] for one in report.findings if one["kind"] == "unreadable"] == [
		"seal: its key is not in site_config.json",
		"seal of turns 1, 2, 3, 4",
	]
	monkeypatch.setitem(site.local.conf, "assistant_session_keys", {**keys, "k2": "ab" * 32, "current": "k2"})
	sessions.transition(told, "AFTER ROTATION")
	site.db.commit()
	assert sessions.ensure_consistency(told).consistent


def test_nothing_is_found_in_a_session_that_others_are_writing(sessions, site, told, worker):
	writer = worker()
	waiting = writer.start(transactions.write_much, told, 60)
	found = [finding for _look in range(40) for finding in sessions.ensure_consistency(told).findings]
	waiting()
	assert found == []


def test_a_time_that_has_just_passed_counts(sessions, site, told, monkeypatch):
	from assistant_session.sessions import config

	now = config.now
	monkeypatch.setattr(config, "now", lambda: now() + timedelta(seconds=1801))
	report = sessions.ensure_consistency(told)
	assert kinds(report) == ["authentication overdue"], "idle for too long"
