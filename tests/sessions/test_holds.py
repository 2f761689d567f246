"""The right to process a session's messages: who has it, for how long, and what becomes of it with its worker."""

import signal
import time
from pathlib import Path

import pytest

from dev.harness.worker import WorkerError

HELD = "sessions.block = sessions.turn(name, 'being thought about'); sessions.block.__enter__()"
STORE = """
with sessions.turn(name, 'hello', message_id='one') as turn:
	if not turn.repeated: turn.reply('hi')
frappe.db.commit()
result = [turn.repeated, turn.replies]
"""


def test_waiting_is_bounded(opened, worker):
	first, second = worker(), worker()
	first.run("sessions.block = sessions.turn(name, 'first'); sessions.block.__enter__()", name=opened)
	impatient = """
import dataclasses
config.settings.keep(dataclasses.replace(config.settings(), hold_wait=1), float("inf"))
with sessions.turn(name, "second"): pass
"""
	with pytest.raises(WorkerError) as raised:
		second.run(impatient, name=opened)
	assert raised.value.kind == "SessionBusy"


def test_a_hold_outlives_its_worker_for_less_time_than_others_wait(opened, worker, cache_server):
	"""Of a killed worker nobody is told: whoever comes next waits, and is answered."""
	from assistant_session.sessions import config
	from assistant_session.sessions.coherence import register

	dying, next_one = worker(), worker()
	dying.run("sessions.block = sessions.turn(name, 'first'); sessions.block.__enter__()", name=opened)
	dying.kill()
	left = cache_server.client().pttl(register.key("hold", opened)) / 1000
	assert 0 < left < config.settings().hold_wait
	next_one.run("with sessions.turn(name, 'second'): pass\nfrappe.db.commit()", name=opened)
	assert next_one.run("result = sessions.get(name).turn_count", name=opened) == 1


@pytest.mark.parametrize(("configured", "wait"), [(None, 1), (None, 10), (60, 10), (60, 2)])
def test_a_lease_is_shorter_than_the_wait_whatever_is_set(sessions, site, monkeypatch, configured, wait):
	import dataclasses

	from assistant_session.sessions import config

	changed = dataclasses.replace(config.settings(), hold_wait=wait)
	monkeypatch.setitem(config.settings._kept, site.local.site, (float("inf"), changed))
	monkeypatch.setitem(site.local.conf, "assistant_session_hold_ttl", configured)
	assert 0 < config.lease_seconds() < wait


def test_a_hold_is_renewed_while_its_block_runs(opened, worker):
	code = """
frappe.local.conf.assistant_session_hold_ttl = 0.4
import time
with sessions.turn(name, "long"):
	time.sleep(1.2)
	result = bool(register.connection().redis.exists(register.key("hold", name)))
frappe.db.commit()
"""
	assert worker().run(code, name=opened) is True


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
	assert first.run(STORE, name=opened) == [False, ["hi"]]
	dying.run(HELD, name=opened)
	dying.kill()
	assert retry.run(STORE, name=opened) == [True, ["hi"]]
	assert cache_server.client().exists(register.key("hold", opened))


def test_a_message_that_is_stored_does_not_queue_behind_the_one_who_waits(opened, worker, cache_server):
	from assistant_session.sessions.coherence import register

	first, holder, waiter, retry = (worker() for _process in range(4))
	first.run(STORE, name=opened)
	holder.run(HELD, name=opened)
	waiting = waiter.start("with sessions.turn(name, 'next'): pass\nfrappe.db.commit()", name=opened)
	_until(lambda: cache_server.client().exists(register.key("waiter", opened)))
	assert retry.run(STORE, name=opened) == [True, ["hi"]]
	holder.run("sessions.block.__exit__(None, None, None); frappe.db.commit()")
	waiting()


def test_another_text_with_a_stored_id_is_refused_without_the_hold_as_well(opened, worker):
	first, holder, liar = worker(), worker(), worker()
	first.run(STORE, name=opened)
	holder.run(HELD, name=opened)
	with pytest.raises(WorkerError) as raised:
		liar.run(STORE.replace("'hello'", "'something else'"), name=opened)
	assert raised.value.kind == "InvalidSessionData"


PURGED_MEANWHILE = """
select = session_rows.select
def purge_and_select(*arguments, **more):
	frappe.db.sql("delete from `tabConversation Turn` where session = %s", name)
	frappe.db.commit()
	return select(*arguments, **more)
session_rows.select = purge_and_select
"""


def test_a_stored_message_that_is_purged_while_it_is_repeated_is_still_no_new_one(opened, worker):
	first, holder, retry = worker(), worker(), worker()
	first.run(STORE, name=opened)
	holder.run(HELD, name=opened)
	assert retry.run(PURGED_MEANWHILE + STORE, name=opened) == [True, []]


THINKING = """
import os, time
frappe.local.conf.assistant_session_hold_ttl = 0.5
with sessions.turn(name, "the slow one", message_id="slow") as turn:
	open(begun, "w").close()
	while not os.path.exists(go_on): time.sleep(0.01)
	if not turn.repeated: turn.reply("too late")
frappe.db.commit()
result = [turn.repeated, turn.replies]
"""


@pytest.fixture
def stood_still(opened, worker, tmp_path, cache_server):
	"""`stood_still(meanwhile)`: a worker stops in the middle of a message for longer than its lease; then it goes on."""
	from assistant_session.sessions.coherence import register

	begun, go_on = tmp_path / "begun", tmp_path / "go on"

	def play(meanwhile):
		slow = worker()
		pending = slow.start(THINKING, name=opened, begun=str(begun), go_on=str(go_on))
		_until(begun.exists)
		slow.process.send_signal(signal.SIGSTOP)
		_until(lambda: not cache_server.client().exists(register.key("hold", opened)))
		meanwhile()
		go_on.touch()
		slow.process.send_signal(signal.SIGCONT)
		return pending()

	return play


def _until(happened) -> None:
	deadline = time.monotonic() + 30
	while not happened():
		assert time.monotonic() < deadline, "it never happened"
		time.sleep(0.01)


QUICK = (
	"with sessions.turn(name, {text!r}, message_id={key!r}) as turn: turn.reply('quick')\nfrappe.db.commit()"
)


def test_a_worker_that_stood_still_writes_nothing_where_others_went_on(stood_still, sessions, opened, worker):
	with pytest.raises(WorkerError) as raised:
		stood_still(lambda: worker().run(QUICK.format(text="the next", key="next"), name=opened))
	assert raised.value.kind == "SessionBusy"
	assert [turn.content for turn in sessions.history(opened)] == ["the next", "quick"]


def test_a_worker_that_stood_still_writes_nothing_while_another_has_the_session(
	stood_still, sessions, opened, worker
):
	with pytest.raises(WorkerError) as raised:
		stood_still(lambda: worker().run(HELD, name=opened))
	assert raised.value.kind == "SessionBusy" and sessions.history(opened) == []


def test_a_worker_that_stood_still_tells_what_another_answered_to_the_same_message(
	stood_still, opened, worker
):
	same = QUICK.format(text="the slow one", key="slow")
	assert stood_still(lambda: worker().run(same, name=opened)) == [True, ["quick"]]


STOPS_BEFORE_ITS_WRITE = """
import os, signal
frappe.local.conf.assistant_session_hold_ttl = 0.5
replace = session_rows.replace
def stop_and_replace(*arguments, **more):
	session_rows.replace = replace
	os.kill(os.getpid(), signal.SIGSTOP)
	return replace(*arguments, **more)
session_rows.replace = stop_and_replace
with sessions.turn(name, "the slow one") as turn: turn.reply("too late")
frappe.db.commit()
"""


def test_a_worker_that_stood_still_right_before_its_write_writes_nothing_where_others_went_on(
	sessions, opened, worker
):
	"""It has looked at its lease already."""
	slow = worker()
	pending = slow.start(STOPS_BEFORE_ITS_WRITE, name=opened)
	_until(lambda: Path(f"/proc/{slow.process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T")
	worker().run(QUICK.format(text="the next", key="next"), name=opened)
	slow.process.send_signal(signal.SIGCONT)
	with pytest.raises(WorkerError) as raised:
		pending()
	assert raised.value.kind == "SessionBusy"
	assert [turn.content for turn in sessions.history(opened)] == ["the next", "quick"]


def test_a_worker_that_stood_still_goes_on_where_nobody_came(stood_still, sessions, opened):
	assert stood_still(lambda: None) == [False, ["too late"]]
	assert sessions.get(opened).turn_count == 2
