"""Documents of Frappe that point at ours: nobody learns from one, and nobody writes through one."""

import json
import os

import pytest

from dev.harness.caller import Caller
from tests.callers import AGENT, OWNER, SUPERUSER, VISITOR
from tests.conftest import SITE
from tests.doors import SAID, SESSION, TURN, ask, names, stored

__all__ = ["ask", "names", "stored"]

# DocTypes a website user or guest may try to make, and the fields by which they point.
POINTING = {
	"Communication": ("reference_doctype", "reference_name", {"subject": "x"}),
	"Activity Log": ("reference_doctype", "reference_name", {"subject": "x"}),
	"ToDo": ("reference_type", "reference_name", {"description": "x"}),
	"Comment": ("reference_doctype", "reference_name", {"comment_type": "Comment", "content": "x"}),
	"Document Follow": ("ref_doctype", "ref_docname", {"user": VISITOR}),
	"Tag Link": ("document_type", "document_name", {"tag": "x"}),
	"File": ("attached_to_doctype", "attached_to_name", {"file_name": "x.txt", "content": "x"}),
}
PATHS = ("/api/resource/{0}", "/api/v2/document/{0}", "frappe.client.insert")


def _make(ask, user, path: str, doctype: str, target: str, name):
	type_field, name_field, more = POINTING[doctype]
	values = {**more, type_field: target, name_field: name}
	if path.startswith("/"):
		return ask(user, path.format(doctype), **values)
	return ask(user, path, doc={"doctype": doctype, **values})


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("doctype", POINTING)
@pytest.mark.parametrize("user", [None, VISITOR, OWNER])
def test_a_link_tells_nobody_whether_there_is_a_conversation(ask, names, stored, site, user, doctype, path):
	"""Neither by its name nor by a filter in the place of one."""
	before = stored(SESSION, names[SESSION])
	for target, name, made_up in (
		(SESSION, names[SESSION], "x" * len(names[SESSION])),
		(TURN, {"content": ["like", f"{SAID[:5]}%"]}, {"content": ["like", "nobody said that%"]}),
		("Identity Check", {"enabled": 1}, {"enabled": 7}),
	):
		real, unknown = (_make(ask, user, path, doctype, target, one) for one in (name, made_up))
		assert real.status_code == unknown.status_code >= 400, (real.text[:300], unknown.text[:300])
		assert _said(real) == _said(unknown)
	assert stored(SESSION, names[SESSION]) == before


def _said(response) -> str:
	body = response.json()
	text = json.dumps([body.get("exc_type"), body.get("exception"), body.get("errors", [{}])[0].get("type")])
	return text.split(":")[0]


@pytest.mark.parametrize("user", [VISITOR, AGENT, SUPERUSER])
@pytest.mark.parametrize("field", ["content", "state"])
def test_no_file_writes_into_a_field_of_a_message(ask, names, stored, user, field):
	name = names[TURN]
	before = stored(TURN, name)
	values = {
		"file_name": f"{os.urandom(4).hex()}.txt", "content": "x", "is_private": 1, "attached_to_doctype": TURN,
		"attached_to_name": name, "attached_to_field": field,
	}  # fmt: skip
	made = ask(user, "/api/resource/File", **values)
	assert made.status_code >= 400
	plain = ask(user, "/api/resource/File", **{**values, "attached_to_field": None, "attached_to_name": None})
	if plain.status_code == 200:
		file = plain.json()["data"]["name"]
		changed = ask(
			user,
			f"/api/resource/File/{file}",
			verb="PUT",
			attached_to_name=name,
			attached_to_field=field,
			is_private=0,
		)
		assert changed.status_code >= 400
	assert stored(TURN, name) == before


def test_no_file_writes_into_settings(ask, site):
	before = site.db.get_single_value("Assistant Session Settings", "open_intents")
	doctype = "Assistant Session Settings"
	values = {
		"file_name": "x.txt",
		"content": "x",
		"attached_to_doctype": doctype,
		"attached_to_name": doctype,
	}
	assert ask(VISITOR, "/api/resource/File", **values, attached_to_field="open_intents").status_code >= 400
	site.db.rollback()
	assert site.db.get_single_value("Assistant Session Settings", "open_intents") == before


def test_staff_attach_a_file_to_a_conversation_as_ever(ask, names):
	values = {
		"file_name": f"{os.urandom(4).hex()}.txt",
		"content": "x",
		"is_private": 1,
		"attached_to_doctype": SESSION,
	}
	assert ask(AGENT, "/api/resource/File", **values, attached_to_name=names[SESSION]).status_code == 200


def test_a_bot_points_at_its_conversation_whoever_is_on_the_other_side(site, names, monkeypatch):
	"""Code of the site that ignores permissions, in a guest's request: but by a name alone."""
	from assistant_session.frappe_guards import methods

	methods.close()
	monkeypatch.setattr(site.local, "request", object(), raising=False)
	site.set_user("Guest")
	values = {"doctype": "ToDo", "description": "call back", "reference_type": SESSION}
	made = site.get_doc({**values, "reference_name": names[SESSION]}).insert(ignore_permissions=True)
	assert made.reference_name == names[SESSION]
	with pytest.raises(site.LinkValidationError):
		site.get_doc({**values, "reference_name": {"name": names[SESSION]}}).insert(ignore_permissions=True)


@pytest.mark.parametrize("doctype", ["Tag Link", "Document Follow"])
def test_no_list_tells_strangers_which_conversations_have_a_tag_or_are_followed(ask, names, site, doctype):
	type_field, name_field, more = POINTING[doctype]
	if doctype == "Tag Link" and not site.db.exists("Tag", more["tag"]):
		site.get_doc({"doctype": "Tag", "name": more["tag"]}).insert(ignore_permissions=True)
	row = site.get_doc({"doctype": doctype, **more, type_field: SESSION, name_field: names[SESSION]})
	row.insert(ignore_permissions=True)
	site.db.commit()
	fields = json.dumps([type_field, name_field])
	for user in (VISITOR, OWNER, "desk.user@example.com"):
		if user.startswith("desk"):
			_desk_user(site, user)
		listed = ask(user, f"/api/resource/{doctype}", verb="GET", fields=fields, limit_page_length=0)
		single = ask(user, f"/api/resource/{doctype}/{row.name}", verb="GET")
		assert names[SESSION] not in listed.text and names[SESSION] not in single.text


def _desk_user(site, user: str) -> None:
	from dev.harness.users import new_user

	if not site.db.exists("User", user):
		document = new_user(user)
		document.user_type = "System User"
		document.add_roles("Blogger" if site.db.exists("Role", "Blogger") else "Newsletter Manager")
	site.db.commit()


ODD = [
	"Conver\x01sation Session",
	"Conver\x7fsation Session",
	"Conver⃝sation Session",
	"Conver​sation Session",
	"Conversatión Session",
]


@pytest.mark.parametrize("spelling", ODD)
def test_signs_a_database_passes_over_are_passed_over_here_as_well(site, spelling):
	from assistant_session import permissions

	for said in ({"doctype": spelling}, {"filters": json.dumps([[spelling, "name", "=", "x"]])}):
		assert permissions.named(permissions.plain(said)) == {SESSION}


@pytest.mark.parametrize("text", ["\\" * 200_000, "\\u00" * 50_000, "\\n" * 100_000, "́" * 100_000])
def test_no_text_takes_long_to_look_through(site, text):
	"""Each of them raised TimeoutError, or would have gone on for minutes, when every backslash began a search anew."""
	from assistant_session import permissions

	assert permissions.named(permissions.plain({"a": text, "doctype": SESSION})) == {SESSION}


def test_a_web_form_changes_no_settings_and_is_not_made_for_ours(site, ask):
	form = {
		"doctype": "Web Form", "title": "x", "route": f"x-{os.urandom(3).hex()}", "doc_type": "Assistant Session Settings",
		"published": 1, "is_standard": 0, "web_form_fields": [{"fieldname": "failures_alarm", "fieldtype": "Int", "label": "x"}],
	}  # fmt: skip
	assert ask(SUPERUSER, "frappe.client.insert", doc=form).status_code >= 400
	made = site.get_doc(form).insert(ignore_permissions=True)  # one from before
	wanted = site.db.get_single_value("Assistant Session Settings", "failures_alarm") + 1
	site.db.commit()
	try:
		answer = ask(
			None,
			"frappe.website.doctype.web_form.web_form.accept",
			web_form=made.name,
			data=json.dumps({"failures_alarm": wanted}),
		)
		assert answer.status_code >= 400, answer.text
		site.db.rollback()
		assert site.db.get_single_value("Assistant Session Settings", "failures_alarm") != wanted
	finally:
		site.delete_doc("Web Form", made.name, force=True)
		site.db.commit()


def test_a_system_manager_customises_our_doctypes(ask, site):
	manager = "session.manager@example.com"
	if not site.db.exists("User", manager):
		from dev.harness.users import new_user

		document = new_user(manager)
		document.user_type = "System User"
		document.add_roles("System Manager")
	site.db.commit()
	calls = {
		"frappe.desk.form.load.getdoc": {"doctype": "DocType", "name": SESSION},
		"frappe.client.get": {"doctype": "DocType", "name": SESSION},
		"frappe.desk.reportview.get": {
			"doctype": "Custom Field", "fields": '["name"]', "filters": json.dumps([["Custom Field", "dt", "=", SESSION]]),
		},
		"frappe.client.get_list": {"doctype": "Report", "filters": {"ref_doctype": SESSION}},
	}  # fmt: skip
	for path, arguments in calls.items():
		assert ask(manager, path, **arguments).status_code == 200, path
	assert ask(manager, "frappe.client.get_count", doctype=TURN).status_code == 403


def test_the_values_of_a_field_are_counted_as_text(ask, names, site):
	"""Desk writes them into its sidebar as HTML."""
	site.db.set_value(
		SESSION, names[SESSION], "close_reason", "<img src=x onerror=hit()>", update_modified=False
	)
	site.db.commit()
	answer = ask(
		AGENT,
		"frappe.desk.listview.get_group_by_count",
		doctype=SESSION,
		current_filters="[]",
		field="close_reason",
	)
	assert "&lt;img" in answer.text and "<img" not in answer.text


@pytest.mark.parametrize("reason", ["<img src=x onerror=hit()>", "a > b", "<"])
def test_a_reason_a_state_and_an_intent_have_no_angle_brackets(sessions, opened, reason):
	for call in (
		lambda: sessions.close(opened, reason),
		lambda: sessions.transition(opened, reason),
		lambda: sessions.lock_intent(opened, reason),
		lambda: sessions.lock_agent(opened, reason),
		lambda: sessions.set_flow(opened, reason, "step"),
		lambda: sessions.open(channel=reason),
	):
		with pytest.raises(sessions.InvalidSessionData, match="not allowed"):
			call()


def test_the_last_persons_answer_is_not_repeated_to_the_next(workers, site, sessions):
	from assistant_session.demo import directory
	from tests.people import right

	page = Caller(workers.url, SITE).open(channel="Pension")
	for person in ("Maya", "Hari"):
		member = directory.new_member(person)
		page.own("send_message", message="what about my pension?", message_id=f"asked by {person}")
		answer = page.own("submit_credentials", text=right(member))
		page.token = answer.headers["X-Assistant-Session-Token"]
		if person == "Maya":
			said = page.own("send_message", message="and my next payment?", message_id="2").json()["message"]
			assert said["replies"]
			page.own("logout")
	again = page.own("send_message", message="and my next payment?", message_id="2")
	assert again.status_code == 422 and "replies" not in again.text


def test_a_mistyped_credential_is_not_shown_to_the_bot_either(sessions, site, opened):
	from assistant_session import authentication
	from tests import checks

	authentication.require(opened, "pension_inquiry", checks.QUESTION)
	site.db.commit()
	for typed in ("68371/65/0", "683712 -- 65 -- 0", "PEN_00050001"):
		with sessions.turn(opened, f"my number is {typed} sorry") as turn:
			assert authentication.gate(turn)
			assert typed not in turn.message
			turn.session.set_flow("last", "step", {"raw": turn.raw_message, "shown": turn.message})
			turn.reply(f"{typed}?")
		site.db.commit()
		kept = str(site.db.get_value(SESSION, opened, "flows")) + str(
			site.get_all(TURN, {"session": opened}, pluck="content")
		)
		assert typed not in kept, typed
