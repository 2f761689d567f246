"""Redis lost: slower, not wrong. Stopped, flushed, full, hanging, restarted, and lost by one worker alone."""

import signal

import pytest

from dev.harness.proxy import Proxy
from tests import in_workers


@pytest.fixture
def stopped(cache_server):
	cache_server.stop()
	yield cache_server
	cache_server.start()


@pytest.fixture
def proxy(cache_server):
	proxy = Proxy(cache_server.port)
	yield proxy
	proxy.close()


def converse(client, before, after):
	"""Talk, let something happen to Redis, talk on; the history must be whole."""
	page = client()
	page.open(channel="Presentation")
	page.say("Hello")
	page.say("Krishna")
	before()
	try:
		assert page.send("Children, 10 min")["state"] == "CREATE_CONFIRMATION_PLAN"
		assert page.resume()["state"] == "CREATE_CONFIRMATION_PLAN"
	finally:
		after()
	assert page.send("Yes, perfect")["state"] == "GENERATE_STRAWMAN"
	assert [turn["sequence"] for turn in page.history()] == list(range(1, 9))


def test_a_conversation_goes_on_while_redis_is_stopped(client, cache_server):
	converse(client, cache_server.stop, cache_server.start)


def test_a_conversation_goes_on_after_a_flush(client, cache_server):
	converse(client, cache_server.flush, lambda: None)


def test_a_conversation_goes_on_while_redis_takes_no_writes(client, cache_server):
	def fill() -> None:
		redis = cache_server.client()
		redis.config_set("maxmemory-policy", "noeviction")
		redis.config_set("maxmemory", "1mb")

	def empty() -> None:
		redis = cache_server.client()
		redis.config_set("maxmemory", "256mb")
		redis.config_set("maxmemory-policy", "allkeys-lru")

	converse(client, fill, empty)


def test_people_are_verified_while_redis_takes_no_writes(sessions, site, opened, cache_server):
	"""Also when what Frappe keeps in Redis about DocTypes is gone, and everything of ours has to be read anew."""
	from assistant_session import authentication
	from assistant_session.authentication import checks
	from assistant_session.demo import directory

	member = directory.new_member("Hari")
	redis = cache_server.client()
	redis.flushall()
	site.local.cache = {}
	site.get_hooks()  # no request of Frappe's gets as far as us without them
	redis.config_set("maxmemory-policy", "noeviction")
	redis.config_set("maxmemory", "1mb")
	try:
		checks.forget()
		assert not authentication.require(opened, "pension_inquiry", "my pension?").open
		checks.forget()
		assert authentication.submit(opened, f"{member.number} {member.national_number}").verified
		site.db.commit()
		assert sessions.get(opened).authenticated
	finally:
		redis.config_set("maxmemory", "256mb")
		redis.config_set("maxmemory-policy", "allkeys-lru")


def test_a_redis_that_hangs_costs_time_and_nothing_else(sessions, site, opened, cache_server):
	cache_server.signal(signal.SIGSTOP)
	try:
		with sessions.turn(opened, "hello", message_id="one") as turn:
			turn.session.transition("ANSWERED")
			turn.reply("hi")
		site.db.commit()
		assert sessions.get(opened).current_state == "ANSWERED"
	finally:
		cache_server.signal(signal.SIGCONT)
	assert [turn.content for turn in sessions.history(opened)] == ["hello", "hi"]


def test_without_redis_a_second_message_waits_for_the_row(worker, opened, stopped):
	first, second = worker(), worker()
	first.run(in_workers.take_lease, opened, "first", "one")
	pending = second.start(in_workers.say, opened, "second", "two")
	first.run(in_workers.release)
	pending()
	assert first.run(in_workers.contents, opened) == ["first", "one", "second", "two"]


def test_without_redis_a_busy_session_says_so_in_bounded_time(worker, opened, stopped):
	first, second = worker(), worker()
	first.run(in_workers.take_lease, opened)
	with pytest.raises(Exception, match="SessionBusy"):
		second.run(in_workers.say_impatiently, opened, "second")


def test_a_worker_cut_off_from_redis_clears_what_it_could_not_mark(worker, opened, proxy):
	cut_off, reader = worker(FRAPPE_REDIS_CACHE=proxy.url), worker()
	cut_off.run(in_workers.state, opened)
	reader.run(in_workers.state, opened)
	proxy.cut()
	cut_off.run(in_workers.move, opened, "UNMARKED")
	assert cut_off.run(in_workers.state, opened) == "UNMARKED"
	proxy.mend()
	cut_off.run(in_workers.state, opened)
	assert reader.run(in_workers.state, opened) == "UNMARKED"


def test_an_entry_nobody_could_delete_ends_by_itself(worker, opened, proxy, cache_server):
	"""The bound of the documented exception: a cut-off worker dies before it could clear the entry."""
	from assistant_session.sessions.coherence import register

	writer, reader = worker(FRAPPE_REDIS_CACHE=proxy.url), worker()
	writer.run(in_workers.move, opened, "PUBLISHED")
	assert 0 < cache_server.client().ttl(register.key("register", opened)) <= 120
	proxy.cut()
	writer.run(in_workers.move, opened, "UNMARKED")
	writer.kill()
	cache_server.client().pexpire(register.key("register", opened), 1)
	while cache_server.client().exists(register.key("register", opened)):
		pass
	assert reader.run(in_workers.state, opened) == "UNMARKED"


def test_after_trouble_a_worker_asks_the_database_about_an_authentication(
	worker, opened, proxy, sessions, site
):
	sessions.authenticate(opened, {"name": "Hari"}, method="test")
	site.db.commit()
	troubled = worker(FRAPPE_REDIS_CACHE=proxy.url)
	troubled.run(in_workers.state, opened)
	proxy.cut()
	troubled.run(in_workers.state, opened)
	proxy.mend()
	assert troubled.run(in_workers.look, opened, "origin", "authenticated") == ["database", True]


def test_calls_are_limited_without_redis_too(site, stopped):
	from assistant_session.sessions.errors import TooManyRequests
	from assistant_session.web import limits

	with pytest.raises(TooManyRequests):
		for _number in range(12):  # one of two minutes at the most lies between
			limits.count("test", "without redis", 5)


def test_redis_holds_plain_numbers_under_the_sites_prefix_only(sessions, site, opened, cache_server):
	redis = cache_server.client()
	sessions.set_flow(opened, "order", "first", {"quantity": 11})
	site.db.commit()
	with sessions.turn(opened, "a secret text", message_id="one"):
		keys = [key for key in redis.scan_iter() if b"assistant_session" in key]
		values = [redis.get(key) for key in keys]
	assert keys and all(key.startswith(f"{site.conf.db_name}|assistant_session:".encode()) for key in keys)
	assert all(value.lstrip(b"m").replace(b":", b"").isdigit() for value in values)


def test_a_hold_whose_answer_got_lost_is_given_back_when_redis_answers(worker, opened, cache_server):
	"""Redis did what it was told and was too slow to say so: nobody may wait for that lease."""
	slow, next_one = worker(), worker()
	slow.run(in_workers.say, opened, "zero")
	cache_server.signal(signal.SIGSTOP)
	try:
		slow.run(in_workers.say, opened, "one")
	finally:
		cache_server.signal(signal.SIGCONT)
	slow.run(in_workers.state, opened)
	next_one.run(in_workers.say_impatiently, opened, "two")
	assert next_one.run(in_workers.look, opened, "turn_count") == [3]
