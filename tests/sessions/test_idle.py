"""The hook for a conversation that went quiet: once per quiet period, whoever runs, whenever they restart."""

from types import SimpleNamespace

import pytest

from tests import in_workers
from tests.races import race
from tests.sealed import every_seal_fits
from tests.sessions.in_workers import jobs

__all__ = ["every_seal_fits"]


@pytest.fixture
def idle(site, damage, monkeypatch):
	"""`idle(hook)` runs the job with `hook` registered; sessions of other tests, which go quiet in the meantime, are told
	to nobody."""
	from assistant_session.maintenance import idle as job

	def run(hook) -> int:
		hooks, attr = site.get_hooks, site.get_attr
		monkeypatch.setattr(
			site,
			"get_hooks",
			lambda name=None, *more, **named: ["x"] if name == job.HOOK else hooks(name, *more, **named),
		)
		monkeypatch.setattr(site, "get_attr", lambda path: hook if path == "x" else attr(path))
		told = job.notify_idle()
		monkeypatch.undo()
		return told

	damage("update `tabConversation Session` set idle_notified_at = '2090-01-01'")
	return run


@pytest.fixture
def quiet(sessions, site, set_row):
	def make(number: int = 1) -> list[str]:
		names = [sessions.open().id for _session in range(number)]
		site.db.commit()
		for name in names:
			set_row(name, last_activity=site.utils.add_to_date(None, seconds=-1801))
		return names

	return make


def notes(site, name: str) -> int:
	site.db.rollback()
	return site.db.count("ToDo", {"description": f"quiet {name}"})


def test_a_quiet_session_is_told_once(idle, quiet):
	(name,), told = quiet(), []
	for _run in range(3):
		idle(lambda session: told.append((session.id, session.status)))
	assert told == [(name, "Active")]


def test_one_that_is_not_quiet_yet_is_not(idle, sessions, site):
	sessions.open()
	site.db.commit()
	assert idle(lambda _session: None) == 0


def test_after_another_message_it_can_go_quiet_again(idle, quiet, sessions, site, set_row):
	(name,), told = quiet(), []
	idle(lambda session: told.append(session.id))
	with sessions.turn(name, "I am back"):
		pass
	site.db.commit()
	idle(lambda session: told.append(session.id))
	assert told == [name]
	set_row(
		name,
		idle_notified_at="2020-01-01 00:00:00",
		last_activity=site.utils.add_to_date(None, seconds=-1801),
	)
	idle(lambda session: told.append(session.id))
	assert told == [name, name]


def test_several_schedulers_tell_each_session_once(idle, quiet, worker, site):
	names = quiet(12)
	told = [
		name
		for ((*names_told,),) in race(worker, jobs.tell_of_quiet_sessions, [{}] * 3)
		for name in names_told
	]
	assert sorted(told) == sorted(names)
	assert [notes(site, name) for name in names] == [1] * 12


def test_a_scheduler_that_dies_in_the_middle_leaves_the_rest_to_the_next(idle, quiet, worker, site):
	names = quiet(8)
	dying = worker()
	dying.start(jobs.tell_of_quiet_sessions)
	while not sum(notes(site, name) for name in names):
		pass
	dying.kill()
	worker().run(jobs.tell_of_quiet_sessions)
	assert [notes(site, name) for name in names] == [
		1
	] * 8, "what a hook wrote is stored with the claim, or not at all"


def test_a_hook_that_raises_is_logged_and_tried_again_and_keeps_nobody_waiting(idle, quiet, stage, site):
	names, told = quiet(3), []

	def sometimes(session):
		if session.id == names[1]:
			raise RuntimeError("secret text")
		told.append(session.id)

	assert idle(sometimes) == 2
	logged = (stage.root / "logs" / "assistant_session.log").read_text()
	assert f"assistant_session_idle for {names[1]}: RuntimeError" in logged and "secret text" not in logged
	assert idle(lambda session: told.append(session.id)) == 1 and sorted(told) == sorted(names)


def test_a_hook_may_change_the_session(idle, quiet, sessions, site, worker):
	(name,) = quiet()
	idle(lambda session: sessions.transition(session.id, "ASKED AGAIN"))
	assert worker().run(in_workers.state, name) == "ASKED AGAIN"


def test_closed_and_expired_sessions_are_left_in_peace(idle, quiet, sessions, site, set_row):
	closed, expired = quiet(2)
	sessions.close(closed, "done")
	site.db.commit()
	set_row(expired, expires_at="2020-01-01 00:00:00")
	assert idle(lambda _session: None) == 0


def test_a_run_ends_in_time_also_within_a_batch(idle, quiet, monkeypatch):
	from assistant_session.maintenance import idle as job

	names, told = quiet(4), []

	def hook(session):
		told.append(session.id)
		if len(told) == 2:
			monkeypatch.setattr(job, "time", SimpleNamespace(monotonic=lambda: float("inf")))

	assert idle(hook) == 2
	idle(lambda session: told.append(session.id))
	assert sorted(told) == sorted(names), "the next run goes on, and nobody is told twice"


def test_the_end_of_the_jobs_time_is_not_taken_for_a_hooks_error(idle, quiet):
	from rq.timeouts import JobTimeoutException

	(name,) = quiet()

	def hook(_session):
		raise JobTimeoutException

	with pytest.raises(JobTimeoutException):
		idle(hook)
	told = []
	idle(lambda session: told.append(session.id))
	assert name in told


@pytest.mark.parametrize("begin", ["", "0", "m", "zzzz"])
def test_all_are_told_wherever_a_run_begins(idle, quiet, begin, monkeypatch):
	from assistant_session.maintenance import idle as job

	names, told = quiet(3), []
	monkeypatch.setattr(job, "BATCH", 2)
	monkeypatch.setattr(job.opening, "new_id", lambda: begin)
	idle(lambda session: told.append(session.id))
	assert sorted(told) == sorted(names)
