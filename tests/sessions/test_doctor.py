"""The doctor over all sessions, from Python and from the shell: finds, names, mends if told to, says when it is done."""

import json
import secrets

import pytest

from tests import databases, in_workers

PAST = "2020-01-01 00:00:00"


@pytest.fixture
def doctor(site):
	from assistant_session.maintenance import doctor

	return doctor


@pytest.fixture
def ward(sessions, site):
	"""Three sessions whose names lie side by side; `after` is a name right before them."""
	prefix = f"ward-{secrets.token_hex(6)}"
	names = [sessions.open(f"{prefix}-{letter}").id for letter in "abc"]
	for name in names:
		sessions.add_turn(name, "user", "hello")
		sessions.lock_agent(name, "scheduling")
	site.db.commit()
	return names


@pytest.fixture
def visited(doctor, ward, monkeypatch):
	"""`visited(**options)` examines the ward alone."""

	def run(**options):
		with monkeypatch.context() as patch:
			batches = doctor._batches
			patch.setattr(doctor, "_batches", lambda after: filter(None, map(mine, batches(after))))
			patch.setattr(doctor, "_orphans", lambda _doctype: iter(()))
			return doctor.visit(after=ward[0][:-1], go_on=lambda: False, **options)

	def mine(names: list[str]) -> list[str]:
		return [name for name in names if name in ward]

	return run


def test_sound_sessions_have_no_findings(visited):
	seen = visited()
	assert (seen.examined, seen.counts, seen.sound) == (3, {}, True)


def test_without_fix_nothing_is_changed(visited, ward, set_row, stored):
	set_row(ward[1], agent_lock_expires_at=PAST)
	before = stored(ward[1])
	seen = visited()
	assert seen.counts == {"agent lock overdue": 1} and not seen.sound
	assert [(one.session, one.remedy) for one in seen.findings] == [(ward[1], "release it")]
	assert stored(ward[1]) == before


def test_with_fix_each_session_is_mended_and_committed(visited, ward, set_row, stored):
	set_row(ward[0], agent_lock_expires_at=PAST)
	set_row(ward[1], context="{broken")
	set_row(ward[2], turn_count=0)
	seen = visited(fix=True)
	assert seen.repaired == {"agent lock overdue": 1, "turns uncounted": 1, "row altered": 1}
	assert not seen.sound
	assert (stored(ward[0]).active_agent, stored(ward[2]).turn_count) == (None, 1)
	assert visited().counts == {"broken JSON": 1}


def test_what_mends_two_things_at_once_is_counted_as_both(visited, ward, set_row, sessions, site):
	sessions.authenticate(ward[1], {"name": "Hari"}, method="test")
	site.db.commit()
	set_row(ward[1], expires_at=PAST, agent_lock_expires_at=PAST, auth_expires_at=PAST)
	seen = visited(fix=True)
	assert seen.repaired == seen.counts and sum(seen.counts.values()) == 4 and seen.sound
	assert visited().sound


def test_what_the_expiry_job_mends_meanwhile_is_mended(doctor, visited, ward, set_row, site, monkeypatch):
	from assistant_session import maintenance
	from assistant_session.sessions.health import repair

	set_row(ward[1], expires_at=PAST)
	original = repair.repair
	monkeypatch.setattr(repair, "repair", lambda *found: maintenance.expire_sessions() and original(*found))
	assert visited(fix=True).sound


STRANGE = {
	"no time": "update `tabSession Event` set creation = null where session = %s",
	"a number for a commitment": """update `tabSession Event` set salt = null, details = '{"erased": 5}' where session = %s""",
	"a list for details": "update `tabSession Event` set salt = null, details = '[]' where session = %s",
	"nested without end": "update `tabConversation Session` set context = repeat('[', 100000) where name = %s",
	"metadata without end": "update `tabConversation Turn` set metadata = repeat('[', 100000) where session = %s",
}


@pytest.mark.parametrize("what", STRANGE)
def test_nothing_in_one_session_keeps_the_doctor_from_the_others(visited, ward, damage, set_row, what):
	damage(STRANGE[what], ward[0])
	set_row(ward[2], agent_lock_expires_at=PAST)
	seen = visited(fix=True)
	assert seen.examined == 3 and seen.repaired == {"agent lock overdue": 1}
	assert {finding.session for finding in seen.findings} == {ward[0], ward[2]}


def test_what_is_beyond_examining_is_named_and_the_others_are_seen(visited, ward, set_row, monkeypatch):
	from assistant_session.sessions.health import diagnosis

	overdue = diagnosis.overdue

	def fail(row):
		if row.name == ward[1]:
			raise TypeError
		return overdue(row)

	monkeypatch.setattr(diagnosis, "overdue", fail)
	set_row(ward[2], agent_lock_expires_at=PAST)
	seen = visited()
	assert (ward[1], "cannot be examined: TypeError") in [(one.session, one.detail) for one in seen.findings]
	assert ward[2] in [one.session for one in seen.findings] and seen.examined == 3


def test_one_that_is_busy_is_named_and_the_others_are_mended(visited, ward, set_row, stored, worker, site):
	for name in ward:
		set_row(name, agent_lock_expires_at=PAST)
	databases.wait_for_locks(1)
	holder = worker()
	holder.run(in_workers.lock_rows, ward[1])
	seen = visited(fix=True)
	databases.wait_for_locks(50)
	assert seen.failed == [f"{ward[1]}: SessionBusy"] and seen.repaired == {"agent lock overdue": 2}
	holder.rollback()
	assert visited(fix=True).sound


def test_turns_and_events_without_a_session_are_found(doctor, damage, ward):
	damage("delete from `tabConversation Session` where name = %s", ward[1])
	assert ward[1] in list(doctor._orphans("Conversation Turn"))
	assert ward[1] in list(doctor._orphans("Session Event"))
	assert ward[0] not in list(doctor._orphans("Conversation Turn"))


def test_a_visit_can_be_cut_off_and_go_on(doctor, ward, monkeypatch, set_row):
	set_row(ward[2], agent_lock_expires_at=PAST)
	monkeypatch.setattr(doctor, "BATCH", 2)
	first = doctor.visit(after=ward[0][:-1], go_on=lambda: False)
	assert (first.examined, first.last, first.findings) == (2, ward[1], [])
	second = doctor.visit(after=first.last, go_on=lambda: False)
	assert ward[2] in {finding.session for finding in second.findings}


def test_findings_beyond_the_limit_are_counted_and_not_kept(visited, ward, set_row, doctor, monkeypatch):
	for name in ward:
		set_row(name, agent_lock_expires_at=PAST)
	monkeypatch.setattr(doctor, "MOST_KEPT", 2)
	from assistant_session.maintenance.doctor import Finding, Visit

	seen = Visit()
	seen.note([Finding(name, "agent lock overdue", "") for name in ward])
	assert (len(seen.findings), seen.counts["agent lock overdue"]) == (2, 3)


def test_surroundings_that_endanger_sessions_are_said(doctor, site, cache_server, monkeypatch):
	assert doctor.surroundings() == []
	cache_server.client().config_set("appendonly", "yes")
	try:
		assert any("persists" in text for text in doctor.surroundings())
	finally:
		cache_server.client().config_set("appendonly", "no")
	monkeypatch.setitem(site.local.conf, "assistant_session_keys", None)
	assert any("make-key" in text for text in doctor.surroundings())


@pytest.mark.postgres
def test_a_postgresql_that_may_lose_what_was_acknowledged_or_wait_without_a_bound_is_named(doctor, site):
	for setting in ("synchronous_commit = off", "lock_timeout = 0"):
		site.db.sql(f"set local {setting}")
	said = doctor.surroundings()
	assert [text.partition(":")[0] for text in said] == [
		"synchronous_commit is off",
		doctor.NO_BOUND.partition(":")[0],
	]


def test_from_the_shell_it_says_what_is_wrong_and_changes_nothing_by_itself(stage, ward, set_row, stored):
	set_row(ward[1], agent_lock_expires_at=PAST)
	before = stored(ward[1])
	done = stage.command("assistant-session", "doctor", "--after", ward[0][:-1])
	assert done.returncode == 1 and f"{ward[1]}: agent lock overdue" in done.stdout
	assert "Say --fix" in done.stdout and stored(ward[1]) == before
	done = stage.command("assistant-session", "doctor", "--after", ward[0][:-1], "--fix", "--json")
	said = json.loads(done.stdout)
	assert said["repaired"]["agent lock overdue"] >= 1 and stored(ward[1]).active_agent is None


def test_the_shell_shows_a_damaged_session_and_what_is_wrong_with_it(stage, told, set_row):
	set_row(told, context="{broken", flows="[]", turn_count=9)
	done = stage.command("assistant-session", "inspect", told)
	assert done.returncode == 0, done.stderr
	assert (
		"context: (broken)" in done.stdout
		and "turns missing: 4 stored up to 4, 9 counted (left alone)" in done.stdout
	)
	assert (
		len(json.loads(stage.command("assistant-session", "inspect", told, "--json").stdout)["findings"]) == 4
	)


def test_the_shell_expires_only_when_told_to(stage, ward, set_row, stored):
	set_row(ward[0], expires_at=PAST)
	done = stage.command("assistant-session", "expire")
	assert done.returncode == 0 and "Say --yes" in done.stdout and stored(ward[0]).status == "Active"
	done = stage.command("assistant-session", "expire", "--yes", "--json")
	assert json.loads(done.stdout)["ended"]["sessions"] >= 1 and stored(ward[0]).status == "Expired"
