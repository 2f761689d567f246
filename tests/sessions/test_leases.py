"""The right to process a session's messages: who has it, for how long, and what becomes of it with its worker."""

import signal
import time
from pathlib import Path

import pytest

from dev.harness.worker import WorkerError
from tests import in_workers
from tests.sessions.in_workers import leases

STORED = ("hello", "hi", "one")  # text, reply, message id


def test_waiting_is_bounded(opened, worker):
	first, second = worker(), worker()
	first.run(in_workers.take_lease, opened)
	with pytest.raises(WorkerError) as raised:
		second.run(in_workers.say_impatiently, opened, "second")
	assert raised.value.kind == "SessionBusy"


def test_a_hold_outlives_its_worker_for_less_time_than_others_wait(opened, worker, cache_server):
	"""Of a killed worker nobody is told: whoever comes next waits, and is answered."""
	from assistant_session.sessions import config
	from assistant_session.sessions.coherence import register

	dying, next_one = worker(), worker()
	dying.run(in_workers.take_lease, opened)
	dying.kill()
	left = cache_server.client().pttl(register.key("hold", opened)) / 1000
	assert 0 < left < config.settings().hold_wait
	cache_server.client().pexpire(register.key("hold", opened), 500)  # that time has passed
	next_one.run(in_workers.say, opened, "second")
	assert next_one.run(in_workers.look, opened, "turn_count") == [1]


@pytest.mark.parametrize(("configured", "wait"), [(None, 1), (None, 10), (60, 10), (60, 2)])
def test_a_lease_is_shorter_than_the_wait_whatever_is_set(sessions, site, monkeypatch, configured, wait):
	import dataclasses

	from assistant_session.sessions import config

	changed = dataclasses.replace(config.settings(), hold_wait=wait)
	monkeypatch.setitem(config.settings._kept, site.local.site, (float("inf"), changed))
	monkeypatch.setitem(site.local.conf, "assistant_session_hold_ttl", configured)
	assert 0 < config.lease_seconds() < wait


def test_a_hold_is_renewed_while_its_block_runs(opened, worker):
	assert worker().run(leases.is_held_for_longer_than_its_lease, opened) is True


def test_a_hold_is_kept_until_the_transaction_ends(opened, sessions, site, cache_server):
	from assistant_session.sessions.coherence import register

	key, redis = register.key("hold", opened), cache_server.client()
	with sessions.turn(opened, "hello"):
		assert redis.exists(key)
	assert redis.exists(key)
	site.db.commit()
	assert not redis.exists(key)


def test_a_message_that_is_stored_is_answered_without_the_hold(opened, worker, cache_server):
	"""Its worker was killed after COMMIT, or another message is being thought about."""
	from assistant_session.sessions.coherence import register

	first, dying, retry = worker(), worker(), worker()
	assert first.run(in_workers.say, opened, *STORED) == [False, ["hi"]]
	dying.run(in_workers.take_lease, opened)
	dying.kill()
	assert retry.run(in_workers.say, opened, *STORED) == [True, ["hi"]]
	assert cache_server.client().exists(register.key("hold", opened))


def test_a_message_that_is_stored_does_not_queue_behind_the_one_who_waits(opened, worker, cache_server):
	from assistant_session.sessions.coherence import register

	first, holder, waiter, retry = (worker() for _process in range(4))
	first.run(in_workers.say, opened, *STORED)
	holder.run(in_workers.take_lease, opened)
	waiting = waiter.start(in_workers.say, opened, "next")
	_until(lambda: cache_server.client().exists(register.key("waiter", opened)))
	assert retry.run(in_workers.say, opened, *STORED) == [True, ["hi"]]
	holder.run(in_workers.release)
	waiting()


def test_another_text_with_a_stored_id_is_refused_without_the_hold_as_well(opened, worker):
	first, holder, liar = worker(), worker(), worker()
	first.run(in_workers.say, opened, *STORED)
	holder.run(in_workers.take_lease, opened)
	with pytest.raises(WorkerError) as raised:
		liar.run(in_workers.say, opened, "something else", "hi", "one")
	assert raised.value.kind == "InvalidSessionData"


def test_a_stored_message_that_is_purged_while_it_is_repeated_is_still_no_new_one(opened, worker):
	first, holder, retry = worker(), worker(), worker()
	first.run(in_workers.say, opened, *STORED)
	holder.run(in_workers.take_lease, opened)
	assert retry.run(leases.say_what_is_purged_meanwhile, opened, *STORED) == [True, []]


@pytest.fixture
def stood_still(opened, worker, tmp_path, cache_server):
	"""`stood_still(meanwhile)`: a worker stops in the middle of a message for longer than its lease; then it goes on."""
	from assistant_session.sessions.coherence import register

	begun, go_on = tmp_path / "begun", tmp_path / "go on"

	def play(meanwhile):
		slow = worker()
		pending = slow.start(leases.think, opened, str(begun), str(go_on))
		_until(begun.exists)
		slow.signal(signal.SIGSTOP)
		_until(lambda: not cache_server.client().exists(register.key("hold", opened)))
		meanwhile()
		go_on.touch()
		slow.signal(signal.SIGCONT)
		return pending()

	return play


def test_who_waited_in_an_endpoint_sees_what_was_stored_meanwhile(
	sessions, site, opened, worker, cache_server
):
	"""It had looked at the session before: the bot must not go on with that."""
	from assistant_session.sessions.coherence import register

	other = worker()
	with sessions.turn(opened, "first") as turn:
		pending = other.start(leases.state_after_waiting_in_an_endpoint, opened)
		_until(lambda: cache_server.client().exists(register.key("waiter", opened)))
		turn.session.transition("MOVED")
	site.db.commit()
	assert pending() == "MOVED"


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_a_block_that_fails_gives_its_lease_back_at_once(sessions, opened, cache_server, error):
	from assistant_session.sessions.coherence import register

	with pytest.raises(error), sessions.turn(opened, "hello"):
		assert cache_server.client().exists(register.key("hold", opened))
		raise error
	assert not cache_server.client().exists(register.key("hold", opened))


def _until(happened) -> None:
	deadline = time.monotonic() + 30
	while not happened():
		assert time.monotonic() < deadline, "it never happened"
		time.sleep(0.01)


def test_a_worker_that_stood_still_writes_nothing_where_others_went_on(stood_still, sessions, opened, worker):
	with pytest.raises(WorkerError) as raised:
		stood_still(lambda: worker().run(in_workers.say, opened, "the next", "quick"))
	assert raised.value.kind == "SessionBusy"
	assert [turn.content for turn in sessions.history(opened)] == ["the next", "quick"]


def test_a_worker_that_stood_still_writes_nothing_while_another_has_the_session(
	stood_still, sessions, opened, worker
):
	with pytest.raises(WorkerError) as raised:
		stood_still(lambda: worker().run(in_workers.take_lease, opened))
	assert raised.value.kind == "SessionBusy" and sessions.history(opened) == []


def test_a_worker_that_stood_still_tells_what_another_answered_to_the_same_message(
	stood_still, opened, worker
):
	same = ("the slow one", "quick", "slow")
	assert stood_still(lambda: worker().run(in_workers.say, opened, *same)) == [True, ["quick"]]


def test_a_worker_that_stood_still_right_before_its_write_writes_nothing_where_others_went_on(
	sessions, opened, worker
):
	"""It has looked at its lease already."""
	slow = worker()
	pending = slow.start(leases.stop_right_before_the_write, opened)
	_until(lambda: Path(f"/proc/{slow.process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T")
	worker().run(in_workers.say, opened, "the next", "quick")
	slow.signal(signal.SIGCONT)
	with pytest.raises(WorkerError) as raised:
		pending()
	assert raised.value.kind == "SessionBusy"
	assert [turn.content for turn in sessions.history(opened)] == ["the next", "quick"]


def test_a_worker_that_stood_still_goes_on_where_nobody_came(stood_still, sessions, opened):
	assert stood_still(lambda: None) == [False, ["too late"]]
	assert sessions.get(opened).turn_count == 2
