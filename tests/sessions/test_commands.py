"""The command line."""

import json

import pytest


def test_inspect_says_on_one_line_what_a_reconnect_would_do(sessions, site, opened, stage):
	sessions.set_flow(opened, "order", "contact", {"quantity": 11})
	sessions.transition(opened, "ORDERING")
	site.db.commit()
	done = stage.command("assistant-session", "inspect", opened)
	assert done.returncode == 0, done.stderr
	assert done.stdout.count("\n") == 1
	for word in (
		opened,
		"Active",
		"ORDERING",
		"order (contact)",
		"restored in state ORDERING",
		"not authenticated",
	):
		assert word in done.stdout


@pytest.mark.by_sql
@pytest.mark.parametrize("broken", ["{", "[" * 100_000], ids=["cut off", "nested deep"])
def test_a_session_with_broken_json_is_inspected_all_the_same(opened, set_row, broken):
	from assistant_session.sessions.coherence.memory import memory
	from assistant_session.sessions.health import overview

	set_row(opened, context=broken, flows=broken)
	memory.clear()
	found = overview.inspect(opened)
	assert (found["context"], found["flows"]) == (["(broken)"], {"(broken)": "?"})
	assert "(broken)" in overview.line(found)
	set_row(opened, context=None, flows=None)


def test_inspect_of_an_unknown_or_malformed_id_ends_with_a_status(stage, site):
	unknown = stage.command("assistant-session", "inspect", "nobody-knows-this-one")
	assert (unknown.returncode, "unknown" in unknown.stdout) == (1, True)
	assert stage.command("assistant-session", "inspect", "a b").returncode == 2


def test_stats_as_json(sessions, site, stage):
	done = stage.command("assistant-session", "stats", "--json")
	assert set(json.loads(done.stdout)) == {
		"created",
		"active",
		"closed",
		"expired",
		"restored",
		"flows_completed",
	}


def test_a_status_nobody_has_counts_as_none(sessions, site, opened):
	before = sessions.counts()
	assert before["active"] >= 1
	site.db.sql("delete from `tabConversation Session`")  # rolled back after the test
	none = {"created": 0, "active": 0, "closed": 0, "expired": 0, "restored": 0}
	assert sessions.counts() == {**before, **none}


def test_a_key_is_made_once(stage, site):
	done = stage.command("assistant-session", "make-key")
	assert (done.returncode, "has a key already" in done.stdout) == (0, True)


def test_an_id_that_begins_with_a_dash_is_inspected_like_any_other(sessions, site, stage):
	import uuid

	name = sessions.open(f"-j{uuid.uuid4().hex}").id
	site.db.commit()
	done = stage.command("assistant-session", "inspect", name)
	assert (done.returncode, done.stdout.startswith(f"{name}: Active")) == (0, True), done.stderr


def test_ids_of_our_own_never_begin_with_a_sign(site):
	from assistant_session.sessions.operations import opening

	assert all(opening.new_id()[0].isalnum() for _number in range(2000))
