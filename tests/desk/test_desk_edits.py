"""What the user Administrator may change and delete through Desk, REST and Data Import, and who notices."""

import json

import pytest

from tests import in_workers
from tests.callers import AGENT, SUPERUSER, traces
from tests.doors import ATTEMPT, EVENT, METRIC, OURS, SESSION, TURN, ask, names, stored
from tests.sealed import every_seal_fits
from tests.words import new_word

__all__ = ["ask", "every_seal_fits", "names", "stored"]

FLOW = {"order": {"step": "asking", "data": {"quantity": 11}, "version": 1}}
EDITS = {
	"ttl": 3600,
	"current_state": "REPAIRED",
	"previous_state": "BROKEN",
	"context": '{"name":"Krishna"}',
	"flows": json.dumps(FLOW, separators=(",", ":")),
}
FRAMEWORK = {"name", "creation", "modified", "modified_by", "owner", "idx", "docstatus"}


SEEN = ("version", "ttl", "current_state", "context")


def other_fields() -> list[str]:
	"""Every field of the session's DocType that nobody may edit, from its own JSON."""
	from tests.conftest import REPOSITORY

	folder = REPOSITORY / "assistant_session" / "assistant_session" / "doctype" / "conversation_session"
	fields = json.loads((folder / "conversation_session.json").read_text())["fields"]
	layout = ("Section Break", "Column Break", "Tab Break", "HTML")
	known = {field["fieldname"]: field["fieldtype"] for field in fields if field["fieldtype"] not in layout}
	assert set(EDITS) < set(known)
	return sorted(set(known) - set(EDITS))


def another(field: str, value):
	"""A value the field does not have."""
	if field in ("user", "legal_hold_by"):
		return "Guest"
	if field == "party_type":
		return "User"
	if field == "status":
		return "Closed"
	if field.endswith("_at") or field == "last_activity":
		return "2001-01-01 00:00:00"
	return value + 1 if isinstance(value, int) else "changed"


DOORS = {
	"resource": lambda ask, name, values, whole: ask(
		SUPERUSER, f"/api/resource/{SESSION}/{name}", verb="PUT", **values
	),
	"set_value": lambda ask, name, values, whole: ask(
		SUPERUSER, "frappe.client.set_value", doctype=SESSION, name=name, fieldname=json.dumps(values)
	),
	"save": lambda ask, name, values, whole: ask(
		SUPERUSER, "frappe.client.save", doc=json.dumps({**whole, **values})
	),
	"savedocs": lambda ask, name, values, whole: ask(
		SUPERUSER, "frappe.desk.form.save.savedocs", doc=json.dumps({**whole, **values}), action="Save"
	),
	"bulk_update": lambda ask, name, values, whole: ask(
		SUPERUSER, "frappe.client.bulk_update", docs=json.dumps([{"doctype": SESSION, "docname": name, **values}])
	),
	"bulk edit": lambda ask, name, values, whole: ask(
		SUPERUSER, "frappe.desk.doctype.bulk_update.bulk_update.submit_cancel_or_update_docs",
		doctype=SESSION, docnames=json.dumps([name]), action="update", data=json.dumps(values),
	),
}  # fmt: skip


@pytest.fixture
def whole(site, names):
	"""The document as a form has it."""
	site.db.rollback()
	return json.loads(site.as_json(site.get_doc(SESSION, names[SESSION]).as_dict()))


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("field", EDITS)
def test_an_administrator_edits_the_named_fields_and_the_next_read_sees_it(
	ask, names, stored, sessions, whole, field, door
):
	before = sessions.get(names[SESSION])
	answer = DOORS[door](ask, names[SESSION], {field: EDITS[field]}, whole)
	assert answer.status_code == 200, answer.text
	row, after = stored(SESSION, names[SESSION]), sessions.get(names[SESSION])
	assert str(row[field]) == str(EDITS[field])
	assert after.version == before.version + 1 and after.row.revision != before.row.revision
	assert after.origin == "database"


def test_an_edit_in_desk_reaches_another_worker_at_once(ask, names, worker):
	other = worker()
	assert other.run(in_workers.look, names[SESSION], *SEEN)[2] is None
	version = other.run(in_workers.look, names[SESSION], *SEEN)[0]
	ask(
		SUPERUSER,
		"frappe.client.set_value",
		doctype=SESSION,
		name=names[SESSION],
		fieldname=json.dumps(EDITS),
	)
	assert other.run(in_workers.look, names[SESSION], *SEEN) == [
		version + 1,
		3600,
		"REPAIRED",
		{"name": "Krishna"},
	]


def test_another_lifetime_changes_when_it_expires(ask, names, stored):
	from datetime import timedelta

	before = stored(SESSION, names[SESSION])
	edit = {"doctype": SESSION, "name": names[SESSION], "fieldname": json.dumps({"ttl": 7200})}
	assert ask(SUPERUSER, "frappe.client.set_value", **edit).status_code == 200
	after = stored(SESSION, names[SESSION])
	assert after["expires_at"] == before["last_activity"] + timedelta(seconds=7200) != before["expires_at"]


@pytest.mark.parametrize("door", ["resource", "savedocs", "bulk_update"])
@pytest.mark.parametrize("field", other_fields())
def test_every_other_field_belongs_to_the_service(ask, names, stored, whole, field, door):
	if field == "session_id" and door == "savedocs":
		whole.pop("session_id")
	before = stored(SESSION, names[SESSION])
	DOORS[door](ask, names[SESSION], {field: another(field, before[field])}, whole)
	after = stored(SESSION, names[SESSION])
	if field in ("version", "revision"):  # Desk's own writes count them on; what was sent is not taken
		assert str(after[field]) != str(another(field, before[field])) or after.version == before.version + 1
		after.update(
			{name: before[name] for name in ("version", "revision", "seal", "modified", "modified_by")}
		)
	assert after == before


@pytest.mark.parametrize("field", ["user", "authenticated", "token_hash", "active_key", "status", "owner"])
@pytest.mark.parametrize("door", DOORS)
def test_no_door_lets_the_dangerous_fields_through(ask, names, stored, whole, field, door):
	before = stored(SESSION, names[SESSION])
	values = {field: another(field, before.get(field)), "current_state": "ALONG WITH IT"}
	DOORS[door](ask, names[SESSION], values, whole)
	assert stored(SESSION, names[SESSION]) == before


@pytest.mark.parametrize(
	"more",
	[
		{"flags": {"ignore_validate": 1, "ignore_permissions": 1}},
		{"_doc_before_save": None},
		{"__islocal": 1},
		{"__islocal": 1, "__newname": "made-up"},
		{"docstatus": 1},
		{"_action": "save", "ignore_version": 1},
		{"EDITABLE": ["authenticated"]},
	],
)
@pytest.mark.parametrize("door", ["save", "savedocs", "resource"])
def test_what_a_client_writes_about_the_document_itself_opens_nothing(ask, names, stored, whole, more, door):
	before = stored(SESSION, names[SESSION])
	DOORS[door](ask, names[SESSION], {"auth_method": "forged", **more}, whole)
	assert stored(SESSION, names[SESSION]) == before
	assert not stored(SESSION, "made-up")


@pytest.mark.parametrize(
	"values",
	[
		{"ttl": 0}, {"ttl": -1}, {"ttl": 10**9}, {"ttl": "soon"}, {"ttl": None}, {"current_state": "x" * 141},
		{"current_state": "a\nb"}, {"context": "{"}, {"context": "[1]"}, {"context": '"text"'},
		{"context": {"a": {"b": 1}, "c": [1]}}, {"context": "[" * 5000}, {"flows": '{"order":5}'},
		{"flows": '{"order":{"step":"a"}}'}, {"flows": '{"order":{"step":"a","data":{},"version":"1"}}'},
		{"flows": '{"order":{"step":"a","data":{},"version":1,"expires_at":"soon"}}'},
	],
)  # fmt: skip
def test_an_edit_the_service_could_not_have_written_is_refused_with_a_sentence(ask, names, stored, values):
	before = stored(SESSION, names[SESSION])
	answer = ask(SUPERUSER, f"/api/resource/{SESSION}/{names[SESSION]}", verb="PUT", **values)
	assert 400 <= answer.status_code < 500, answer.text
	assert stored(SESSION, names[SESSION]) == before


@pytest.mark.parametrize("doctype", OURS)
@pytest.mark.parametrize("user", [SUPERUSER, AGENT])
def test_nobody_inserts_or_renames(ask, names, stored, user, doctype):
	count = _rows(doctype)
	values = {"doctype": doctype, "name": "made-up", "session": names[SESSION], "channel": "Web"}
	for path, arguments in (
		("frappe.client.insert", {"doc": json.dumps(values)}),
		("frappe.client.insert_many", {"docs": json.dumps([values])}),
		("frappe.client.save", {"doc": json.dumps({**values, "__islocal": 1})}),
		(f"/api/resource/{doctype}", values),
		("frappe.client.rename_doc", {"doctype": doctype, "old_name": names[doctype], "new_name": "made-up"}),
		(
			"frappe.model.rename_doc.update_document_title",
			{"doctype": doctype, "docname": names[doctype], "name": "made-up"},
		),
	):
		assert ask(user, path, **arguments).status_code in (403, 404, 417), path
	assert stored(doctype, names[doctype]) and not stored(doctype, "made-up")
	assert _rows(doctype) >= count


def _rows(doctype: str) -> int:
	import frappe

	frappe.db.rollback()
	return frappe.db.count(doctype)


@pytest.mark.parametrize("doctype", [TURN, EVENT])
def test_turns_and_events_are_neither_edited_nor_deleted_by_the_administrator(ask, names, stored, doctype):
	name, before = names[doctype], stored(doctype, names[doctype])
	field = "content" if doctype == TURN else "actor"
	for path, arguments in (
		(f"/api/resource/{doctype}/{name}", {"verb": "PUT", field: "changed"}),
		(f"/api/resource/{doctype}/{name}", {"verb": "DELETE"}),
		("frappe.client.delete", {"doctype": doctype, "name": name}),
		(
			"frappe.client.set_value",
			{"doctype": doctype, "name": name, "fieldname": field, "value": "changed"},
		),
		("frappe.desk.reportview.delete_items", {"doctype": doctype, "items": json.dumps([name])}),
		("frappe.client.submit", {"doc": json.dumps({"doctype": doctype, "name": name})}),
	):
		ask(SUPERUSER, path, **arguments)
	assert stored(doctype, name) == before


COLUMN = {SESSION: "close_reason", TURN: "content", EVENT: "actor", ATTEMPT: "kind", METRIC: "label"}


@pytest.mark.parametrize("kind", ["Update Existing Records", "Insert New Records"])
@pytest.mark.parametrize("doctype", OURS)
def test_data_import_changes_and_makes_nothing(site, names, stored, doctype, kind):
	from frappe.core.doctype.data_import.importer import Importer

	before, count = stored(doctype, names[doctype]), _rows(doctype)
	name = names[doctype] if kind.startswith("Update") else "imported"
	importer = Importer.__new__(Importer)  # what it does with each row of a file
	importer.doctype, importer.import_type = doctype, kind
	importer.data_import = site.get_doc({"doctype": "Data Import"})
	row = site._dict(
		{"doctype": doctype, "name": name, "session": names[SESSION], COLUMN[doctype]: "changed"}
	)
	with pytest.raises((site.PermissionError, site.ValidationError)):
		importer.process_doc(row)
	site.db.commit()
	assert stored(doctype, names[doctype]) == before and not stored(doctype, "imported")
	assert _rows(doctype) >= count


@pytest.mark.parametrize("doctype", OURS)
def test_no_role_may_import(site, doctype):
	assert not site.get_meta(doctype).allow_import
	assert not site.permissions.has_permission(doctype, "import", user=AGENT)


def test_a_session_deleted_in_desk_leaves_no_copy_and_every_worker_says_so(
	ask, names, site, sessions, worker, stage, cache_server
):
	other, name, said = worker(), names[SESSION], new_word()
	sessions.add_turn(name, "user", said)
	site.db.commit()
	assert other.run(in_workers.look, name, "turn_count") == [3]
	assert ask(SUPERUSER, f"/api/resource/{SESSION}/{name}", verb="DELETE").status_code == 202
	assert other.run(in_workers.refusal, name) == "SessionNotFound"
	site.db.rollback()
	for doctype in (TURN, EVENT):
		assert site.db.count(doctype, {"session": name}) == 0
	kept = site.get_all("Deleted Document", filters={"deleted_name": name}, pluck="data")
	assert [set(json.loads(text)) for text in kept] == [{"doctype", "name"}]
	assert traces(said, stage, cache_server) == []


def test_a_deleted_session_cannot_be_restored_from_the_bin(ask, names, site):
	name = names[SESSION]
	ask(SUPERUSER, f"/api/resource/{SESSION}/{name}", verb="DELETE")
	site.db.rollback()
	kept = site.db.get_value("Deleted Document", {"deleted_name": name})
	ask(SUPERUSER, "frappe.core.doctype.deleted_document.deleted_document.restore", name=kept)
	site.db.rollback()
	assert not site.db.exists(SESSION, name)


def test_a_session_under_legal_hold_is_not_deleted(ask, names, sessions, site, stored):
	sessions.set_legal_hold(names[SESSION], "case")
	site.db.commit()
	answer = ask(SUPERUSER, f"/api/resource/{SESSION}/{names[SESSION]}", verb="DELETE")
	assert answer.status_code == 417 and "legal hold" in answer.text
	assert stored(SESSION, names[SESSION]) and stored(TURN, names[TURN])


def test_a_form_opened_before_the_person_wrote_again_is_not_saved_over_it(
	ask, names, sessions, site, whole, stored
):
	sessions.transition(names[SESSION], "NEWER")
	site.db.commit()
	answer = DOORS["savedocs"](ask, names[SESSION], {"current_state": "OLDER"}, whole)
	assert answer.status_code == 417 and stored(SESSION, names[SESSION]).current_state == "NEWER"
