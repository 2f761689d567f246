"""Permissions of fields, as the DocTypes say them: what is hidden from all, and what exists in the code exists in the table."""

import json
from pathlib import Path

import pytest

from assistant_session import roles
from assistant_session.sessions.tables.row import COLUMNS
from tests.conftest import REPOSITORY
from tests.doors import EVENT, HIDDEN, OURS, SESSION, TURN

FOLDER = REPOSITORY / "assistant_session" / "assistant_session" / "doctype"
OF_FRAPPE = {"name", "creation"}
DRAWN = {"Section Break", "Column Break", "Tab Break", "HTML"}
AT_LEVEL_0 = {
	SESSION: {"context", "current_state", "flows", "previous_state", "ttl"},
	TURN: {"role", "sequence", "session"},
	EVENT: {"actor", "event", "sequence", "session"},
}


def definition(doctype: str) -> dict:
	folder: Path = FOLDER / doctype.lower().replace(" ", "_")
	return json.loads((folder / f"{folder.name}.json").read_text())


def levels(doctype: str) -> set[int]:
	"""Permission levels that somebody may read."""
	return {one.get("permlevel", 0) for one in definition(doctype)["permissions"] if one.get("read")}


@pytest.mark.parametrize("doctype", OURS)
def test_hidden_columns_are_at_a_level_that_no_role_reads(doctype):
	readable = levels(doctype)
	hidden = {
		field["fieldname"]
		for field in definition(doctype)["fields"]
		if field.get("permlevel", 0) not in readable
	}
	assert hidden == HIDDEN[doctype]


@pytest.mark.parametrize("doctype", AT_LEVEL_0)
def test_who_reads_no_higher_level_sees_what_the_controller_works_with_and_nothing_of_the_person(doctype):
	shown = [one for one in definition(doctype)["fields"] if one["fieldtype"] not in DRAWN]
	assert {one["fieldname"] for one in shown if not one.get("permlevel")} == AT_LEVEL_0[doctype]


def test_no_title_of_ours_stands_in_a_link():
	"""Frappe 16 draws the title of a linked document as HTML in a report, and ours are made of what people are called."""
	definitions = [json.loads(path.read_text()) for path in FOLDER.glob("*/*.json")]
	assert len(definitions) >= 11
	assert [one["name"] for one in definitions if one.get("show_title_field_in_link")] == []


@pytest.mark.parametrize("doctype", OURS)
def test_no_role_writes_creates_or_deletes(doctype):
	for permission in definition(doctype)["permissions"]:
		granted = {
			right for right, given in permission.items() if given and right not in ("role", "permlevel")
		}
		assert granted <= {"read", "report"}, permission


@pytest.mark.parametrize("doctype", OURS)
def test_roles_are_ours(doctype):
	ours = {value for name, value in vars(roles).items() if name.isupper() and isinstance(value, str)}
	assert {one["role"] for one in definition(doctype)["permissions"]} <= ours


def test_every_column_of_a_row_is_a_field():
	assert set(COLUMNS) - OF_FRAPPE <= {field["fieldname"] for field in definition(SESSION)["fields"]}
