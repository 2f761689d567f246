"""A channel whose external ids nobody vouches for: nobody is verified there, and the bot forgets nothing."""

import uuid
from dataclasses import replace

import pytest

from tests import checks


@pytest.fixture
def channel(site, cache_server):
	"""A channel of this test's own, in nobody's Settings."""
	yield f"Telegram {uuid.uuid4().hex[:8]}"
	cache_server.flush()  # what is noted for the doctor


@pytest.fixture
def vouch(site, monkeypatch):
	"""`vouch(channel)`: Settings say that its provider verifies its senders; `vouch()`: of none."""
	from assistant_session.sessions import config

	saved = config.settings()

	def put(*channels: str) -> None:
		found = {name: config.Channel(name, verified_by_provider=True) for name in channels}
		settings = replace(saved, channels=found)
		monkeypatch.setattr(config, "settings", lambda: settings)

	return put


@pytest.fixture
def bot(sessions, authentication, site, channel):
	"""`bot(text)` takes a message as a webhook does; the session's id and what it answers."""
	sender = uuid.uuid4().hex

	def say(text: str) -> tuple[str, str]:
		session = sessions.open(channel=channel, external_id=sender)
		with sessions.turn(session.id, text) as turn:
			if authentication.gate(turn):
				answer(turn)
		site.db.commit()
		return session.id, turn.replies[-1]

	def answer(turn) -> None:
		if "pension" in turn.message and not (
			gate := authentication.require(turn.session, "pension_inquiry")
		):
			turn.reply(gate.prompt)
		elif turn.message.startswith("book"):
			turn.session.set_flow("booking", "day", {"what": turn.message})
			turn.reply("When?")
		else:
			booking = turn.session.get_flow("booking")
			turn.reply(f"Booked: {booking.data['what']}" if booking else "Hello")

	say.sender = sender
	return say


REFUSED = "I cannot find out here who you are, so I cannot help you with that in this chat."


def test_the_conversation_and_its_flows_go_on_where_somebody_asks_for_what_is_protected(
	bot, member, sessions
):
	said = [
		bot("book a cleaning"),
		bot("how is my pension?"),
		bot(f"{member.number} {member.national_number}"),
		bot("on Monday"),
	]
	assert len({name for name, _answer in said}) == 1
	assert [answer for _name, answer in said] == ["When?", REFUSED, *["Booked: book a cleaning"] * 2]
	session = sessions.get(said[0][0])
	assert not session.authenticated and session.pending_intent is None


def test_the_log_and_the_doctor_tell_an_administrator_and_nobody_what_was_typed(
	bot, member, channel, vouch, stage
):
	from assistant_session.maintenance import doctor

	assert not [text for text in doctor.surroundings() if channel in text]
	name, _answer = bot("how is my pension?")
	bot(f"{member.number} {member.national_number}")
	(found,) = [text for text in doctor.surroundings() if channel in text]
	assert "nobody can be verified" in found and "External ids verified by the provider" in found
	logged = (stage.root / "logs" / "assistant_session.log").read_text()
	(line,) = [line for line in logged.splitlines() if channel in line]
	assert line.endswith(f"{name}: {found}") and bot.sender not in logged and member.number not in logged
	vouch(channel)
	assert not [text for text in doctor.surroundings() if channel in text]


def test_once_the_provider_vouches_the_same_conversation_is_verified(bot, member, vouch, channel):
	name, refused = bot("how is my pension?")
	vouch(channel)
	assert refused == REFUSED and checks.MEMBER_NUMBER in bot("how is my pension?")[1]
	assert bot(f"{member.number} {member.national_number}")[0] == name
	assert bot("how is my pension?") == (name, "Hello")


def test_what_was_asked_before_nobody_vouched_any_more_is_not_answered(
	bot, member, vouch, channel, sessions, site
):
	vouch(channel)
	name, prompt = bot("how is my pension?")
	assert checks.MEMBER_NUMBER in prompt
	vouch()
	assert bot(f"{member.number} {member.national_number}") == (name, REFUSED)
	session = sessions.get(name)
	assert not session.authenticated and session.pending_intent is None
	attempts = site.db.count("Session Event", {"session": name, "event": "authentication_failed"})
	assert attempts == 0


@pytest.mark.parametrize("way", ["by id", "in a turn"])
def test_a_bot_that_verifies_by_itself_is_told_why_it_may_not(sessions, site, channel, way):
	name = sessions.open(channel=channel, external_id=uuid.uuid4().hex).id
	site.db.commit()
	with pytest.raises(Exception, match=f"On the channel {channel} nobody can be verified") as refused:
		if way == "by id":
			sessions.authenticate(name, {"name": "Hari"}, method="mine")
		else:
			with sessions.turn(name, "it is me") as turn:
				turn.session.authenticate({"name": "Hari"}, method="mine")
	assert refused.value.http_status_code == 403 and not sessions.get(name).authenticated


def test_a_session_whose_id_the_controller_keeps_is_verified_on_any_channel(sessions, site, channel):
	name = sessions.open(channel=channel).id
	sessions.authenticate(name, {"name": "Hari"}, method="mine")
	site.db.commit()
	assert sessions.open(name).authenticated


def test_nobody_comes_into_a_verified_conversation_by_naming_its_id(bot, member, vouch, channel, sessions):
	"""Verified while the provider vouched, and now it does not any more."""
	vouch(channel)
	name, _prompt = bot("how is my pension?")
	bot(f"{member.number} {member.national_number}")
	assert sessions.get(name).authenticated
	vouch()
	stranger = sessions.open(channel=channel, external_id=bot.sender)
	assert stranger.id != name and not stranger.authenticated and sessions.history(stranger.id) == []


def test_a_bot_that_loses_a_verified_session_by_its_device_alone_is_named_to_operators(
	sessions, site, device, stage, cache_server
):
	from assistant_session.sessions import addresses

	cache_server.flush()
	verified = sessions.open(device_id=device)
	sessions.set_flow(verified.id, "booking", "day")
	site.db.commit()
	assert sessions.open(device_id=device).id == verified.id and addresses.situations() == []
	sessions.authenticate(verified.id, {"name": "Hari"}, method="test")
	site.db.commit()
	assert sessions.open(device_id=device).id != verified.id
	assert any("device_id alone" in situation for situation in addresses.situations())
	assert (
		f"{verified.id}: verified, so its device id"
		in (stage.root / "logs" / "assistant_session.log").read_text()
	)
	assert sessions.open(verified.id, device_id=device).get_flow("booking").step == "day"
	cache_server.flush()


def test_nobody_is_blamed_for_another_users_device(sessions, site, device, cache_server):
	from assistant_session.sessions import addresses

	cache_server.flush()
	theirs = sessions.open(device_id=device, user="Administrator")
	sessions.authenticate(theirs.id, {"name": "Hari"}, method="test")
	site.db.commit()
	assert sessions.open(device_id=device, user="Guest").id != theirs.id
	assert addresses.situations() == []
