"""Fields above a reader's level: not shown, and not guessed at by filters, sorting, grouping or counting."""

import json
import os

import pytest

from tests.callers import AGENT, AUDITOR, OWNER, STAFF_ADMINISTRATOR, SUPERUSER, VISITOR
from tests.doors import ATTEMPT, EVENT, HIDDEN, METRIC, OURS, READERS, SESSION, STAFF, TURN, ask, names, rows

__all__ = ["ask", "names"]

FIELDS = [(doctype, field) for doctype in OURS for field in sorted(HIDDEN[doctype] - {"sec_profile"})]
READABLE = {SESSION: "channel", TURN: "role", EVENT: "event", ATTEMPT: "kind", METRIC: "metric"}
SPELLINGS = {
	"as it is": lambda field: field,
	"upper case": lambda field: field.upper(),
	"full width": lambda field: chr(ord(field[0]) + 0xFEE0) + field[1:],
}


QUESTIONS = {
	"filters": lambda doctype, field: {"filters": [[doctype, field, "like", "%"]]},
	"or_filters": lambda doctype, field: {"or_filters": [[doctype, field, "like", "%"]]},
	"order_by": lambda doctype, field: {"order_by": f"`tab{doctype}`.`{field}` asc"},
	"group_by": lambda doctype, field: {"group_by": f"`tab{doctype}`.`{field}`", "fields": ["count(name)"]},
}
SELECTIONS = ("{0}", "max({0}) as most", "{0} as channel", "`{0}` as role", "substr({0}, 1, 3) as event")


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize(("doctype", "field"), FIELDS)
def test_no_list_answers_a_question_about_a_hidden_field(ask, names, doctype, field, question, spelling):
	arguments = QUESTIONS[question](doctype, SPELLINGS[spelling](field))
	answer = ask(AUDITOR, "frappe.client.get_list", doctype=doctype, **arguments)
	counts = [row for row in rows(answer) if any(row.values())]
	assert counts == [] and names[doctype] not in answer.text


@pytest.mark.parametrize("selection", SELECTIONS)
@pytest.mark.parametrize(("doctype", "field"), FIELDS)
def test_no_list_shows_a_hidden_field(ask, site, names, doctype, field, selection):
	secret = site.db.get_value(doctype, names[doctype], field) or "nothing was stored"
	fields = [selection.format(field)]
	answer = ask(
		AUDITOR, "frappe.client.get_list", doctype=doctype, fields=fields, filters={"name": names[doctype]}
	)
	assert secret[:3] not in json.dumps([list(row.values()) for row in rows(answer) if set(row) != {"name"}])
	assert secret not in answer.text


@pytest.mark.parametrize("user", STAFF)
@pytest.mark.parametrize("doctype", OURS)
def test_lists_by_readable_fields_work_for_who_may_read(ask, names, doctype, user):
	answer = ask(
		user, "frappe.client.get_list", doctype=doctype, filters=[[doctype, "name", "=", names[doctype]]],
		fields=["name", READABLE[doctype]], order_by=f"`tab{doctype}`.`{READABLE[doctype]}` asc",
	)  # fmt: skip
	assert bool(rows(answer)) is (user in READERS[doctype])
	count = ask(user, "frappe.client.get_count", doctype=doctype, filters={"name": names[doctype]})
	assert (count.json().get("message") == 1) is (user in READERS[doctype])


ESCAPES = {
	"json in json": lambda field: json.dumps([[SESSION, field, "like", "%"]]),
	"escaped": lambda field: json.dumps([[SESSION, field, "like", "%"]]).replace("_", "\\u005f", 1),
	"an object": lambda field: json.dumps({field: ["like", "%"]}),
	"an escaped object": lambda field: json.dumps({field: ["like", "%"]}).replace("o", "\\u006F", 1),
}


@pytest.mark.parametrize("escape", ESCAPES)
@pytest.mark.parametrize(
	("path", "argument"),
	[
		("frappe.client.get_list", "filters"),
		("frappe.client.get_list", "or_filters"),
		("frappe.client.get_count", "filters"),
		("frappe.client.get_value", "filters"),
		("frappe.client.get", "filters"),
		("frappe.desk.reportview.get", "filters"),
		("frappe.desk.reportview.get_count", "filters"),
		("frappe.desk.search.search_link", "filters"),
	],
)
def test_a_hidden_field_is_found_however_a_filter_is_written(ask, names, path, argument, escape):
	"""The match and the miss must look alike, or the answer is one letter of the secret."""
	extra = {"fieldname": "name", "txt": "", "fields": '["name"]'}
	field = "token_hash"
	answer = ask(AGENT, path, doctype=SESSION, **{**extra, argument: ESCAPES[escape](field)})
	missed = ESCAPES[escape](field).replace('"%"', '"no such value"')
	miss = ask(AGENT, path, doctype=SESSION, **{**extra, argument: missed})
	assert (answer.status_code, _said(answer)) == (miss.status_code, _said(miss))
	assert names[SESSION] not in answer.text


def _said(response) -> str:
	body = response.json()
	return json.dumps([body.get("message"), body.get("data"), body.get("results")])


@pytest.mark.parametrize("field", sorted(HIDDEN[SESSION] - {"sec_profile"}))
@pytest.mark.parametrize("user", STAFF)
def test_no_other_endpoint_answers_about_a_hidden_field(ask, names, stored_values, user, field):
	secret = stored_values[field]
	column = {
		"fieldname": field,
		"doctype": SESSION,
		"link_field": {"fieldname": "name", "names": [names[SESSION]]},
	}
	card = {
		"document_type": SESSION,
		"function": "Maximum",
		"aggregate_function_based_on": field,
		"name": "x",
	}
	calls = {
		"frappe.desk.listview.get_group_by_count": {"doctype": SESSION, "current_filters": "[]", "field": field},
		"frappe.desk.reportview.get_stats": {"doctype": SESSION, "stats": json.dumps([field])},
		"frappe.desk.reportview.get_filter_dashboard_data": {
			"doctype": SESSION,
			"stats": json.dumps([{"name": field, "type": "Data"}]),
		},
		"frappe.workflow.doctype.workflow.workflow.get_workflow_state_count": {
			"doctype": SESSION, "workflow_state_field": field, "states": "[]",
		},
		"frappe.desk.doctype.number_card.number_card.get_result": {"doc": json.dumps(card), "filters": "[]"},
		"frappe.client.get_value": {"doctype": SESSION, "fieldname": field, "filters": names[SESSION]},
		"frappe.client.validate_link": {
			"doctype": SESSION, "docname": names[SESSION], "fields": json.dumps([field]),
		},
		"frappe.desk.query_report.get_data_for_custom_field": {"doctype": SESSION, "field": field},
		"frappe.desk.query_report.run": {"report_name": "ToDo", "custom_columns": json.dumps([column])},
		"frappe.desk.form.utils.get_next": {
			"doctype": SESSION, "value": names[SESSION], "prev": 0, "sort_field": field,
		},
		"frappe.desk.search.search_widget": {"doctype": SESSION, "txt": secret[:6], "searchfield": field},
	}  # fmt: skip
	for path, arguments in calls.items():
		answer = ask(user, path, **arguments)
		assert secret not in answer.text, path


@pytest.fixture
def stored_values(site, names):
	"""The session's hidden columns, every one with a value that can be looked for."""
	table = site.qb.DocType(SESSION)
	values = {
		field: f"{field}-{names[SESSION]}-secret" for field in HIDDEN[SESSION] - {"sec_profile", "revision"}
	}
	values["hidden_turns"] = "1918273645"
	values["old_token_until"] = "2031-02-03 04:05:06.789012"
	query = site.qb.update(table).where(table.name == names[SESSION])
	for field, value in values.items():
		query = query.set(table[field], value[:64])
	query.run()
	site.db.commit()
	revision = site.db.get_value(SESSION, names[SESSION], "revision")
	return {**{field: value[:64] for field, value in values.items()}, "revision": revision}


@pytest.mark.parametrize("user", STAFF)
def test_reading_a_document_shows_no_hidden_field(ask, stored_values, names, user):
	for path, arguments in (
		(f"/api/resource/{SESSION}/{names[SESSION]}", {"verb": "GET"}),
		("frappe.client.get", {"doctype": SESSION, "name": names[SESSION]}),
		("frappe.desk.form.load.getdoc", {"doctype": SESSION, "name": names[SESSION]}),
		(
			"frappe.client.get_list",
			{"doctype": SESSION, "fields": ["*"], "filters": {"name": names[SESSION]}},
		),
	):
		answer = ask(user, path, **arguments)
		assert answer.status_code == 200 and names[SESSION] in answer.text, path
		assert not [field for field, value in stored_values.items() if value in answer.text], path


def test_turns_cannot_be_asked_about_their_sessions_hidden_fields(ask, site, names, stored_values):
	token_hash = site.db.get_value(SESSION, names[SESSION], "token_hash")
	for condition in ({"session.token_hash": ["like", "%"]}, [[SESSION, "token_hash", "like", "%"]]):
		assert rows(ask(AGENT, "frappe.client.get_list", doctype=TURN, filters=condition)) == []
	fields = ["name", "session.token_hash as content"]
	assert token_hash not in ask(AGENT, "frappe.client.get_list", doctype=TURN, fields=fields).text


@pytest.mark.parametrize("user", [VISITOR, OWNER, AGENT])
def test_a_users_linked_documents_show_sessions_to_staff_alone(ask, site, names, user):
	linked = ask(user, "frappe.desk.form.linked_with.get", doctype="User", docname=OWNER)
	assert (names[SESSION] in linked.text) is False or user == AGENT
	assert names[TURN] not in linked.text and names[EVENT] not in linked.text


def test_an_agent_sees_no_events_through_their_session(ask, names):
	answer = ask(AGENT, "frappe.desk.form.linked_with.get", doctype=SESSION, docname=names[SESSION])
	assert names[EVENT] not in answer.text
	assert ask(AGENT, f"/api/resource/{EVENT}/{names[EVENT]}", verb="GET").status_code in (403, 404)


def test_the_profile_is_not_readable_in_the_table(site, names, sessions):
	site.db.rollback()
	for column in ("user_profile", "identity_hash", "token_hash", "pending_message"):
		assert "Krishna" not in (site.db.get_value(SESSION, names[SESSION], column) or "")
	assert sessions.get(names[SESSION]).user_profile == {"name": "Krishna Secret"}


@pytest.mark.parametrize("user", [AGENT, AUDITOR, STAFF_ADMINISTRATOR])
def test_other_doctypes_are_counted_and_listed_as_ever(ask, site, user):
	note = site.get_doc(
		{"doctype": "Note", "title": f"Of {user} {os.urandom(4).hex()}", "public": 1}
	).insert()
	site.db.commit()
	asked = {"doctype": "Note", "filters": {"name": note.name}}
	assert ask(user, "frappe.client.get_count", **asked).json()["message"] == 1
	assert [row["name"] for row in rows(ask(user, "frappe.client.get_list", **asked))] == [note.name]
	assert (
		ask(SUPERUSER, "frappe.client.get", doctype="Note", name=note.name).json()["message"]["name"]
		== note.name
	)
