"""Counting in the process: what is taken, put back, and into which bucket a time falls."""

import json
from datetime import timedelta

import frappe

from assistant_session.counters import Counters
from assistant_session.sessions.coherence import figures
from dev.harness.together import together
from tests.unit.made import NOON, row


def test_a_time_on_the_bound_belongs_to_its_bucket():
	times = {0.0: "0.005", 0.005: "0.005", 0.0051: "0.01", 60.0: "60.0", 61.0: "+Inf"}
	for seconds, bound in times.items():
		assert figures.of_turn(seconds)["turn_time_bucket", bound] == 1


def test_what_is_taken_is_gone_and_what_is_put_back_is_added():
	counters = Counters()
	counters.count("turns", "user")
	batch = counters.take()
	assert counters.take() == {} and list(batch.values()) == [{("turns", "user"): 1}]
	counters.count("turns", "user", 2)
	counters.put_back(batch)
	assert sum(counts["turns", "user"] for counts in counters.take().values()) == 3


def test_one_site_never_sees_anothers(local):
	counters = Counters()
	counters.count("turns")
	counters.read(hit=True)
	local.site = "elsewhere.localhost"
	assert counters.take() == {} and counters.reads() == (0, 0)
	counters.read(hit=False)
	assert counters.reads() == (0, 1) and len(counters.waiting()) == 2


def test_threads_count_without_losing_any(local):
	counters, site = Counters(), local.site

	def count() -> None:
		frappe.local.site, frappe.local.sites_path = site, "."
		for _number in range(2000):
			counters.count("busy")
			counters.put_back(counters.take())

	together([count] * 6)
	assert sum(counts["busy", ""] for counts in counters.take().values()) == 6 * 2000


def test_a_flush_is_due_when_something_waits_and_to_one_caller_only():
	counters = Counters()
	assert not counters.due(0)
	counters.count("turns")
	assert [counters.due(60), counters.due(60)] == [True, False]


def test_a_channel_nobody_configured_is_counted_as_other():
	assert (figures.channel_label("Web"), figures.channel_label("made up")) == ("Web", figures.OTHER)


def test_an_agent_lock_is_counted_until_it_ended_and_no_longer():
	locked = row(agent_locked_at=NOON, agent_lock_expires_at=NOON + timedelta(seconds=10))
	free = locked._replace(agent_locked_at=None, agent_lock_expires_at=None)
	for seconds, held in ((4, 4), (60, 10)):
		counts = figures.of_write(locked, free, (), (), NOON + timedelta(seconds=seconds))
		assert counts == {("agent_locks_ended", ""): 1, ("agent_lock_seconds", ""): held}


def test_an_agent_lock_that_goes_on_has_not_ended():
	before, after = row(agent_locked_at=NOON), row(agent_locked_at=NOON + timedelta())
	assert before.agent_locked_at is not after.agent_locked_at, "each is read from the database by itself"
	assert figures.of_write(before, after, (), (), NOON + timedelta(seconds=4)) == {}


def test_a_flow_counts_when_it_begins_and_when_it_begins_anew():
	flow = lambda began: json.dumps({"order": {"started_at": began}})  # noqa: E731
	begun = lambda one, two: figures.of_write(row(flows=one), row(flows=two), (), (), NOON)  # noqa: E731
	once = {("flows_started", ""): 1}
	assert (begun(None, flow("a")), begun(flow("a"), flow("b")), begun(flow("a"), flow("a"))) == (
		once,
		once,
		{},
	)
