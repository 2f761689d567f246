"""Memory stays right: workers with memories of their own, one register, one database (design, section 6)."""

import random
import uuid

import pytest

from assistant_session import sessions as api
from tests import in_workers
from tests.sealed import every_seal_fits
from tests.sessions.in_workers import coherence

__all__ = ["every_seal_fits"]


@pytest.fixture
def gates(tmp_path):
	return {"reached": str(tmp_path / "reached"), "gate": str(tmp_path / "gate")}


def wait_for(path: str) -> None:
	import os
	import time

	deadline = time.monotonic() + 60
	while not os.path.exists(path):
		assert time.monotonic() < deadline, "the other worker never got there"
		time.sleep(0.005)


def test_a_write_is_seen_by_another_worker_that_remembers_the_old_row(worker, opened):
	writer, reader = worker(), worker()
	for state in ("FIRST", "SECOND", "THIRD"):
		writer.run(in_workers.move, opened, state)
		assert reader.run(in_workers.state, opened) == state


def test_a_session_in_memory_is_read_without_the_database(worker, opened):
	one = worker()
	one.run(in_workers.state, opened)
	assert one.run(coherence.origin_without_a_database, opened) == "memory"


def test_a_session_unknown_to_the_register_is_read_from_the_database(worker, opened, cache_server):
	one = worker()
	one.run(in_workers.state, opened)
	cache_server.flush()
	assert one.run(in_workers.origin, opened) == "database"


def test_readers_never_write_the_register(worker, opened, cache_server):
	cache_server.flush()
	worker().run(in_workers.state, opened)
	assert not [key for key in cache_server.client().scan_iter() if opened.encode() in key]


def test_while_a_transaction_is_open_everybody_else_reads_the_database(worker, opened):
	writer, reader = worker(), worker()
	reader.run(in_workers.state, opened)
	writer.run(api.transition, opened, "OPEN")
	assert reader.run(in_workers.look, opened, "current_state", "origin") == [None, "database"]
	writer.commit()
	assert reader.run(in_workers.state, opened) == "OPEN"


def test_a_batch_marks_each_of_its_sessions_before_it_writes(worker, sessions, site):
	names = [sessions.open().id for _number in range(3)]
	site.db.commit()
	writer, reader = worker(), worker()
	assert [reader.run(in_workers.state, name) for name in names] == [None] * 3
	writer.run(coherence.write_a_batch, names, "BATCH")
	assert [reader.run(in_workers.origin, name) for name in names] == ["database"] * 3
	writer.commit()
	assert [reader.run(in_workers.state, name) for name in names] == ["BATCH"] * 3


def test_a_writer_reads_its_own_uncommitted_change(worker, opened):
	writer = worker()
	writer.run(api.transition, opened, "MINE")
	assert writer.run(in_workers.state, opened) == "MINE"


def test_a_late_publisher_does_not_bring_the_older_row_back(worker, opened, gates):
	slow, fast, reader = worker(), worker(), worker()
	pending = slow.start(coherence.move_and_publish_late, opened, "OLDER", **gates)
	wait_for(gates["reached"])
	assert reader.run(in_workers.state, opened) == "OLDER"  # committed, not yet published
	fast.run(in_workers.move, opened, "NEWER")
	open(gates["gate"], "w").close()
	pending()
	assert [one.run(in_workers.state, opened) for one in (slow, fast, reader)] == ["NEWER"] * 3


def test_a_late_publisher_leaves_the_mark_of_an_open_transaction_alone(worker, opened, gates):
	slow, writer, reader = worker(), worker(), worker()
	pending = slow.start(coherence.move_and_publish_late, opened, "OLDER", **gates)
	wait_for(gates["reached"])
	writer.run(api.transition, opened, "NEWER")
	open(gates["gate"], "w").close()
	pending()
	reader.run(in_workers.state, opened)
	writer.commit()
	assert writer.run(in_workers.origin, opened) == "memory"  # its mark stood, so that it could publish
	assert [one.run(in_workers.state, opened) for one in (slow, writer, reader)] == ["NEWER"] * 3


def test_a_worker_killed_between_commit_and_publish_hides_nothing(worker, opened, gates):
	slow, reader = worker(), worker()
	reader.run(in_workers.state, opened)
	slow.start(coherence.move_and_publish_late, opened, "WRITTEN", **gates)
	wait_for(gates["reached"])
	slow.kill()
	assert reader.run(in_workers.state, opened) == "WRITTEN"


def test_a_job_with_an_old_view_opens_the_session_a_person_has_by_now(worker, sessions, site, gates):
	"""The one it sees was closed meanwhile, and its key is another's."""
	person = f"person-{uuid.uuid4().hex}"
	before = sessions.open(channel="Web", external_id=person).id
	site.db.commit()
	job = worker()
	pending = job.start(coherence.open_after, "Web", person, **gates)
	wait_for(gates["reached"])
	sessions.close(before, "test")
	after = sessions.open(channel="Web", external_id=person).id
	site.db.commit()
	open(gates["gate"], "w").close()
	assert pending() == after != before


def test_a_cold_turn_that_dies_before_publishing_hides_nothing(worker, opened, gates):
	"""Another writer publishes between its first mark and its reading of the row: it marks again at COMMIT."""
	cold, other, reader = worker(), worker(), worker()
	cold.start(coherence.take_a_cold_turn, opened, **gates)
	wait_for(gates["reached"] + "1")
	other.run(in_workers.move, opened, "BETWEEN")
	assert reader.run(in_workers.state, opened) == "BETWEEN"
	open(gates["gate"] + "1", "w").close()
	wait_for(gates["reached"])
	cold.kill()
	assert reader.run(in_workers.state, opened) == "COLD"


def test_a_deleted_and_recreated_session_never_matches_old_memory(worker, opened, site, sessions):
	from assistant_session.sessions.coherence import register

	reader = worker()
	reader.run(in_workers.state, opened)
	site.db.sql("delete from `tabConversation Session` where name = %s", opened)
	site.db.sql("delete from `tabSession Event` where session = %s", opened)
	site.db.commit()
	register.forget([opened])
	assert sessions.open(opened, state="ANEW").version == sessions.get(opened).version == 1
	site.db.commit()
	assert reader.run(in_workers.state, opened) == "ANEW"


def test_a_row_deleted_by_hand_may_be_read_for_a_while_but_not_written(worker, opened, site):
	one = worker()
	one.run(in_workers.state, opened)
	site.db.sql("delete from `tabConversation Session` where name = %s", opened)
	site.db.commit()
	with pytest.raises(Exception, match="SessionNotFound"):
		one.run(in_workers.move, opened, "GHOST")
	with pytest.raises(Exception, match="SessionNotFound"):
		one.run(in_workers.say, opened, "hello")


def test_a_forked_worker_starts_with_an_empty_memory(worker, opened):
	assert worker().run(coherence.fork_and_count, opened) == [1, 0]


def test_max_age_accepts_memory_without_asking_and_zero_asks(worker, opened):
	writer, reader = worker(), worker()
	reader.run(in_workers.state, opened)
	writer.run(in_workers.move, opened, "MOVED")
	assert reader.run(coherence.state_at_most_old, opened, 60) is None
	assert reader.run(in_workers.state, opened) == "MOVED"


def test_a_second_read_in_a_request_asks_nobody_and_sees_own_writes(site, sessions, opened, monkeypatch):
	from assistant_session.sessions.coherence import register

	class Request:
		pass

	site.local.request = Request()
	sessions.get(opened)
	monkeypatch.setattr(register, "read", None)
	assert sessions.get(opened).current_state is None
	monkeypatch.undo()
	sessions.transition(opened, "MINE")
	assert sessions.get(opened).current_state == "MINE"


def test_a_job_with_an_old_snapshot_reads_what_is_current(worker, opened, cache_server):
	job, writer = worker(), worker()
	job.run(in_workers.begin_snapshot)
	writer.run(in_workers.move, opened, "CURRENT")
	cache_server.flush()
	assert job.run(in_workers.state, opened) == "CURRENT"


def test_two_sessions_of_a_snapshot_are_nobody_elses(sessions, opened):
	mine, other = sessions.get(opened), sessions.get(opened)
	mine.context["secret"] = "mine"
	assert other.context == {}
	assert sessions.get(opened).context == {}


def test_random_reads_and_writes_of_three_workers_never_show_an_older_state(worker, sessions, site):
	"""Two hundred random steps; the checker knows only what was acknowledged."""
	names = [sessions.open().id for _number in range(3)]
	site.db.commit()
	group, acknowledged, rolls = [worker() for _number in range(3)], dict.fromkeys(names), random.Random(7)
	for number in range(200):
		one, name = rolls.choice(group), rolls.choice(names)
		if rolls.random() < 0.4:
			one.run(in_workers.move, name, f"S{number}")
			acknowledged[name] = f"S{number}"
		else:
			assert one.run(in_workers.state, name) == acknowledged[name]
