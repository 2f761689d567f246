"""Figures: counted exactly when something is committed, for nothing, and never lost but with a killed worker."""

import dataclasses
import os
import subprocess
import sys
import time
import uuid

import pytest

from dev.harness.proxy import Proxy
from dev.harness.trips import Trips
from tests import checks, in_workers
from tests.conftest import REPOSITORY
from tests.metrics import in_workers as here
from tests.races import race
from tests.sessions.test_sites import ONE, OTHER

TURN_TIME = {"turn_time_bucket", "turn_time_seconds"}
READS = {"memory_reads", "sessions_restored"}  # reading is no part of a transaction


@pytest.fixture
def counted(site):
	"""What this process has counted since the test began (or since `counted.forget()`): {(metric, label): amount}."""
	from collections import Counter

	from assistant_session.counters import counters

	def read(*, without: set[str] = frozenset()) -> dict:
		batch = counters.take()
		counters.put_back(batch)
		total = sum(map(Counter, batch.values()), Counter())
		return {key: amount for key, amount in total.items() if key[0] not in without}

	read.forget = counters.take
	counters.take()
	yield read
	counters.take()


@pytest.fixture
def label() -> str:
	"""A label nobody else counts by."""
	return f"test {uuid.uuid4().hex}"


@pytest.fixture
def total(site):
	from assistant_session.sessions.tables import totals

	return lambda label, metric="turns": totals.read().get((metric, label), 0)


@pytest.fixture
def configured(site, monkeypatch):
	from assistant_session.sessions import config

	def change(**values) -> None:
		changed = dataclasses.replace(config.settings(), **values)
		monkeypatch.setitem(config.settings._kept, site.local.site, (float("inf"), changed))

	return change


# What a write does, and what is counted once it is committed: (before it, the write, figures).
NOTHING = lambda sessions, name: None  # noqa: E731
FILLING = lambda sessions, name: sessions.set_flow(name, "order", "contact")  # noqa: E731
KNOWN = lambda sessions, name: sessions.authenticate(name, {"name": "H"}, method="test", identity="h")  # noqa: E731
ROUTED = lambda sessions, name: sessions.lock_agent(name, "scheduling")  # noqa: E731


def answered(sessions, name: str) -> None:
	with sessions.turn(name, "hello") as turn:
		turn.reply("hi")
		turn.reply("how are you?")
		turn.note("greeted")


def expired(sessions, name: str) -> None:
	import frappe

	frappe.db.sql("update `tabConversation Session` set expires_at = '2020-01-01' where name = %s", name)

	from assistant_session.sessions.operations import closing

	closing.expire(name)


WRITES = {
	"opening": (NOTHING, lambda sessions, _name: sessions.open(), {("sessions_created", "Web"): 1}),
	"a turn": (
		NOTHING, answered, {("turns", "user"): 1, ("turns", "assistant"): 2, ("turns", "system"): 1},
	),
	"a flow begun": (NOTHING, FILLING, {("flows_started", ""): 1}),
	"a flow moved": (FILLING, lambda sessions, name: sessions.set_flow(name, "order", "address"), {}),
	"a second flow": (
		FILLING, lambda sessions, name: sessions.set_flow(name, "callback", "when"), {("flows_started", ""): 1},
	),
	"a flow completed": (
		FILLING, lambda sessions, name: sessions.clear_flow(name, "order", completed=True), {("flows_completed", ""): 1},
	),
	"a flow given up": (FILLING, lambda sessions, name: sessions.clear_flow(name, "order"), {}),
	"authenticating": (NOTHING, KNOWN, {("authenticated", ""): 1}),
	"logging out": (KNOWN, lambda sessions, name: sessions.deauthenticate(name), {("deauthenticated", ""): 1}),
	"locking an agent": (NOTHING, ROUTED, {("agent_locks_granted", ""): 1}),
	"closing": (NOTHING, lambda sessions, name: sessions.close(name, "done"), {("sessions_closed", ""): 1}),
	"closing while routed": (
		ROUTED,
		lambda sessions, name: sessions.close(name, "done"),
		{("sessions_closed", ""): 1, ("agent_locks_ended", ""): 1},
	),
	"expiring": (NOTHING, expired, {("sessions_expired", ""): 1}),
	"moving to another state": (NOTHING, lambda sessions, name: sessions.transition(name, "MOVED"), {}),
}  # fmt: skip


@pytest.mark.parametrize("case", WRITES)
def test_a_write_is_counted_when_it_is_committed_and_not_before(case, sessions, site, opened, counted):
	before, write, figures = WRITES[case]
	before(sessions, opened)
	site.db.commit()
	counted.forget()
	write(sessions, opened)
	apart = {*READS, *TURN_TIME, "agent_lock_seconds"}
	assert counted(without=apart) == {}
	site.db.commit()
	assert counted(without=apart) == figures


@pytest.mark.parametrize("case", WRITES)
def test_a_write_that_is_rolled_back_is_not_counted(case, sessions, site, opened, counted):
	before, write, _figures = WRITES[case]
	before(sessions, opened)
	another = sessions.open().id
	site.db.commit()
	counted.forget()
	write(sessions, opened)
	site.db.rollback()
	sessions.transition(another, "ON")  # what was forgotten must not come back with the next COMMIT
	site.db.commit()
	assert counted(without=READS) == {}


def test_what_a_savepoint_undid_is_not_counted_and_what_was_before_it_is(sessions, site, opened, counted):
	sessions.set_flow(opened, "order", "contact")
	site.db.savepoint("here")
	sessions.close(opened, "done")
	site.db.rollback(save_point="here")
	site.db.commit()
	assert counted(without=READS) == {("flows_started", ""): 1}


def test_a_write_in_the_place_of_an_undone_one_is_counted_alone(sessions, site, opened, counted):
	site.db.savepoint("here")
	sessions.close(opened, "done")
	site.db.rollback(save_point="here")
	sessions.transition(opened, "ON")
	site.db.commit()
	assert counted(without=READS) == {}


def test_several_writes_of_one_transaction_are_all_counted(sessions, site, opened, counted):
	answered(sessions, opened)
	sessions.set_flow(opened, "order", "contact")
	sessions.close(opened, "done")
	site.db.commit()
	assert counted(without=READS | TURN_TIME) == {
		("turns", "user"): 1, ("turns", "assistant"): 2, ("turns", "system"): 1,
		("flows_started", ""): 1, ("sessions_closed", ""): 1,
	}  # fmt: skip


def test_a_repeated_message_is_not_a_second_turn(sessions, site, opened, counted):
	for _again in range(2):
		with sessions.turn(opened, "hello", message_id="one") as turn:
			turn.reply("hi")
		site.db.commit()
	figures = counted()
	assert figures["turns", "user"] == figures["turns", "assistant"] == 1
	assert sum(amount for (metric, _label), amount in figures.items() if metric == "turn_time_bucket") == 1
	assert figures["turn_time_seconds", ""] > 0


def test_wrong_credentials_and_locks_are_counted(sessions, site, opened, counted, configured):
	from assistant_session import authentication
	from assistant_session.demo import directory

	one, other = directory.new_member("Hari"), directory.new_member("Sita")
	configured(attempts_allowed=2)
	authentication.require(opened, "pension_inquiry", checks.QUESTION)
	site.db.commit()
	expected = ("not_matched", "not_matched", "locked")
	for kind in expected:
		assert authentication.submit(opened, f"{one.number} {other.national_number}").kind == kind
		site.db.commit()
	figures = counted(without=READS)
	assert figures["authentication_failed", ""] == 2
	assert figures["verification_locked", ""] == 2  # the attempt that locked, and the one that met the lock


def test_two_writers_are_merged_or_one_is_refused_and_either_is_counted_once(
	sessions, site, opened, counted, worker
):
	other = worker()
	with sessions.turn(opened, "hello") as turn:
		turn.session.transition("MINE")
		other.write(sessions.update, opened, {"context": {"theirs": 1}})
	assert ("conflicts", "merged") not in counted()
	site.db.commit()
	assert counted()["conflicts", "merged"] == 1 and ("conflicts", "refused") not in counted()
	with pytest.raises(sessions.SessionConflict), sessions.turn(opened, "hello") as turn:
		turn.session.transition("MINE AGAIN")
		other.write(sessions.transition, opened, "THEIRS")
	site.db.rollback()
	figures = counted()
	assert (figures["conflicts", "merged"], figures["conflicts", "refused"]) == (1, 1)


def test_a_refusal_that_passes_through_several_callers_is_counted_once(sessions, site, opened, counted):
	from assistant_session.sessions.coherence import repeating

	def fail(_first):
		raise sessions.SessionConflict.on(opened, "version")

	with pytest.raises(sessions.SessionConflict):
		repeating.repeated(opened, lambda _first: repeating.repeated(opened, fail))
	assert counted(without=READS) == {("conflicts", "refused"): 1}


def test_a_session_that_stays_busy_is_counted(sessions, site, opened, counted, configured, worker):
	configured(hold_wait=0)
	other = worker()
	other.run(in_workers.take_lease, opened)
	with pytest.raises(sessions.SessionBusy), sessions.turn(opened, "second"):
		raise AssertionError("entered")
	assert counted(without=READS) == {("busy", ""): 1}


def test_a_row_that_stays_locked_is_counted_as_busy(sessions, site, opened, counted, monkeypatch):
	from assistant_session.sessions.coherence import leases

	def wait(*_arguments, **_named):
		raise site.db.OperationalError(1205, "Lock wait timeout exceeded")

	monkeypatch.setattr(leases, "at_once", wait)
	with pytest.raises(sessions.SessionBusy), sessions.turn(opened, "hello"):
		raise AssertionError("entered")
	assert counted(without=READS) == {("busy", ""): 1}


def test_only_who_asks_in_vain_counts_as_not_found(sessions, site, counted):
	unknown = f"unknown-{uuid.uuid4().hex}"
	for ask in (
		lambda: sessions.get(unknown),
		lambda: sessions.turn(unknown, "hello").__enter__(),
		lambda: sessions.close(unknown, "done"),
	):
		with pytest.raises(sessions.SessionNotFound):
			ask()
		site.db.rollback()
	sessions.open(unknown)  # to open a session under an id of one's own is no search
	assert counted()["sessions_not_found", "unknown"] == 3


def test_restored_says_from_where_and_reads_say_how_often_memory_had_it(sessions, site, opened, counted):
	from assistant_session.sessions.coherence.memory import memory

	memory.clear()
	sessions.open(opened)
	sessions.open(opened)
	answered(sessions, opened)
	site.db.commit()
	figures = counted()
	assert (figures["sessions_restored", "database"], figures["sessions_restored", "memory"]) == (1, 2)
	assert (figures["memory_reads", "miss"], figures["memory_reads", "hit"]) == (1, 2)


def test_a_released_agent_lock_is_counted_with_the_time_it_was_held(sessions, site, opened, counted):
	grant = sessions.lock_agent(opened, "scheduling")
	site.db.commit()
	locked_at = site.utils.add_to_date(sessions.get(opened).row.agent_locked_at, seconds=-90)
	site.db.sql(
		"update `tabConversation Session` set agent_locked_at = %s where name = %s", (locked_at, opened)
	)
	site.db.commit()
	assert sessions.release_agent(grant)
	site.db.commit()
	figures = counted()
	assert figures["agent_locks_ended", ""] == 1 and 90 <= figures["agent_lock_seconds", ""] < 150


def test_a_lock_past_its_time_was_held_until_then_and_no_longer(sessions, site, opened, counted):
	sessions.lock_agent(opened, "scheduling")
	site.db.commit()
	site.db.sql(
		"update `tabConversation Session` set agent_locked_at = '2020-01-01 10:00:00',"
		" agent_lock_expires_at = '2020-01-01 10:02:00' where name = %s", opened,
	)  # fmt: skip
	site.db.commit()
	sessions.close(opened, "done")
	site.db.commit()
	assert counted()["agent_lock_seconds", ""] == 120


def trips_of_a_turn(sessions, site, name: str) -> tuple[int, int]:
	with Trips() as trips:
		answered(sessions, name)
		site.db.commit()
	return trips.statements, trips.redis


@pytest.mark.mariadb  # the database says how many statements it got
def test_a_turn_costs_the_same_statements_and_trips_as_without_counting(
	sessions, site, opened, counted, monkeypatch
):
	from assistant_session.counters import Counters, counters
	from assistant_session.metrics import after_requests

	trips_of_a_turn(sessions, site, opened)
	with_counting = trips_of_a_turn(sessions, site, opened)
	assert counted()["turns", "user"] == 2
	monkeypatch.setattr(Counters, "add", lambda _self, _counts: None)
	monkeypatch.setattr(Counters, "read", lambda _self, *, hit: None)
	assert trips_of_a_turn(sessions, site, opened) == with_counting
	monkeypatch.undo()

	after_requests.after_request()
	answered(sessions, opened)
	site.db.commit()
	with Trips() as trips:
		after_requests.after_request()
	assert (trips.statements, trips.redis) == (0, 0) and counters.waiting()


def test_a_request_flushes_once_in_the_interval_and_not_again(site, counted, monkeypatch, label, total):
	from assistant_session.counters import counters
	from assistant_session.metrics import after_requests

	monkeypatch.setattr(counters, "_flushed", {})
	counters.count("turns", label)
	after_requests.after_request()
	counters.count("turns", label)
	after_requests.after_request()
	assert (total(label), counted()) == (1, {("turns", label): 1})
	monkeypatch.setitem(site.local.conf, "assistant_session_metrics_interval", 0)
	after_requests.after_request()
	assert (total(label), counted()) == (2, {})


def test_frappes_requests_and_jobs_flush_also_a_job_that_fails(worker, label):
	other = worker()
	assert other.run(here.count_and_end_a_request, label) == 1
	assert other.run(here.count_and_do_a_job, label, ONE) == 2
	assert other.run(here.count_and_do_a_job, label, ONE, fails=True) == 3


def test_the_process_of_a_job_is_no_worker(worker, label):
	"""Each would be a series of its own for ten minutes."""
	other = worker()
	other.run(here.count_and_do_a_job, label, ONE)
	assert other.run(here.is_shown_as_worker) is False
	other.run(here.count_and_end_a_request, label)
	assert other.run(here.is_shown_as_worker) is True


def test_of_too_many_workers_the_ones_seen_last_are_shown(worker, monkeypatch):
	from assistant_session.metrics import workers

	other = worker()
	other.run(workers.publish)
	time.sleep(1.1)  # they are kept by the second
	workers.publish()
	monkeypatch.setattr(workers, "MOST_SHOWN", 1)
	assert list(workers.read()) == [workers.name()]


def test_flushes_of_several_processes_at_once_add_up_exactly(worker, label, total):
	race(worker, here.flush_in_a_race, [{"label": label}] * 4, rounds=40)
	assert (total(label), total(label, "busy")) == (160, 320)
	assert {total(f"{label} {number}") for number in range(40)} == {4}


def test_hours_and_totals_hold_the_same(site, counted, label):
	from assistant_session.counters import counters
	from assistant_session.metrics import after_requests

	for _flush in range(2):
		counters.count("turns", label, 1.25)
		after_requests.flush()
	rows = site.get_all("Session Metric", {"label": label}, ["metric", "hour", "value"], order_by="name")
	assert {(row.metric, row.value) for row in rows} >= {("turns", 2.5)}
	assert sum(row.value for row in rows if row.hour) == sum(row.value for row in rows if not row.hour) == 2.5
	assert all(row.hour.minute == row.hour.second == 0 for row in rows if row.hour)


def test_a_late_flush_still_counts_in_the_hour_things_happened(site, label):
	from datetime import datetime, timedelta

	from assistant_session.sessions import config
	from assistant_session.sessions.tables import totals

	then = datetime(2026, 3, 1, 12, 50, tzinfo=config.settings().time_zone)
	quarter = int(then.timestamp()) // 900
	totals.add({quarter: {("turns", label): 1}, quarter + 1: {("turns", label): 2}})
	found = dict(
		site.get_all(
			"Session Metric", {"label": label, "hour": [">", "1900-01-01"]}, ["hour", "value"], as_list=True
		)
	)
	noon = datetime(2026, 3, 1, 12)
	assert found == {noon: 1, noon + timedelta(hours=1): 2}


@pytest.fixture
def database_proxy(site):
	proxy = Proxy(int(site.local.conf.db_port))
	yield proxy
	proxy.close()


def test_a_flush_while_the_database_is_away_loses_nothing(worker, database_proxy, label, total):
	other = worker()
	other.run(here.connect_by, database_proxy.port)
	assert other.run(here.count_and_flush, label) is True
	database_proxy.cut()
	assert other.run(here.count_and_flush, label) is False
	assert other.run(here.count_and_flush, label) is False
	assert total(label) == 1
	database_proxy.mend()
	assert other.run(here.count_and_flush, label) is True
	assert total(label) == 4


def test_a_flush_that_fails_half_way_stores_nothing_of_it(site, counted, label, total, monkeypatch):
	from assistant_session.counters import counters
	from assistant_session.metrics import after_requests
	from assistant_session.sessions.tables import totals

	real, grown = totals.write, []

	def write(query, **named):
		grown.append(query)
		if len(grown) == 2:
			raise site.db.OperationalError(1205, "Lock wait timeout exceeded")
		return real(query, **named)

	monkeypatch.setattr(totals, "write", write)
	counters.count("turns", label)
	assert after_requests.flush() is False
	assert (total(label), counted()) == (0, {("turns", label): 1})
	assert after_requests.flush() is True
	assert (total(label), counted()) == (1, {})
	assert site.get_all("Session Metric", {"label": label}, pluck="value") == [1, 1]


def test_rows_are_there_before_anything_is_added_to_them(site, label, monkeypatch):
	"""To update one that is missing would lock the others of its hour too."""
	from assistant_session.sessions.tables import totals

	with monkeypatch.context() as stopped:
		stopped.setattr(totals, "_grow", lambda _db, _rows: None)
		totals.add({0: {("turns", label): 2}})
	assert site.get_all("Session Metric", {"label": label}, pluck="value") == [0, 0]


def test_a_row_that_goes_at_that_very_moment_is_made_anew(site, counted, label, total, monkeypatch):
	from assistant_session.sessions.tables import totals

	monkeypatch.setattr(totals, "_ensure", lambda _db, _rows: None)
	for _flush in range(2):
		totals.add({0: {("turns", label): 2}})
	assert total(label) == 4


def test_what_is_too_small_to_store_is_no_reason_to_fail(site, counted, label, total):
	from assistant_session.sessions.tables import totals

	totals.add({0: {("turns", label): 1e-9, ("busy", label): 0.25}})
	assert (total(label), total(label, "busy")) == (0, 0.25)


def test_a_mistake_in_the_flush_is_raised_and_keeps_the_counts(site, counted, label, monkeypatch):
	from assistant_session.counters import counters
	from assistant_session.metrics import after_requests
	from assistant_session.sessions.tables import totals

	counters.count("turns", label)
	monkeypatch.setattr(totals, "add", lambda _batch: 1 / 0)
	with pytest.raises(ZeroDivisionError):
		after_requests.flush()
	assert counted() == {("turns", label): 1}


def test_a_flush_leaves_the_callers_transaction_alone(sessions, site, opened, counted, label, total):
	from assistant_session.counters import counters
	from assistant_session.metrics import after_requests

	sessions.transition(opened, "MAYBE")
	counters.count("turns", label)
	assert after_requests.flush() and total(label) == 1
	site.db.rollback()
	assert sessions.get(opened).current_state is None


def test_a_redis_that_was_flushed_or_is_stopped_loses_no_count(site, counted, cache_server, label, total):
	from assistant_session.counters import counters
	from assistant_session.metrics import after_requests, workers

	counters.count("turns", label)
	after_requests.flush()
	cache_server.flush()
	counters.count("turns", label)
	after_requests.flush()
	cache_server.stop()
	try:
		counters.count("turns", label)
		assert after_requests.flush() and workers.read() is None
	finally:
		cache_server.start()
	assert total(label) == 3


def test_figures_of_two_sites_served_by_one_process_stay_apart(worker, label):
	assert OTHER, "set FRAPPE_OTHER_SITE to a second site of the bench with the app installed"
	first, second, third, fourth = worker().run(here.count_on_two_sites, ONE, OTHER, label)
	assert (first, second) == ([2, [1, 0]], [0, [0, 0]])
	assert (third, fourth) == (first, [5, [0, 0]])


def test_a_forked_process_does_not_count_its_parents_figures_again(worker, label, total):
	other = worker()
	other.run(here.open_and_read, f"s-{uuid.uuid4().hex}")
	assert other.run(here.fork_with_something_counted, label) == 0
	assert total(label) == 1


def test_a_process_that_ends_in_good_order_leaves_nothing_behind(stage, site, label, total):
	program = [sys.executable, "-m", "tests.metrics.counting_process", site.local.site, label]
	environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
	subprocess.run(program, cwd=stage.sites, env=environment, check=True)
	assert total(label) == 1


def test_a_killed_process_loses_only_what_it_counted_since_its_last_flush(worker, label, total):
	other = worker()
	other.run(here.count_flush_and_count, label)
	other.kill()
	assert total(label) == 1


def test_whatever_callers_name_freely_makes_no_figure_of_its_own(sessions, site, opened, counted):
	for number in range(5):
		sessions.open(channel=f"channel {number} {uuid.uuid4().hex}")
		sessions.set_flow(opened, f"flow {number}", "one")
		sessions.lock_agent(opened, f"agent {number}", steal=True)
	site.db.commit()
	assert {label for metric, label in counted() if metric == "sessions_created"} == {"other"}
	assert {label for metric, label in counted() if metric.startswith(("flows", "agent"))} == {""}
	assert counted()["sessions_created", "other"] == 5


def test_the_worker_of_this_test_is_shown_with_its_memory(sessions, site, opened, counted, cache_server):
	from assistant_session.metrics import after_requests, workers
	from assistant_session.sessions.coherence.memory import memory

	sessions.get(opened)
	after_requests.flush()
	figures = workers.read()[workers.name()]
	assert workers.name().endswith(f":{os.getpid()}") and figures.entries == len(memory) > 0
	assert figures.bytes > figures.entries and figures.hits > 0
	own = site.local.conf.db_name
	keys = [*cache_server.client().scan_iter(f"{own}|assistant_session:worker*")]
	assert f"{own}|assistant_session:worker:{workers.name()}".encode() in keys
	assert all(0 < cache_server.client().ttl(key) <= workers.SEEN_SECONDS for key in keys)


def test_a_worker_that_was_not_seen_for_ten_minutes_is_not_shown(site, cache_server):
	from assistant_session.metrics import workers

	workers.publish()
	cache_server.client().zadd(workers._seen(), {workers.name(): 1})
	assert workers.name() not in workers.read()
	workers.publish()
	assert workers.name() in workers.read()


def test_purging_removes_old_hours_and_keeps_totals(site, label, total):
	from assistant_session.sessions.tables import totals

	totals.add({0: {("turns", label): 3}})
	assert site.db.exists("Session Metric", {"label": label, "hour": [">", "1900-01-01"]})
	site.get_doc({"doctype": "Session Metric"}).clear_old_logs(days=400)
	site.db.rollback()
	assert not site.db.exists("Session Metric", {"label": label, "hour": [">", "1900-01-01"]})
	assert total(label) == 3


def test_log_settings_clear_old_figures(site):
	from frappe.core.doctype.log_settings.log_settings import _supports_log_clearing

	from assistant_session import hooks

	assert (
		_supports_log_clearing("Session Metric")
		and hooks.default_log_clearing_doctypes["Session Metric"] == 400
	)
