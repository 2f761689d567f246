"""Frappe's own ways to a document: what they show, change and tell of ours, to each kind of user."""

import json
import os
import re

import pytest

from tests.callers import AGENT, AUDITOR, OWNER, STAFF_ADMINISTRATOR, SUPERUSER, VISITOR, Caller, key_of
from tests.conftest import REPOSITORY, SITE

SESSION, TURN, EVENT = "Conversation Session", "Conversation Turn", "Session Event"
ATTEMPT, METRIC = "Verification Attempt", "Session Metric"
OURS = (SESSION, TURN, EVENT, ATTEMPT, METRIC)
HIDDEN = {
	SESSION: {
		"identity_hash", "user_profile", "pending_message", "revision", "active_key", "token_hash", "event_head", "event_base",
		"sec_profile", "hidden_turns", "old_token_hash", "old_token_until", "old_token_key",
	},
	TURN: {"message_key", "message_digest"},
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
WRITING = ("create", "write", "delete", "submit", "cancel", "amend", "import", "share", "export")


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
	from assistant_session.metrics import totals

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
			"try_identity_check", "recover_session_from_database", "ensure_session_consistency", "session_report",
			"metrics",
		},
		"web.side_doors": {"door"},
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
