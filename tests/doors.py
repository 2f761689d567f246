"""Frappe's own ways to a document of ours: whom it is shown to, which columns are hidden, and how one asks."""

import json

import pytest

from dev.harness.caller import Caller
from tests.callers import AGENT, AUDITOR, OWNER, STAFF_ADMINISTRATOR, VISITOR, key_of
from tests.conftest import SITE

SESSION, TURN, EVENT = "Conversation Session", "Conversation Turn", "Session Event"
ATTEMPT, METRIC = "Verification Attempt", "Session Metric"
OURS = (SESSION, TURN, EVENT, ATTEMPT, METRIC)
HIDDEN = {
	SESSION: {
		"identity_hash", "user_profile", "pending_message", "revision", "active_key", "token_hash", "event_head", "event_base",
		"sec_profile", "hidden_turns", "address_digits", "old_token_hash", "old_token_until", "old_token_key", "seal",
	},
	TURN: {"message_key", "message_digest", "seal"},
	EVENT: {"digest", "salt"},
	ATTEMPT: set(),  # its names are keyed hashes, and it has counts and times
	METRIC: set(),
}  # fmt: skip
READERS = {
	SESSION: {AGENT, AUDITOR, STAFF_ADMINISTRATOR},
	TURN: {AGENT, AUDITOR, STAFF_ADMINISTRATOR},
	EVENT: {AUDITOR, STAFF_ADMINISTRATOR},
	ATTEMPT: {AUDITOR, STAFF_ADMINISTRATOR},
	METRIC: {AGENT, AUDITOR, STAFF_ADMINISTRATOR},
}
STRANGERS, STAFF = (VISITOR, OWNER), (AGENT, AUDITOR, STAFF_ADMINISTRATOR)
SAID = "my-pin-is-4711"


@pytest.fixture
def ask(workers, site):
	"""`ask(user, path, **arguments)` posts to any method of the site; `verb=` for other ones than POST."""

	def call(user: str | None, path: str, /, *, verb: str = "POST", **arguments):
		caller = Caller(workers.url, SITE, key=key_of(user) if user else None)
		path = path if path.startswith("/") else f"/api/method/{path}"
		if verb == "GET":
			texts = {
				name: value if isinstance(value, str) else json.dumps(value)
				for name, value in arguments.items()
			}
			return caller.ask("GET", path, params=texts)
		return caller.ask(verb, path, json=arguments)

	return call


@pytest.fixture
def names(site, sessions):
	"""A session of OWNER with a turn and an authentication, and the names of its rows by DocType."""
	from assistant_session.authentication import lockout
	from assistant_session.sessions.tables import totals

	session = sessions.open(user=OWNER).id
	with sessions.turn(session, SAID, message_id="one") as turn:
		turn.reply("noted")
	sessions.authenticate(session, {"name": "Krishna Secret"}, method="test", identity="krishna")
	site.db.commit()
	lockout.unlock(session)
	attempt = lockout.Bucket.of(lockout.UNLOCKED, session).name
	totals.add({0: {("turns", "user"): 1}})  # of an hour nobody counts in any more
	metric = totals.name_of(("turns", "user"), totals._hour(0))
	return {
		SESSION: session, TURN: f"{session}-{1:010d}", EVENT: f"{session}-{1:08d}", ATTEMPT: attempt, METRIC: metric,
	}  # fmt: skip


@pytest.fixture
def stored(site):
	def read(doctype: str, name: str) -> dict:
		site.db.rollback()
		return site.db.get_value(doctype, name, "*", as_dict=True)

	return read


def rows(response) -> list:
	"""The rows of a list, however the endpoint wraps them; refusals have none."""
	if response.status_code != 200:
		return []
	body = response.json()
	found = body.get("data", body.get("message"))
	return (found.get("values", [found]) if isinstance(found, dict) and found else found) or []
