"""Everything held about one person, found in each way they may be known, whole, and nobody else's."""

import json

import pytest

from assistant_session.demo import directory
from tests import checks
from tests.callers import OWNER


@pytest.fixture
def person(site):
	from assistant_session.privacy import person

	return person


@pytest.fixture
def verified(authentication, sessions, site, member):
	"""A session in which the member asked, proved who they are, and was answered."""
	name = sessions.open(external_id=f"+49{member.national_number}", channel="WhatsApp").id
	with sessions.turn(name, checks.QUESTION) as turn:
		turn.reply(authentication.require(turn.session, "pension_inquiry", turn.message).prompt)
	with sessions.turn(name, f"{member.number} {member.national_number}") as turn:
		authentication.submit(turn.session, turn.message)
		turn.reply("You have 84250.5 euros.", metadata={"page": 1})
		turn.session.context["seen"] = ["fund"]
		turn.session.set_flow("transfer", "amount", {"euros": 5})
	site.db.commit()
	return name


def test_a_person_is_found_by_what_they_proved_in_any_spelling(person, verified, member, sessions, site):
	for spelled in (member.number, member.number.lower(), member.number.replace("_", "")):
		assert person.Person.by_identity(directory.CHECK, spelled).sessions() == [verified]
	assert person.Person.by_identity(directory.CHECK, directory.new_member("Maya").number).sessions() == []


def test_also_after_logout_closing_and_a_new_key(
	person, verified, member, authentication, sessions, site, monkeypatch
):
	authentication.logout(verified)
	sessions.close(verified, "done")
	site.db.commit()
	keys = site.local.conf["assistant_session_keys"]
	monkeypatch.setitem(site.local.conf, "assistant_session_keys", {**keys, "k2": "ab" * 32, "current": "k2"})
	assert person.Person.by_identity(directory.CHECK, member.number).sessions() == [verified]


def test_a_person_is_found_by_user_party_device_address_and_session(person, sessions, site, device):
	session = sessions.open(device_id=device, user=OWNER, party=("User", OWNER))
	address = sessions.open(channel="WhatsApp", external_id=f"+{device}")
	site.db.commit()
	assert session.id in person.Person.by_user(OWNER).sessions()
	assert session.id in person.Person.by_party("User", OWNER).sessions()
	assert person.Person.by_device(device.upper()).sessions() == [session.id]
	assert person.Person.by_address("WhatsApp", f"+{device}").sessions() == [address.id]
	assert person.Person.by_session(address.id).sessions() == [address.id]


def test_what_a_collation_takes_for_the_same_is_somebody_else(person, sessions, site, device):
	sessions.open(channel="WhatsApp", external_id=f"Jose {device}")
	site.db.commit()
	for other in (f"José {device}", f"JOSE {device}"):
		assert person.Person.by_address("WhatsApp", other).sessions() == []


def test_what_somebody_else_said_before_in_the_same_session_is_theirs(
	person, verified, member, sessions, site, set_row
):
	set_row(verified, hidden_turns=2)
	sessions.recover(verified)
	(found,) = person.export(person.Person.by_identity(directory.CHECK, member.number))
	assert [turn["sequence"] for turn in found["turns"]] == [3, 4]
	(found,) = person.export(person.Person.by_session(verified))
	assert [turn["sequence"] for turn in found["turns"]] == [1, 2, 3, 4]


def test_everything_is_handed_out(person, verified, member):
	(found,) = person.export(person.Person.by_identity(directory.CHECK, member.number))
	assert found["session"]["name"] == verified and found["session"]["channel"] == "WhatsApp"
	assert found["profile"]["name"] == "Hari" and found["pending_message"] is None
	assert found["context"] == {"seen": ["fund"]} and found["flows"]["transfer"]["data"] == {"euros": 5}
	assert [turn["role"] for turn in found["turns"]] == ["user", "assistant"] * 2
	assert found["turns"][3]["content"] == "You have 84250.5 euros." and found["turns"][3]["metadata"] == {
		"page": 1
	}
	assert [event["event"] for event in found["events"]][:2] == ["created", "authenticated"]
	assert found["unreadable"] == {} and json.dumps(found)


def test_no_secret_of_the_sites_is_handed_out(person, verified, member, site):
	(found,) = person.export(person.Person.by_session(verified))
	text = json.dumps(found)
	row = site.db.get_value("Conversation Session", verified, ["identity_hash", "active_key", "event_head"])
	assert not any(secret in text for secret in row if secret) and "digest" not in text and "salt" not in text


@pytest.mark.parametrize("count", [1, 3, 4, 5, 6, 7])
def test_long_conversations_are_read_page_by_page_to_the_last_turn(
	person, sessions, site, opened, monkeypatch, count
):
	monkeypatch.setattr(person, "PAGE", 3)
	for number in range(count):
		sessions.add_turn(opened, "user", f"message {number}")
	site.db.commit()
	(found,) = person.export(person.Person.by_session(opened))
	assert [turn["content"] for turn in found["turns"]] == [f"message {number}" for number in range(count)]


@pytest.mark.parametrize("broken", ["{broken", "[" * 100_000], ids=["cut off", "nested deep"])
def test_what_is_broken_is_handed_out_as_it_is_stored(person, verified, set_row, damage, broken):
	set_row(verified, context=broken, user_profile="gAAAAnonsense")
	damage("update `tabConversation Turn` set metadata = '{' where session = %s and sequence = 1", verified)
	(found,) = person.export(person.Person.by_session(verified))
	assert found["unreadable"] == {"context": broken, "user_profile": "gAAAAnonsense"}
	assert len(found["turns"]) == 4
	set_row(verified, context=None, user_profile=None)


def test_a_transcript_can_be_read(person, verified):
	(found,) = person.export(person.Person.by_session(verified))
	text = person.transcript(found)
	assert "user: Hi can i get an update" in text and "assistant: You have 84250.5 euros." in text
	assert verified in text.splitlines()[0]


@pytest.mark.parametrize(
	"make", ["by_identity", "by_user", "by_party", "by_device", "by_address", "by_session"]
)
@pytest.mark.parametrize("value", [None, "", 5, ["a"]])
def test_nobody_is_found_by_nothing(person, sessions, make, value):
	more = {"by_identity": (directory.CHECK, value), "by_party": (value, value), "by_address": (value, value)}
	with pytest.raises(sessions.InvalidSessionData):
		getattr(person.Person, make)(*more.get(make, (value,)))


def test_the_shell_hands_out_json_lines_or_a_transcript(stage, verified, member, tmp_path):
	done = stage.command("assistant-session", "export", "--session", verified)
	assert done.returncode == 0, done.stderr
	assert json.loads(done.stdout.splitlines()[0])["session"]["name"] == verified
	done = stage.command(
		"assistant-session",
		"export",
		"--session",
		verified,
		"--transcript",
		"--output",
		str(tmp_path / "out.txt"),
	)
	assert done.returncode == 0 and "user: Hi can i get" in (tmp_path / "out.txt").read_text()
	assert (tmp_path / "out.txt").stat().st_mode & 0o077 == 0, "for its owner alone"
	assert stage.command("assistant-session", "export", "--session", "never-heard-of").returncode == 1
	assert stage.command("assistant-session", "export").returncode == 2
