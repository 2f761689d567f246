"""Every page of the app that Desk has is drawn by a real browser, without an error in its console."""

import uuid
from pathlib import Path

import pytest
import requests

from tests import checks
from tests.browser import NARROW
from tests.callers import AGENT, SUPERUSER

SESSION, TURN, EVENT = "conversation-session", "conversation-turn", "session-event"
READABLE = {SUPERUSER: (SESSION, TURN, EVENT), AGENT: (SESSION, TURN)}
A_LABEL = "Last message at"
SAID = "where were we?"


@pytest.fixture
def rows(site, sessions, opened):
	"""A row's name by the slug of its DocType: a session in which something was said, the first turn, the first event."""
	with sessions.turn(opened, SAID) as turn:
		turn.reply("At the remote controls.")
	site.db.commit()
	first = {"filters": {"session": opened}, "pluck": "name", "order_by": "sequence", "limit": 1}
	(said,), (event,) = site.get_all("Conversation Turn", **first), site.get_all("Session Event", **first)
	return {SESSION: opened, TURN: said, EVENT: event}


@pytest.mark.parametrize("user", READABLE)
def test_the_workspace_counts_conversations(desk, rows, user):
	page = desk(user).open("assistant-session")
	assert (page.errors, page.dialogs) == ([], [])
	card = page.page.locator(".number-widget-box", has_text="Active Conversations")
	assert int(card.locator(".number").inner_text().replace(",", "")) >= 1


def test_the_settings_show_their_fields(desk):
	page = desk().open("assistant-session-settings")
	assert page.shows("Agent lock TTL (seconds)")
	assert (page.errors, page.dialogs) == ([], [])


def test_an_identity_check_shows_its_fields(desk):
	page = desk().open("identity-check", checks.PYTHON_CHECK)
	assert page.shows("Credentials asked for")
	assert page.shows(checks.MEMBER_NUMBER)
	assert (page.errors, page.dialogs) == ([], [])


def test_a_telephone_shows_the_list_and_the_form(desk, rows):
	page = desk(AGENT, width=NARROW).open(SESSION, name=rows[SESSION])
	assert page.shows(f"Visitor {rows[SESSION][:5]}")
	assert page.open(SESSION, rows[SESSION]).shows(A_LABEL)
	assert (page.errors, page.dialogs) == ([], [])


def test_what_is_not_for_an_agent_is_not_drawn_for_one(desk, rows):
	assert rows[EVENT] not in desk(AGENT).open(EVENT).text()


def test_the_workers_serve_what_nginx_does_elsewhere(site, workers):
	file = Path(site.get_site_path("public", "files", f"{uuid.uuid4()}.txt"))
	file.write_text(SAID)
	try:
		for path in (f"/files/{file.name}", "/assets/assistant_session/js/person.js"):
			assert requests.get(workers.url + path, headers={"Host": workers.site}).status_code == 200
	finally:
		file.unlink()


def test_an_error_in_a_page_is_noticed(desk):
	page = desk().open(SESSION)
	page.page.evaluate("() => { setTimeout(() => { throw new Error('on purpose') }); alert('look') }")
	page.wait()
	assert "on purpose" in page.errors[0]
	assert page.dialogs == ["look"]
