"""Frappe's own ways to a document: what they show, change and tell of ours, to each kind of user."""

import json
import os
import re

import pytest

from tests.callers import AGENT, AUDITOR, SUPERUSER, VISITOR, key_of
from tests.conftest import REPOSITORY
from tests.doors import HIDDEN, OURS, READERS, SAID, SESSION, STAFF, STRANGERS, TURN, ask, names, rows, stored

__all__ = ["ask", "names", "stored"]

WRITING = ("create", "write", "delete", "submit", "cancel", "amend", "import", "share", "export")


def test_every_doctype_and_every_endpoint_of_ours_is_known_here(site):
	"""A new one must be added to these lists, and to the tests that go through them."""
	folder = REPOSITORY / "assistant_session" / "assistant_session" / "doctype"
	doctypes = {json.loads(file.read_text())["name"] for file in folder.glob("*/*.json")}
	settings = {
		"Assistant Session Settings", "Assistant Session Channel", "Identity Check", "Identity Check Credential",
		"Identity Check Field", "Protected Intent",
	}  # fmt: skip
	assert doctypes == {*OURS, *settings}
	assert _whitelisted() == {
		"api": {
			"open_session", "resume_session", "send_message", "get_history", "close_session", "get_session_lock",
			"set_session_lock", "clear_session_lock", "submit_credentials", "logout", "unlock_verification",
			"set_legal_hold", "lift_legal_hold", "export_person", "erase_person",
			"try_identity_check", "release_tries", "recover_session_from_database", "ensure_session_consistency", "session_report",
			"metrics", "read_conversation", "find_conversations", "close_conversation", "end_authentication",
			"release_agent_lock", "link_party", "count_person",
		},
	}  # fmt: skip


def _whitelisted() -> dict[str, set[str]]:
	import importlib

	import frappe

	modules = {
		os.path.relpath(file, REPOSITORY)[:-3].replace("/", ".").removesuffix(".__init__")
		for file in (REPOSITORY / "assistant_session").rglob("*.py")
		if "demo" not in file.parts
	}
	for module in modules:
		importlib.import_module(module)
	found: dict[str, set[str]] = {}
	for function in frappe.whitelisted:
		if function.__module__.startswith("assistant_session."):
			found.setdefault(function.__module__.removeprefix("assistant_session."), set()).add(
				function.__name__
			)
	return found


@pytest.mark.parametrize("doctype", OURS)
def test_no_role_may_do_more_than_read_and_report(site, doctype):
	meta = site.get_meta(doctype)
	for permission in meta.permissions:
		assert not [right for right in WRITING if permission.get(right)], permission.role
		assert not permission.if_owner and permission.permlevel in (0, 1)
	assert not (meta.allow_import or meta.allow_rename or meta.track_changes or meta.in_create)
	hidden = {field.fieldname for field in meta.fields if field.permlevel > 1}
	assert hidden == HIDDEN[doctype]


@pytest.mark.parametrize("doctype", OURS)
def test_both_permission_hooks_agree_for_every_role(site, names, doctype):
	from assistant_session import hooks

	condition = site.get_attr(hooks.permission_query_conditions[doctype])
	document = site.get_doc(doctype, names[doctype])
	for user in (*STRANGERS, *STAFF):
		key_of(user)
	for user in (*STRANGERS, *STAFF, SUPERUSER, "Guest"):
		readable = user in READERS[doctype] or user == SUPERUSER
		assert (condition(user) == "") is readable, user
		assert _may(site, document, "read", user) is readable
		for right in ("write", "create", "delete", "share"):
			assert _may(site, document, right, user) is (user == SUPERUSER), (user, right)


def _may(site, document, right: str, user: str) -> bool:
	try:
		return bool(site.has_permission(document.doctype, right, document, user))
	except site.DoesNotExistError:
		return False


LISTS = {
	"frappe.client.get_list": {"fields": ["*"]},
	"frappe.desk.reportview.get": {"fields": ["*"], "start": 0, "page_length": 5},
	"frappe.desk.reportview.get_list": {"fields": ["name"], "start": 0, "page_length": 5},
	"frappe.client.get_value": {"fieldname": "name"},
	"frappe.client.get": {},
	"frappe.client.get_count": {},
	"frappe.desk.reportview.get_count": {},
	"frappe.desk.search.search_link": {"txt": "a"},
	"frappe.desk.listview.get_group_by_count": {"current_filters": "[]", "field": "creation"},
	"frappe.desk.reportview.get_stats": {"stats": '["_user_tags"]'},
	"frappe.desk.reportview.export_query": {"fields": '["name"]', "file_format_type": "CSV"},
	"frappe.desk.query_report.get_data_for_custom_field": {"field": "creation"},
}


@pytest.mark.parametrize("doctype", OURS)
@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("user", [None, *STRANGERS])
def test_lists_and_counts_say_nothing_to_who_may_not_read(ask, names, path, doctype, user):
	for name in (names[doctype], "no such name"):
		filters = {"name": name} if path.startswith("frappe.client") else [[doctype, "name", "=", name]]
		answer = ask(user, path, doctype=doctype, filters=json.dumps(filters), **LISTS[path])
		assert answer.status_code in (401, 403), (answer.status_code, answer.text)
		assert names[SESSION] not in answer.text


@pytest.mark.parametrize("path", ["/api/resource/{0}", "/api/v2/document/{0}", "/api/v2/doctype/{0}/count"])
@pytest.mark.parametrize("doctype", OURS)
def test_rest_lists_and_counts_are_for_readers_and_not_about_hidden_fields(ask, names, path, doctype):
	"""Frappe before 15 has no /api/v2 and answers 404 to everybody."""
	filters = [[doctype, "name", "=", names[doctype]]]
	for user in (None, *STRANGERS):
		answer = ask(user, path.format(doctype), verb="GET", filters=filters)
		assert answer.status_code in (401, 403, 404) and names[doctype] not in answer.text
	for field in sorted(HIDDEN[doctype] - {"sec_profile"}):
		about = [*filters, [doctype, field, "like", "%"]]
		answer = ask(AUDITOR, path.format(doctype), verb="GET", filters=about)
		assert not rows(answer) and names[doctype] not in answer.text
	shown = ask(AUDITOR, path.format(doctype), verb="GET", filters=filters)
	assert shown.status_code == 200 or ("v2" in path and shown.status_code == 404)


@pytest.mark.parametrize("field", ["name", "token_hash"])
@pytest.mark.parametrize("user", [None, *STRANGERS, AGENT])
def test_a_goal_chart_tells_nothing_of_our_rows(ask, names, user, field):
	fields = dict.fromkeys(("goal_value_field", "goal_total_field", "goal_history_field"), "first_name")
	answer = ask(
		user, "frappe.utils.goal.get_monthly_goal_graph_data", title="t", doctype="User", docname=user,
		goal_doctype=SESSION, goal_doctype_link="owner", goal_field=field, date_field="creation", aggregation="max",
		**fields,
	)  # fmt: skip
	assert answer.status_code == 403 or (user == AGENT and field == "name")


SINGLE = {
	"read": lambda ask, user, doctype, name: ask(user, f"/api/resource/{doctype}/{name}", verb="GET"),
	"update": lambda ask, user, doctype, name: ask(user, f"/api/resource/{doctype}/{name}", verb="PUT", ttl=77),
	"remove": lambda ask, user, doctype, name: ask(user, f"/api/resource/{doctype}/{name}", verb="DELETE"),
	"method": lambda ask, user, doctype, name: ask(user, f"/api/resource/{doctype}/{name}", run_method="x"),
	"v2 read": lambda ask, user, doctype, name: ask(user, f"/api/v2/document/{doctype}/{name}/", verb="GET"),
	"v2 copy": lambda ask, user, doctype, name: ask(user, f"/api/v2/document/{doctype}/{name}/copy", verb="GET"),
	"v2 update": lambda ask, user, doctype, name: ask(user, f"/api/v2/document/{doctype}/{name}/", verb="PUT", ttl=77),
	"v2 remove": lambda ask, user, doctype, name: ask(user, f"/api/v2/document/{doctype}/{name}/", verb="DELETE"),
	"v2 method": lambda ask, user, doctype, name: ask(user, f"/api/v2/document/{doctype}/{name}/method/save/"),
	"get": lambda ask, user, doctype, name: ask(user, "frappe.client.get", doctype=doctype, name=name),
	"set_value": lambda ask, user, doctype, name: ask(
		user, "frappe.client.set_value", doctype=doctype, name=name, fieldname="ttl", value=77
	),
	"delete": lambda ask, user, doctype, name: ask(user, "frappe.client.delete", doctype=doctype, name=name),
	"form": lambda ask, user, doctype, name: ask(user, "frappe.desk.form.load.getdoc", doctype=doctype, name=name),
	"permissions": lambda ask, user, doctype, name: ask(
		user, "frappe.client.get_doc_permissions", doctype=doctype, docname=name
	),
	"links": lambda ask, user, doctype, name: ask(
		user, "frappe.desk.form.linked_with.get", doctype=doctype, docname=name
	),
	"open counts": lambda ask, user, doctype, name: ask(
		user, "frappe.desk.notifications.get_open_count", doctype=doctype, name=name
	),
	"unlock": lambda ask, user, doctype, name: ask(
		user, "frappe.model.document.unlock_document", doctype=doctype, name=name
	),
	"like": lambda ask, user, doctype, name: ask(
		user, "frappe.desk.like.toggle_like", doctype=doctype, name=name, add="Yes"
	),
	"tag": lambda ask, user, doctype, name: ask(
		user, "frappe.desk.doctype.tag.tag.add_tag", tag="seen", dt=doctype, dn=name
	),
	"comment": lambda ask, user, doctype, name: ask(
		user, "frappe.desk.form.utils.add_comment", reference_doctype=doctype, reference_name=name,
		content="x", comment_email=user, comment_by="x",
	),
	"run_doc_method": lambda ask, user, doctype, name: ask(
		user, "run_doc_method", docs=json.dumps({"doctype": doctype, "name": name, "modified": "2020-01-01"}), method="x"
	),
	"run_doc_method by name": lambda ask, user, doctype, name: ask(user, "run_doc_method", dt=doctype, dn=name, method="x"),
}  # fmt: skip


@pytest.mark.parametrize("doctype", OURS)
@pytest.mark.parametrize("door", SINGLE)
@pytest.mark.parametrize("user", STRANGERS)
def test_an_id_that_exists_looks_like_one_that_does_not(ask, names, stored, user, door, doctype):
	name, made_up = names[doctype], "x" * len(names[doctype])
	before = stored(doctype, name)
	real, unknown = (SINGLE[door](ask, user, doctype, one) for one in (name, made_up))
	assert real.status_code == unknown.status_code and real.status_code >= 400
	assert _told(real).replace(name, made_up) == _told(unknown)
	assert stored(doctype, name) == before


def _told(response) -> str:
	"""What a caller is told; Frappe's own traceback has line numbers of where it stood."""
	body = response.json()
	told = json.dumps(
		[body.get(key) for key in ("_server_messages", "exc_type", "message", "data", "errors")]
	)
	return re.sub(r"__frappe_exc_id\W+[0-9a-f]{56}", "", told)  # a random number, on 15.44 and later


@pytest.mark.parametrize("doctype", OURS)
@pytest.mark.parametrize("user", STAFF)
def test_a_form_is_told_that_staff_may_read_and_no_more(ask, names, user, doctype):
	answer = SINGLE["permissions"](ask, user, doctype, names[doctype])
	if user not in READERS[doctype]:
		assert answer.status_code in (403, 404)
		return
	allowed = answer.json()["message"]["permissions"]
	assert allowed["read"] and not [right for right in WRITING if allowed.get(right)]


@pytest.mark.parametrize("door", ["update", "remove", "v2 update", "v2 remove", "set_value", "delete"])
@pytest.mark.parametrize("doctype", OURS)
@pytest.mark.parametrize("user", STAFF)
def test_staff_can_change_and_delete_nothing(ask, names, stored, user, door, doctype):
	before = stored(doctype, names[doctype])
	answer = SINGLE[door](ask, user, doctype, names[doctype])
	assert answer.status_code in (403, 404) and SAID not in answer.text
	assert stored(doctype, names[doctype]) == before


COUNT = "frappe.client.get_count"
LETTER = {"session": "{0}", "content": ["like", "my-pin-is-4%"]}
ROUND = {
	"map_docs": ("frappe.model.mapper.map_docs", {"method": COUNT, "source_names": "sources", "target_doc": "filters"}),
	"map_docs, escaped": (
		"frappe.model.mapper.map_docs", {"method": COUNT, "source_names": "escaped", "target_doc": "filters"},
	),
	"get_all_nodes": (
		"frappe.desk.treeview.get_all_nodes",
		{"doctype": "doctype", "label": "filters", "parent": "filters", "tree_method": COUNT},
	),
	"search_link": (
		"frappe.desk.search.search_link",
		{"doctype": "doctype", "txt": "filters", "query": COUNT, "filters": "filters"},
	),
	"another name": ("frappe.desk.query_report.get_count", {"doctype": "doctype", "filters": "filters"}),
	"through cmd": ("/", {"cmd": COUNT, "doctype": "doctype", "filters": "filters"}),
	"v2": (f"/api/v2/method/{COUNT}", {"doctype": "doctype", "filters": "filters"}),
}  # fmt: skip


@pytest.mark.parametrize("way", ROUND)
@pytest.mark.parametrize("user", [None, *STRANGERS])
def test_no_way_round_leads_to_a_count_of_our_rows(ask, names, user, way):
	"""Functions that are handed a dotted path, other names of a function, other addresses: none counts for strangers."""
	path, arguments = ROUND[way]
	said = []
	for letter in ("4", "5"):
		filters = json.dumps({"session": names[SESSION], "content": ["like", f"my-pin-is-{letter}%"]})
		values = {
			"doctype": TURN, "filters": filters, "sources": json.dumps([TURN]),
			"escaped": json.dumps([TURN]).replace("T", "\\u0054"),
		}  # fmt: skip
		answer = ask(user, path, **{name: values.get(value, value) for name, value in arguments.items()})
		assert answer.status_code >= 400 or path == "/", answer.text
		said.append(re.sub(r"my-pin-is-.|[0-9a-f]{20,}", "", answer.text))
	assert said[0] == said[1]


@pytest.mark.parametrize(
	("path", "arguments"),
	[
		("frappe.desk.doctype.tag.test_tag.add_tag", {"tag": "seen", "dt": SESSION, "dn": "{0}"}),
		("frappe.desk.doctype.tag.tag.add_tags", {"tags": '["seen"]', "dt": SESSION, "docs": '["{0}"]'}),
		("frappe.desk.like.toggle_like", {"doctype": SESSION, "name": "{0}", "add": "Yes"}),
		(
			"frappe.desk.form.utils.add_comment",
			{"reference_doctype": SESSION, "reference_name": "{0}", "content": "x", "comment_email": "x", "comment_by": "x"},
		),
		(
			"frappe.templates.includes.comments.comments.add_comment",
			{"reference_doctype": SESSION, "reference_name": "{0}", "comment": "hello there", "comment_email": "a@example.com",
			 "comment_by": "x", "route": "x"},
		),
		("frappe.rename_doc", {"doctype": SESSION, "old": "{0}", "new": "another"}),
		("frappe.model.rename_doc.rename_doc", {"doctype": SESSION, "old": "{0}", "new": "another"}),
		("frappe.model.workflow.apply_workflow", {"doc": '{"doctype": "Conversation Session", "name": "{0}"}', "action": "x"}),
		("frappe.automation.doctype.assignment_rule.assignment_rule.bulk_apply", {"doctype": SESSION, "docnames": '["{0}"]'}),
	],
	ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
@pytest.mark.parametrize("user", STRANGERS)
def test_nothing_writes_to_a_row_for_strangers(ask, names, stored, site, user, path, arguments):
	name = names[SESSION]
	before, comments = stored(SESSION, name), site.db.count("Comment", {"reference_name": name})
	ask(user, path, **{key: value.replace("{0}", name) for key, value in arguments.items()})
	assert stored(SESSION, name) == before
	assert site.db.count("Comment", {"reference_name": name}) == comments


@pytest.mark.parametrize("user", STAFF)
@pytest.mark.parametrize("field", ["token_hash", "identity_hash"])
def test_no_way_round_leads_staff_to_hidden_fields(ask, names, site, user, field):
	secret = "0123456789abcdef-" + names[SESSION]
	site.db.set_value(SESSION, names[SESSION], field, secret[:64], update_modified=False)
	site.db.commit()
	ways = {
		"frappe.workflow.doctype.workflow.workflow.get_workflow_state_count": [SESSION, field, "[]"],
		"frappe.desk.query_report.get_data_for_custom_field": [SESSION, field],
	}
	for method, arguments in ways.items():
		answer = ask(
			user, "frappe.model.mapper.map_docs", method=method, source_names=json.dumps(arguments[:1]),
			target_doc=arguments[1], args=json.dumps(arguments[2] if arguments[2:] else None),
		)  # fmt: skip
		assert answer.status_code >= 400 and secret not in answer.text
	for sort_field in (field, field.upper(), f"`{field}`"):
		answer = ask(
			user, "frappe.desk.form.utils.get_next", doctype=SESSION, value=names[SESSION], prev=0, sort_field=sort_field,
		)  # fmt: skip
		assert answer.status_code >= 400 and secret not in answer.text


def test_a_tag_tells_strangers_nothing_of_what_has_it(ask, names, site):
	from frappe.desk.doctype.tag.tag import DocTags

	DocTags(SESSION).add(names[SESSION], "urgent")
	site.db.commit()
	for user, is_told in ((VISITOR, False), (AGENT, True)):
		answer = ask(user, "frappe.desk.doctype.tag.tag.get_documents_for_tag", tag="#urgent")
		assert (names[SESSION] in answer.text) is (is_told and answer.status_code == 200)


def test_what_people_write_elsewhere_may_name_our_doctypes(ask, site):
	"""A sentence, or what somebody searches for, is no question about our rows."""
	text = "about the Conversation Session of yesterday, a Session Event"
	note = {"doctype": "Note", "title": f"{text} {os.urandom(4).hex()}", "content": text}
	assert ask(AGENT, "frappe.client.insert", doc=note).status_code == 200
	for user in (VISITOR, AGENT):
		answer = ask(
			user,
			"frappe.client.get_count",
			doctype="ToDo",
			filters={"description": "in Session Events, and more"},
		)
		assert answer.status_code == 200


def test_a_site_of_the_same_process_without_the_app_notices_nothing(site, monkeypatch):
	from assistant_session import permissions
	from assistant_session.frappe_guards import methods

	methods.close()
	site.set_user(VISITOR)
	monkeypatch.setattr(site.local, "request", object(), raising=False)
	monkeypatch.setattr(site.local, "form_dict", site._dict(doctype=SESSION))
	assert permissions.named(permissions.plain(site.form_dict)) == {SESSION}
	from frappe.client import get_count

	assert get_count not in site.whitelisted
	monkeypatch.setattr(site, "get_installed_apps", lambda *_more, **_named: ["frappe"])
	assert get_count in site.whitelisted


@pytest.mark.parametrize("method", ["as_dict", "as_json", "get_valid_dict", "db_update", "delete", "x"])
@pytest.mark.parametrize("doctype", OURS)
def test_a_method_of_a_document_is_run_for_nobody_unless_it_is_whitelisted(
	ask, names, stored, doctype, method
):
	"""`run_method` would answer with the hash of an identity and a stored profile."""
	before = stored(doctype, names[doctype])
	for verb in ("GET", "POST"):
		answer = ask(AGENT, f"/api/resource/{doctype}/{names[doctype]}", verb=verb, run_method=method)
		assert answer.status_code in (403, 404), answer.text
	assert stored(doctype, names[doctype]) == before
