"""What staff read of conversations and do to them over HTTP: for whom, what they find, and that it is written down."""

import pytest

from dev.harness.caller import Caller
from tests import in_workers
from tests.callers import AGENT, AUDITOR, OWNER, SERVICE, STAFF_ADMINISTRATOR, VISITOR, key_of
from tests.conftest import SITE

READING = {"read_conversation": ("session_id",), "find_conversations": ("text",)}
ACTING = ("close_conversation", "end_authentication", "release_agent_lock", "link_party")


@pytest.fixture
def call(workers, site):
	def make(user: str | None, endpoint: str, **arguments):
		return Caller(workers.url, SITE, key=key_of(user) if user else None).call(endpoint, **arguments)

	return make


@pytest.fixture
def spoken(sessions, site, opened):
	"""A conversation of three messages and a note, whose person is verified."""
	with sessions.turn(opened, "  Where\n is my <b>order</b>? ", intent="order") as turn:
		turn.session.transition("LOOKING")
		turn.reply("On its way.", intent="order")
	sessions.add_turn(opened, "assistant", "It arrives tomorrow.")
	sessions.add_turn(opened, "system", "asked twice")
	sessions.authenticate(opened, {"name": "Hari"}, method="Test check", identity="M1")
	site.db.commit()
	return opened


@pytest.mark.parametrize("user", [None, VISITOR, OWNER, SERVICE])
@pytest.mark.parametrize("endpoint", READING)
def test_conversations_are_read_by_staff_alone(call, spoken, endpoint, user):
	for name in (spoken, "never-heard-of"):
		answer = call(user, endpoint, **dict.fromkeys(READING[endpoint], name))
		assert answer.status_code == 403 and "order" not in answer.text


@pytest.mark.parametrize("user", [None, VISITOR, OWNER, SERVICE, AGENT, AUDITOR])
@pytest.mark.parametrize("endpoint", ACTING)
def test_acting_is_for_administrators(call, spoken, stored, endpoint, user):
	before = stored(spoken)
	for name in (spoken, "never-heard-of"):
		assert call(user, endpoint, session_id=name).status_code == 403
	assert stored(spoken) == before


@pytest.mark.parametrize(
	("user", "sees_events"), [(AGENT, False), (AUDITOR, True), (STAFF_ADMINISTRATOR, True)]
)
def test_staff_read_it_whole(call, spoken, user, sees_events):
	said = call(user, "read_conversation", session_id=spoken).json()["message"]
	assert [(one["sequence"], one["role"], one["content"]) for one in said["turns"]] == [
		(1, "user", "  Where\n is my <b>order</b>? "),
		(2, "assistant", "On its way."),
		(3, "assistant", "It arrives tomorrow."),
		(4, "system", "asked twice"),
	]
	assert {(one["intent"], one["state"]) for one in said["turns"][:2]} == {("order", "LOOKING")}
	assert said["verified"]["method"] == "Test check" and said["locked_until"] is None
	assert said["has_more"] is False
	assert [one["event"] for one in said["events"]] == (["created", "authenticated"] if sees_events else [])
	assert "Hari" not in str(said)


def test_it_is_read_in_pages_forwards_and_backwards(call, sessions, site, opened, monkeypatch):
	for number in range(1, 61):
		sessions.add_turn(opened, "user", f"message {number}")
	site.db.commit()
	last = call(AGENT, "read_conversation", session_id=opened).json()["message"]
	assert [one["sequence"] for one in last["turns"]] == list(range(11, 61)) and last["has_more"]
	first = call(AGENT, "read_conversation", session_id=opened, before=11).json()["message"]
	assert [one["sequence"] for one in first["turns"]] == list(range(1, 11)) and not first["has_more"]
	new = call(AGENT, "read_conversation", session_id=opened, after=58).json()["message"]
	assert [one["sequence"] for one in new["turns"]] == [59, 60]
	assert call(AGENT, "read_conversation", session_id=opened, after=60).json()["message"]["turns"] == []


def test_between_two_pages_no_event_is_lost(call, sessions, site, opened):
	"""Events between the last message of one page and the first of the next, and after the last message."""
	for number in range(1, 53):
		sessions.add_turn(opened, "user", f"message {number}")
		sessions.transition(opened, f"AFTER {number}")
		site.db.commit()
	last = call(AUDITOR, "read_conversation", session_id=opened).json()["message"]
	first = call(AUDITOR, "read_conversation", session_id=opened, before=last["turns"][0]["sequence"])
	told = {one["sequence"] for page in (last, first.json()["message"]) for one in page["events"]}
	assert told == set(range(1, 54))
	sessions.transition(opened, "LATER")
	site.db.commit()
	new = call(AUDITOR, "read_conversation", session_id=opened, after=52).json()["message"]
	assert new["turns"] == [] and new["events"][-1]["sequence"] == 54 and len(new["events"]) <= 4


@pytest.mark.parametrize(
	"arguments",
	[
		{},
		{"session_id": ""},
		{"session_id": "x" * 200},
		{"session_id": 7},
		{"before": -1},
		{"after": True},
		{"before": "x"},
	],
)
def test_bad_input_of_reading_is_said(call, spoken, arguments):
	given = {"session_id": spoken, **arguments} if arguments and "session_id" not in arguments else arguments
	answer = call(AGENT, "read_conversation", **given)
	assert answer.status_code == 422 and answer.json()["error"]["message"]
	assert call(AGENT, "read_conversation", session_id="never-heard-of").status_code == 404


@pytest.mark.parametrize(
	"spelled", ["0470 11 22 33", "+32470112233", "0032 470/11.22.33", "470112233", "32470112233"]
)
def test_somebody_is_found_by_a_number_in_any_spelling(call, sessions, site, spelled):
	wanted = sessions.open(channel="Web", external_id="+32470112233").id
	other = sessions.open(channel="Web", external_id="+32470112234").id
	site.db.commit()
	found = call(AGENT, "find_conversations", text=spelled).json()["message"]["found"]
	assert wanted in found and other not in found
	sessions.close(wanted, "test")
	site.db.commit()


def test_somebody_is_found_by_address_name_and_id(call, sessions, site, opened):
	written = sessions.open(channel="Web", external_id="Ann.Miller@example.com").id
	logged_in = sessions.open(user=OWNER).id
	site.db.commit()
	for text, wanted in (
		("ann.miller@example.com", written),
		(OWNER, logged_in),
		("ann", written),
		(opened, opened),
	):
		assert wanted in call(AGENT, "find_conversations", text=text).json()["message"]["found"], text
	for text in ("%", "_", "nobody@example.com", "ä" * 20, "99999999999"):
		assert call(AGENT, "find_conversations", text=text).json()["message"]["found"] == [], text
	for text in ("", "   ", "x" * 500, 7, None):
		assert call(AGENT, "find_conversations", text=text).status_code == 422
	sessions.close(written, "test")
	site.db.commit()


def events(site, name: str) -> list[tuple[str, str]]:
	site.db.rollback()
	found = site.get_all("Session Event", {"session": name}, ["event", "actor"], order_by="sequence")
	return [(one.event, one.actor) for one in found]


def test_a_conversation_is_closed_with_a_reason_and_by_whom(call, spoken, stored, site):
	said = call(STAFF_ADMINISTRATOR, "close_conversation", session_id=spoken, reason="spam").json()["message"]
	assert said["status"] == "Closed" and stored(spoken).close_reason == "spam"
	assert events(site, spoken)[-1] == ("closed", STAFF_ADMINISTRATOR)
	again = call(STAFF_ADMINISTRATOR, "close_conversation", session_id=spoken, reason="again")
	assert again.status_code == 200 and stored(spoken).close_reason == "spam"
	assert call(STAFF_ADMINISTRATOR, "close_conversation", session_id=spoken, reason="<b>").status_code == 422


def test_a_verification_is_ended_on_every_worker(call, spoken, sessions, worker, site):
	other = worker()
	assert other.run(in_workers.look, spoken, "authenticated") == [True]
	said = call(STAFF_ADMINISTRATOR, "end_authentication", session_id=spoken).json()["message"]
	assert said["verified"] is None and other.run(in_workers.look, spoken, "authenticated") == [False]
	assert events(site, spoken)[-1] == ("deauthenticated", STAFF_ADMINISTRATOR)


def test_an_agent_lock_is_released(call, spoken, sessions, site, stored):
	sessions.lock_agent(spoken, "billing")
	site.db.commit()
	said = call(STAFF_ADMINISTRATOR, "release_agent_lock", session_id=spoken).json()["message"]
	assert said["agent"] is None and stored(spoken).active_agent is None
	assert events(site, spoken)[-1] == ("agent_released", STAFF_ADMINISTRATOR)


def test_a_record_is_linked_and_names_the_conversation(call, spoken, stored, site):
	linked = {"session_id": spoken, "party_type": "User", "party": AGENT}
	assert call(STAFF_ADMINISTRATOR, "link_party", **linked).status_code == 200
	row = stored(spoken)
	assert (row.party_type, row.party) == ("User", AGENT)
	title = site.db.get_value("Conversation Session", spoken, "title")
	assert title == site.db.get_value("User", AGENT, "full_name")
	assert events(site, spoken)[-1] == ("party_linked", STAFF_ADMINISTRATOR)
	assert call(STAFF_ADMINISTRATOR, "link_party", session_id=spoken).status_code == 200
	assert stored(spoken).party is None
	for bad in (
		{"party_type": "User"},
		{"party_type": "User", "party": "nobody"},
		{"party_type": "No Such", "party": "x"},
	):
		assert call(STAFF_ADMINISTRATOR, "link_party", session_id=spoken, **bad).status_code == 422
	assert stored(spoken).party is None


def test_what_erasing_would_take_is_counted_before(call, spoken):
	person = {"session": spoken}
	assert call(STAFF_ADMINISTRATOR, "count_person", person=person).json()["message"] == {
		"sessions": 1, "turns": 4, "held": 0,
	}  # fmt: skip
	nobody = {"user": "nobody@example.com"}
	assert call(STAFF_ADMINISTRATOR, "count_person", person=nobody).json()["message"]["sessions"] == 0
	assert call(AGENT, "count_person", person=person).status_code == 403
	assert call(STAFF_ADMINISTRATOR, "count_person", person={}).status_code == 422
