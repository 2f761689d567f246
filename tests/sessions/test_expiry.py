"""Ending what is past its time: in bounded batches, shared by whoever runs at once, and nothing gets in the way."""

import pytest

from tests import databases, in_workers
from tests.races import race
from tests.sealed import every_seal_fits
from tests.sessions.in_workers import jobs, racing
from tests.trail import whole

__all__ = ["every_seal_fits"]

PAST = "2020-01-01 00:00:00"
EARLIER = "2019-01-01 00:00:00"
FAR_OFF = "2090-01-01 00:00:00"


@pytest.fixture
def maintenance(site, damage):
	"""With nothing overdue on the site; what other tests damaged beyond expiry is put off."""
	from assistant_session import maintenance

	maintenance.expire_all()
	damage(
		f"update `tabConversation Session` set expires_at = '{FAR_OFF}' where expires_at <= %s and status = 'Active'",
		site.utils.now_datetime(),
	)
	return maintenance


@pytest.fixture
def overdue(sessions, site, set_row):
	"""`overdue(number)` makes sessions past their time, each with a lock and an authentication; their names."""

	def make(number: int, **values) -> list[str]:
		names = []
		for _session in range(number):
			names.append(sessions.open().id)
			sessions.lock_agent(names[-1], "scheduling")
			sessions.authenticate(names[-1], {"name": "Hari"}, method="test")
		site.db.commit()
		for name in names:
			set_row(name, **(values or {"expires_at": PAST}))
		return names

	return make


def test_sessions_past_their_time_end_and_give_up_what_they_held(maintenance, overdue, stored, site):
	names = overdue(3)
	assert maintenance.expire_sessions() == 3
	for name in names:
		row = stored(name)
		assert (row.status, row.authenticated, row.user_profile, row.active_agent) == (
			"Expired",
			0,
			None,
			None,
		)
		assert row.close_reason == "time" and whole(site, name)
	assert maintenance.expire_sessions() == 0


def test_agent_locks_and_authentications_end_by_themselves(maintenance, overdue, stored, site, sessions):
	from assistant_session.sessions.operations import expiry

	before = expiry.count_overdue()
	(locked,) = overdue(1, agent_lock_expires_at=PAST)
	(old,) = overdue(1, auth_expires_at=PAST)
	(idle,) = overdue(1, last_activity=PAST)
	more = {kind: number - before[kind] for kind, number in expiry.count_overdue().items()}
	assert more == {"sessions": 0, "agent locks": 1, "authentications": 2}
	assert (maintenance.expire_agent_locks(), maintenance.expire_authentications()) == (1, 2)
	assert stored(locked).active_agent is None and stored(locked).authenticated == 1
	for name in (old, idle):
		assert (stored(name).authenticated, stored(name).user_profile, stored(name).status) == (
			0,
			None,
			"Active",
		)
	assert all(whole(site, name) for name in (locked, old, idle))


def test_every_worker_hears_of_it(maintenance, overdue, worker, sessions, site):
	(name,) = overdue(1, auth_expires_at=PAST)
	other = worker()
	(version,) = other.run(in_workers.look, name, "version")
	maintenance.expire_authentications()
	assert other.run(in_workers.look, name, "version") == [version + 1]


def test_a_batch_is_bounded_and_takes_the_oldest_first(overdue, sessions, site, stored, set_row, maintenance):
	from assistant_session.sessions.operations import expiry

	names = overdue(5)
	set_row(names[3], expires_at=EARLIER)
	assert expiry.Overdue(expiry.SESSIONS).end(2) == 2
	site.db.commit()
	assert stored(names[3]).status == "Expired"
	assert sum(stored(name).status == "Expired" for name in names) == 2


def test_two_that_run_at_once_share_the_work(overdue, worker, stored, maintenance):
	names = overdue(40)
	(one,), (other,) = race(worker, racing.expire_in_batches, [{}, {}])
	assert one + other == 40 and one and other
	assert all(stored(name).status == "Expired" for name in names)
	assert all(stored(name).event_count == 4 for name in names)


def test_a_row_somebody_has_locked_waits_for_the_next_run(overdue, worker, stored, site, maintenance):
	names = overdue(3)
	holder = worker()
	holder.run(in_workers.lock_rows, names[1])
	assert maintenance.expire_sessions() == 2
	holder.rollback()
	assert maintenance.expire_sessions() == 1
	assert all(stored(name).status == "Expired" for name in names)


def test_one_whose_trail_has_no_place_for_it_ends_all_the_same(overdue, stored, set_row, site, maintenance):
	"""Somebody set its event count back: the next event's number is taken."""
	names = overdue(3)
	set_row(names[1], event_count=1)
	assert maintenance.expire_sessions() == 3
	assert [stored(name).status for name in names] == ["Expired"] * 3
	assert stored(names[1]).event_count == 1, "the doctor still sees it"
	assert maintenance.expire_sessions() == 0


def test_a_batch_full_of_locked_ones_does_not_keep_the_later_ones_waiting(
	overdue, stored, worker, set_row, maintenance, site
):
	from assistant_session.sessions.operations import expiry

	names = overdue(4)
	for name in names[:3]:
		set_row(name, expires_at=EARLIER)
	holder = worker()
	holder.run(in_workers.lock_rows, *names[:3])
	assert expiry.Overdue(expiry.SESSIONS).end(2) == 1, "it goes on past a batch of which none can be ended"
	site.db.commit()
	assert [stored(name).status for name in names] == ["Active", "Active", "Active", "Expired"]
	holder.rollback()
	batches = expiry.Overdue(expiry.SESSIONS)
	assert [batches.end(2), batches.end(2), batches.end(2)] == [2, 1, 0]


@pytest.mark.parametrize("left", [0, 2])
def test_before_it_is_committed_others_open_sessions_and_lock_agents(
	overdue, worker, sessions, site, maintenance, damage, left
):
	"""Also where no other session ends before theirs: the place between two entries of an index stays free."""
	soon = site.utils.add_to_date(site.utils.now_datetime(), hours=1)
	for column in ("expires_at", "agent_lock_expires_at"):
		damage(f"update `tabConversation Session` set {column} = '{FAR_OFF}' where {column} < %s", soon)
	overdue(left)
	ended = [sessions.cleanup_expired(), sessions.cleanup_expired_sessions()]
	assert ended == [left, 0]
	assert worker().run(jobs.open_and_lock_with_every_ttl) is True
	site.db.rollback()


def test_a_job_goes_on_where_another_was_cut_off(overdue, stored, site, maintenance, monkeypatch):
	from assistant_session.sessions.operations import expiry

	names = overdue(6)
	monkeypatch.setattr(maintenance, "LONGEST_SECONDS", 0)
	assert maintenance.in_batches(lambda: expiry.Overdue(expiry.SESSIONS).end(2), seconds=-1) == 2
	site.db.rollback()
	assert sum(stored(name).status == "Expired" for name in names) == 2, "what was done is committed"
	assert maintenance.in_batches(lambda: expiry.Overdue(expiry.SESSIONS).end(2), seconds=60) == 4


def test_the_indexes_serve_the_batches(site, maintenance):
	from assistant_session.sessions import config
	from assistant_session.sessions.operations import expiry

	for kind in expiry.KINDS:
		seen = []
		sql = site.db.sql
		site.db.sql = lambda query, *more, seen=seen, sql=sql, **named: seen.append((query, more)) or sql(
			query, *more, **named
		)
		try:
			expiry.Overdue(kind)._next(10)
		finally:
			del site.db.sql
		query, more = next((query, more) for query, more in seen if "tabConversation Session" in str(query))
		assert databases.index_of(query, *more), kind
	site.db.rollback()
	assert config.settings()


def test_what_runs_on_a_schedule_exists(site):
	from assistant_session import hooks

	for paths in hooks.scheduler_events["cron"].values():
		for path in paths:
			assert callable(site.get_attr(path))
