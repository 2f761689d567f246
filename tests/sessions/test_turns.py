"""Turns: gapless, single, one message at a time, never interleaved."""

import pytest

from tests import in_workers
from tests.races import race
from tests.sealed import every_seal_fits
from tests.sessions.in_workers import leases

__all__ = ["every_seal_fits"]


def talk(sessions, site, name: str, text: str, message_id: str | None = None) -> None:
	with sessions.turn(name, text, message_id=message_id) as turn:
		turn.reply(f"re: {text}")
	site.db.commit()


def contents(sessions, name: str) -> list[str]:
	return [turn.content for turn in sessions.history(name)]


def test_message_replies_and_changes_are_stored_in_one_go(sessions, site, opened, worker):
	with sessions.turn(opened, "I need 11 remote controls", intent="order", metadata={"page": 1}) as turn:
		turn.session.set_flow("bulk_order", "collecting_contact", {"quantity": 11})
		turn.session.transition("ORDERING")
		turn.reply("Who are you?")
		turn.note("handed to sales")
	site.db.commit()
	stored = sessions.history(opened)
	assert [(t.sequence, t.role, t.reply_to) for t in stored] == [
		(1, "user", None),
		(2, "assistant", 1),
		(3, "system", 1),
	]
	assert (stored[0].intent, stored[0].metadata, stored[0].state) == ("order", {"page": 1}, "ORDERING")
	state, flows = worker().run(in_workers.look, opened, "current_state", "flows")
	assert (state, flows["bulk_order"]["data"]) == ("ORDERING", {"quantity": 11})


def test_an_exception_in_the_block_stores_nothing_and_frees_the_session(sessions, site, opened):
	with pytest.raises(ZeroDivisionError), sessions.turn(opened, "hello") as turn:
		turn.session.transition("LOST")
		raise ZeroDivisionError
	talk(sessions, site, opened, "again")
	assert contents(sessions, opened) == ["again", "re: again"]
	assert sessions.get(opened).current_state is None


@pytest.mark.by_sql
@pytest.mark.parametrize("broken", ["{", "[" * 100_000, '"text'], ids=["cut off", "nested deep", "no end"])
def test_a_conversation_is_read_whatever_somebody_made_of_a_turns_metadata(
	sessions, site, opened, damage, broken
):
	talk(sessions, site, opened, "hello")
	damage("update `tabConversation Turn` set metadata = %s where session = %s", broken, opened)
	assert [(turn.content, turn.metadata) for turn in sessions.history(opened)] == [
		("hello", {}),
		("re: hello", {}),
	]


def test_a_repeated_message_id_adds_nothing_on_any_worker(sessions, site, opened, worker):
	talk(sessions, site, opened, "hello", "one")
	assert worker().run(in_workers.say, opened, "hello", message_id="one") == [True, ["re: hello"]]
	assert contents(sessions, opened) == ["hello", "re: hello"]


def test_replying_to_a_repeated_message_changes_nothing(sessions, site, opened):
	talk(sessions, site, opened, "hello", "one")
	version = sessions.get(opened).version
	with sessions.turn(opened, "hello", message_id="one") as turn:
		turn.reply("something else")
		turn.session.transition("ELSEWHERE")
	site.db.commit()
	assert turn.replies == ["re: hello"]
	assert sessions.get(opened).version == version


def test_a_message_id_used_for_another_text_is_refused(sessions, site, opened):
	talk(sessions, site, opened, "hello", "one")
	with (
		pytest.raises(sessions.InvalidSessionData, match="message_id"),
		sessions.turn(opened, "bye", message_id="one"),
	):
		pass
	assert contents(sessions, opened) == ["hello", "re: hello"]


def test_the_same_message_id_in_two_sessions_is_two_messages(sessions, site, opened):
	other = sessions.open().id
	talk(sessions, site, opened, "hello", "one")
	talk(sessions, site, other, "bye", "one")
	assert contents(sessions, other) == ["bye", "re: bye"]


def test_a_message_id_is_not_readable_in_the_table(sessions, site, opened):
	talk(sessions, site, opened, "hello", "my-order-77")
	keys = site.get_all("Conversation Turn", {"session": opened}, pluck="message_key")
	assert "my-order-77" not in str(keys)


@pytest.mark.parametrize("working", [False, True])
def test_whoever_waited_for_the_hold_sees_what_was_written_meanwhile(sessions, site, opened, worker, working):
	"""Its snapshot is from before the wait; the bot must not answer one message twice."""
	late = worker()
	with sessions.turn(opened, "hello", message_id="one") as turn:
		turn.session.transition("ANSWERED")
		turn.reply("hi")
		pending = late.start(leases.see_what_was_written_meanwhile, opened, working)
		late_has_started(worker)
	site.db.commit()
	assert pending() == [True, "ANSWERED", 2]


def late_has_started(worker) -> None:
	"""Give the other process time to take its snapshot: starting a third one takes longer than that."""
	worker()


def test_a_second_message_waits_and_replies_never_interleave(opened, worker, sessions):
	"""One waits; who comes third is told so at once, and comes again."""
	race(worker, leases.say_whenever_it_is_free, [{"name": opened, "who": who} for who in "ABC"], rounds=5)
	stored = sessions.history(opened)
	assert [turn.sequence for turn in stored] == list(range(1, 31))
	assert all(
		f"re: {ask.content}" == answer.content for ask, answer in zip(stored[::2], stored[1::2], strict=True)
	)


def test_two_turns_in_one_transaction_are_two_turns(sessions, site, opened):
	for text in ("one", "two"):
		with sessions.turn(opened, text) as turn:
			turn.reply(f"re: {text}")
	site.db.commit()
	assert contents(sessions, opened) == ["one", "re: one", "two", "re: two"]


def test_a_turn_inside_a_turn_of_the_same_session_is_refused(sessions, opened):
	with sessions.turn(opened, "outer"), pytest.raises(sessions.SessionBusy), sessions.turn(opened, "inner"):
		pass


def test_history_comes_in_pages(sessions, site, opened):
	for number in range(7):
		talk(sessions, site, opened, str(number))
	sequences = lambda **page: [turn.sequence for turn in sessions.history(opened, **page)]  # noqa: E731
	assert sequences(limit=3) == [12, 13, 14]
	assert sequences(limit=3, before=12) == [9, 10, 11]
	assert sequences(limit=3, after=0) == [1, 2, 3]
	assert sequences(before=1) == []
	assert sequences(after=14) == []


def test_add_turn_stores_one_message_of_any_role(sessions, site, opened):
	sessions.add_turn(opened, "assistant", "Hello, I am the bot")
	sessions.add_turn(opened, "user", "hi", message_id="one")
	again = sessions.add_turn(opened, "user", "hi", message_id="one")
	site.db.commit()
	assert [turn.role for turn in sessions.history(opened)] == ["assistant", "user"]
	assert again.sequence == 2


def test_a_turn_keeps_the_session_alive_and_reading_does_not(sessions, site, opened):
	before = sessions.get(opened).expires_at
	assert sessions.get(opened).expires_at == before
	talk(sessions, site, opened, "hello")
	assert sessions.get(opened).expires_at > before


def test_restorations_are_counted_with_the_next_write(sessions, site, opened, worker):
	worker().run(in_workers.say, opened, "hello")
	assert sessions.get(opened).restored_count == 1
