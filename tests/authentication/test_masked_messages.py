"""What looks like a credential is masked in what is stored, and a message is known again all the same."""

import pytest


def test_a_message_is_stored_masked_whether_anybody_asked_for_it_or_not(sessions, site, opened):
	said = "Hi, I am PEN_0005000168"
	with sessions.turn(opened, said, metadata={"typed": "228597621"}) as turn:
		assert (turn.message, turn.raw_message) == ("Hi, I am •••", said)
		turn.reply("Hello PEN_0005000168")
	site.db.commit()
	first, second = sessions.history(opened)
	assert (first.content, first.metadata, second.content) == ("Hi, I am •••", {"typed": "•••"}, "Hello •••")


def test_a_repeated_message_is_known_although_it_is_stored_masked(sessions, site, opened):
	for _time in range(2):
		with sessions.turn(opened, "I am PEN_0005000168", message_id="one") as turn:
			turn.reply("noted")
		site.db.commit()
	assert turn.repeated and sessions.get(opened).turn_count == 2
	with (
		pytest.raises(sessions.InvalidSessionData),
		sessions.turn(opened, "I am PEN_0005000169", message_id="one"),
	):
		raise AssertionError("two messages that are masked alike are two messages")


def test_a_message_is_known_after_the_sites_key_was_replaced(sessions, site, opened, monkeypatch):
	with sessions.turn(opened, "hello", message_id="one") as turn:
		turn.reply("noted")
	site.db.commit()
	keys = site.local.conf["assistant_session_keys"]
	monkeypatch.setitem(site.local.conf, "assistant_session_keys", {**keys, "k2": "ab" * 32, "current": "k2"})
	with sessions.turn(opened, "hello", message_id="one") as turn:
		assert turn.repeated


def test_what_is_written_for_a_log_shows_no_message(sessions, opened, monkeypatch):
	from assistant_session.sessions.coherence import writing

	seen = []
	save = writing.save
	monkeypatch.setattr(
		writing, "save", lambda row, write, **more: seen.append(repr(write)) or save(row, write, **more)
	)
	with sessions.turn(opened, "a quiet word") as turn:
		turn.reply("a loud answer")
	assert seen and not any("quiet" in text or "loud" in text for text in seen)
	assert "quiet" not in repr(turn.stored)
