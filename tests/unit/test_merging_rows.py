"""Two writers of one row: what both keep, and what is a conflict that names its field."""

import json
from itertools import permutations

import pytest

from assistant_session.sessions.errors import SessionConflict
from assistant_session.sessions.tables import merging
from assistant_session.sessions.tables import row as rows
from tests.unit.made import row

AUTHENTICATED = {"authenticated": 1, "auth_method": "check"}


def merged(theirs: dict, mine: dict, **base) -> dict:
	"""What is written on a row that somebody else has changed to `theirs` meanwhile."""
	before = row(**base)
	return merging.merge(before, mine, before._replace(version=2, revision="bbbb", **theirs))


def in_json(**keys) -> str:
	return json.dumps(keys)


def test_columns_the_other_left_alone_are_written_as_they_are():
	assert merged({"pending_intent": "theirs"}, {"status": "Closed"}) == {"status": "Closed"}


def test_the_same_column_changed_to_the_same_is_no_conflict():
	assert merged({"status": "Closed"}, {"status": "Closed"}) == {"status": "Closed"}


def test_the_same_column_changed_otherwise_names_the_column():
	with pytest.raises(SessionConflict) as raised:
		merged({"status": "Expired"}, {"status": "Closed"})
	assert raised.value.field == "status" and "one" in str(raised.value)


@pytest.mark.parametrize("group", merging.GROUPS, ids=lambda group: group[0])
def test_columns_of_one_group_are_never_put_together_from_two_writers(group):
	for mine, theirs in permutations(group, 2):
		with pytest.raises(SessionConflict) as raised:
			merged({theirs: "theirs"}, {mine: "mine"})
		assert raised.value.field == mine


def test_a_logout_and_an_intent_locked_meanwhile_conflict():
	person = {**AUTHENTICATED, "locked_intent": None}
	with pytest.raises(SessionConflict):
		merged(
			{"authenticated": 0, "auth_method": None, "locked_intent": None},
			{"authenticated": 1, "locked_intent": "pension"},
			**person,
		)


@pytest.mark.parametrize("column", sorted(rows.JSON_COLUMNS))
def test_json_merges_by_key(column):
	base, theirs, mine = (
		in_json(kept=1, gone=1, theirs=1), in_json(kept=1, gone=1, theirs=2), in_json(kept=1, theirs=1, mine=3),
	)  # fmt: skip
	found = merged({column: theirs}, {column: mine}, **{column: base})
	assert json.loads(found[column]) == {"kept": 1, "theirs": 2, "mine": 3}


@pytest.mark.parametrize("column", sorted(rows.JSON_COLUMNS))
@pytest.mark.parametrize(
	("theirs", "mine"),
	[
		(in_json(a=2), in_json(a=3)),
		(in_json(a=2), None),
		(None, in_json(a=3)),
		(in_json(a=True), in_json(a=2)),
	],
)
def test_one_key_changed_by_both_is_named(column, theirs, mine):
	with pytest.raises(SessionConflict) as raised:
		merged({column: theirs}, {column: mine}, **{column: in_json(a=1)})
	assert raised.value.field == f"{column}.a"


def test_a_key_both_removed_is_gone_and_nothing_is_null():
	assert merged({"context": None}, {"context": None}, context=in_json(a=1)) == {"context": None}


def test_true_is_not_one_in_json_and_the_order_of_keys_says_nothing():
	assert not rows.same_json(True, 1) and not rows.same_json([0], [False])
	assert rows.same_json({"a": 1, "b": 2}, {"b": 2, "a": 1})


def test_a_row_from_the_database_is_the_row_that_was_written():
	stored = row(status="".join(["Clo", "sed"]), context=in_json(a=1))
	assert rows.from_database(list(stored)) == stored
	assert rows.from_database(list(stored)).status is rows.STATUSES["Closed"]


def test_the_registers_entry_changes_with_version_and_with_revision():
	assert len({rows.entry(row()), rows.entry(row(version=2)), rows.entry(row(revision="b"))}) == 3


def test_every_column_of_a_group_is_a_column():
	assert set(merging.GROUP_OF) <= set(rows.COLUMNS) and set(rows.COLUMNS) >= rows.JSON_COLUMNS
	assert sum(map(len, merging.GROUPS)) == len(merging.GROUP_OF)
