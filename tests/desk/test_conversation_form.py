"""The form is the conversation and the list is the inbox, in a real browser."""

import secrets

import pytest

from tests.browser import NARROW
from tests.callers import AGENT, AUDITOR, OWNER, STAFF_ADMINISTRATOR

SESSION = "conversation-session"
ARABIC = "أين طلبي؟ 🙂"
MARKUP = "<img src=x onerror=alert(1)> & <b>bold</b>"
LONG = "word " * 800


@pytest.fixture
def long_conversation(sessions, site, opened):
	"""Of 400 messages; the last ones are emoji from right to left, markup, and 4,000 characters."""
	for number in range(1, 199):
		with sessions.turn(opened, f"question {number}") as turn:
			turn.reply(f"answer {number}")
	with sessions.turn(opened, ARABIC, intent="order") as turn:
		turn.session.transition("LOOKING")
		turn.reply(MARKUP)
	with sessions.turn(opened, LONG) as turn:
		turn.reply("The end.")
	sessions.add_turn(opened, "system", "for colleagues")
	site.db.commit()
	return opened


def texts(page) -> list[str]:
	return page.page.locator(".as-turn .as-text").all_inner_texts()


def test_a_conversation_is_read_from_its_end_and_upwards(desk, long_conversation):
	page = desk(AGENT).open(SESSION, long_conversation)
	page.page.locator(".as-turn", has_text="The end.").wait_for()
	shown = texts(page)
	assert [one.strip() for one in shown[-5:]] == [ARABIC, MARKUP, LONG.strip(), "The end.", "for colleagues"]
	assert page.page.locator(".as-text").last.is_visible() and len(shown) == 50
	bubble = page.page.locator(".as-turn", has_text=ARABIC)
	assert bubble.locator(".as-text").get_attribute("dir") == "auto"
	assert "Intent: order" in bubble.inner_text() and "State: LOOKING" in bubble.inner_text()
	page.page.get_by_role("button", name="Earlier messages").click()
	page.page.locator(".as-turn", has_text="question 155").first.wait_for()
	assert len(texts(page)) == 100 and texts(page)[-1] == "for colleagues"
	assert (page.errors, page.dialogs) == ([], [])


def test_a_conversation_in_which_nothing_was_said_says_so(desk, opened):
	page = desk(AGENT).open(SESSION, opened)
	assert page.shows("Nobody has said anything yet") and page.errors == []


def test_what_is_said_meanwhile_appears_without_reloading(desk, sessions, site, opened):
	page = desk(AGENT).open(SESSION, opened)
	with sessions.turn(opened, "are you there?") as turn:
		turn.reply("I am.")
	site.db.commit()
	page.page.locator(".as-turn", has_text="I am.").wait_for()
	assert page.errors == []


def test_events_are_in_their_place_for_overseers_alone(desk, sessions, site, opened):
	sessions.add_turn(opened, "user", "hello")
	sessions.transition(opened, "NEXT")
	sessions.add_turn(opened, "user", "and now?")
	site.db.commit()
	page = desk(AUDITOR).open(SESSION, opened)
	page.page.locator(".as-turn", has_text="and now?").wait_for()
	items = page.page.locator(".as-log > *").all_inner_texts()
	assert ["Conversation opened" in items[0], "hello" in items[1], "State changed" in items[2]] == [True] * 3
	assert "to: NEXT" in items[2]
	agent = desk(AGENT).open(SESSION, opened)
	agent.page.locator(".as-turn", has_text="and now?").wait_for()
	assert agent.page.locator(".as-event").count() == 0
	assert page.errors == agent.errors == []


def test_whether_the_person_is_verified_is_said_at_once(desk, sessions, site, opened):
	sessions.authenticate(opened, {"name": "Hari"}, method="Pension check", identity="M1")
	site.db.commit()
	page = desk(AGENT).open(SESSION, opened)
	assert page.shows("Verified by Pension check at") and "Hari" not in page.text()


def test_what_the_bot_keeps_is_read_as_fields(desk, sessions, site, opened):
	sessions.set_flow(opened, "booking", "confirm", {"day": "Monday", "note": MARKUP})
	sessions.update(opened, {"context": {"city": "Ghent"}})
	site.db.commit()
	page = desk(AGENT).open(SESSION, opened)
	page.page.get_by_role("tab", name="Workflow").click()
	kept = page.page.locator("[data-fieldname=kept]")
	assert page.shows("Flow booking, at step confirm")
	assert [one in kept.inner_text() for one in ("Monday", MARKUP, "city", "Ghent")] == [True] * 4
	assert (page.errors, page.dialogs) == ([], [])


@pytest.mark.parametrize("spelled", ["0470 {0}", "+32470{0}", "{1}"])
def test_somebody_is_found_from_the_list(desk, sessions, site, spelled):
	digits = str(secrets.randbelow(10**6)).zfill(6)
	number, address = f"+32470{digits}", f"{digits}.ann@example.com"
	for one in (number, address):
		sessions.add_turn(sessions.open(channel="Web", external_id=one).id, "user", f"I am {one}")
	site.db.commit()
	text = spelled.format(digits, address)
	wanted, other = (address, number) if "@" in text else (number, address)
	page = desk(AGENT).open(SESSION, channel="Web")  # else the filters of the last visit would be there
	page.page.get_by_placeholder("Phone, e-mail, name or ID").fill(text)
	page.page.keyboard.press("Enter")
	page.page.wait_for_function("() => cur_list.data.length === 1")
	row = page.page.locator(".list-row").last.inner_text()
	assert f"I am {wanted}" in row and f"I am {other}" not in page.text() and page.errors == []


def test_the_list_names_people_and_not_ids(desk, sessions, site):
	name = sessions.open(user=OWNER).id
	sessions.add_turn(name, "user", "good morning")
	site.db.commit()
	page = desk(AGENT).open(SESSION, name=name)
	row = page.page.locator(".list-row", has_text="good morning")
	row.wait_for()
	assert site.db.get_value("User", OWNER, "full_name") in row.inner_text() and name not in row.inner_text()


def test_an_administrator_acts_and_it_is_written_down(desk, sessions, site, opened):
	sessions.lock_agent(opened, "billing")
	site.db.commit()
	page = desk(STAFF_ADMINISTRATOR).open(SESSION, opened)
	page.page.get_by_role("button", name="Actions").click()
	page.page.get_by_role("link", name="Release agent lock").click()
	page.wait()
	site.db.rollback()
	assert site.db.get_value("Conversation Session", opened, "active_agent") is None
	page.page.get_by_role("button", name="Actions").click()
	page.page.get_by_role("link", name="Close conversation").click()
	page.page.locator(".modal.show textarea").fill("a test")
	page.page.locator(".modal.show .btn-primary").click()
	page.wait()
	site.db.rollback()
	assert site.db.get_value("Conversation Session", opened, ["status", "close_reason"]) == (
		"Closed",
		"a test",
	)
	assert page.errors == []


@pytest.mark.parametrize("user", [AGENT, AUDITOR])
def test_others_are_offered_no_actions(desk, opened, user):
	page = desk(user).open(SESSION, opened)
	assert page.page.get_by_role("button", name="Actions").count() == 0
	assert page.page.get_by_role("button", name="Person").count() == 0


def test_nobody_erases_somebody_who_is_not_there(desk):
	page = desk(STAFF_ADMINISTRATOR).open(SESSION)
	page.page.evaluate("() => assistant_session.erase_person({ user: 'nobody@example.com' })")
	assert page.shows("Nothing is held about this person")
	assert page.page.locator(".modal.show .indicator.gray, .modal.show .gray").count() >= 1
	assert "Erased" not in page.text()


def test_it_is_usable_on_a_phone(desk, long_conversation):
	page = desk(AGENT, width=NARROW).open(SESSION, long_conversation)
	page.page.locator(".as-turn", has_text="The end.").wait_for()
	assert page.page.evaluate("document.documentElement.scrollWidth") <= NARROW
	assert page.errors == []
