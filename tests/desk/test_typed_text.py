"""What people, bots and staff typed is text wherever it is shown: one hostile payload in every text field of ours.

A payload that is taken for HTML anywhere calls `window.hit`; one that is taken for a form draws a password field.
"""

import csv
import io
import json

import pytest

from dev.harness.caller import Caller
from tests import checks
from tests.callers import AGENT, SUPERUSER, key_of
from tests.conftest import SITE

PAYLOAD = "<img src=x onerror=hit('{0}')><input type=password placeholder=fake>\"'>{{{{ 7*7 }}}}"
FORMULA = "=cmd|'/c calc'!A1"
TEXTS = {
	"Data", "Small Text", "Long Text", "Text", "Code", "JSON", "Dynamic Link", "Text Editor", "HTML Editor", "Markdown Editor",
}  # fmt: skip
SINGLES = ("Assistant Session Settings",)
NO_TEXT = {"session_id", "device_id"}  # made or checked by the service, character by character
SECRETS = 3  # the level of what the service makes itself: hashes, digests, counters


def _texts(site, doctype: str) -> list[str]:
	fields = [field for field in site.get_meta(doctype).fields if field.fieldtype in TEXTS]
	return [
		field.fieldname for field in fields if field.fieldname not in NO_TEXT and field.permlevel < SECRETS
	]


def _fits(site, doctype: str, field: str, text: str) -> str:
	column = site.get_meta(doctype).get_field(field)
	value = (
		json.dumps({text: {"step": text, "data": {text: text}, "version": 1}}) if _is_json(column) else text
	)
	return value if column.fieldtype not in ("Data", "Dynamic Link") else value[: column.length or 140]


def _is_json(column) -> bool:
	return column.fieldname in ("context", "flows", "metadata", "details", "user_profile")


@pytest.fixture
def hostile(site, sessions):
	"""A row of every DocType of ours by DocType, a payload in each of its text fields, as whoever writes SQL could."""
	name = sessions.open().id
	with sessions.turn(name, "hello") as turn:
		turn.reply("hello")
	site.db.commit()
	of_session = {"filters": {"session": name}, "pluck": "name", "order_by": "sequence", "limit": 1}
	rows = {
		"Conversation Session": name,
		"Conversation Turn": site.get_all("Conversation Turn", **of_session)[0],
		"Session Event": site.get_all("Session Event", **of_session)[0],
		"Session Metric": _row(site, "Session Metric", "metric"),
		"Verification Attempt": _row(site, "Verification Attempt", "kind"),
	}
	for doctype, row in rows.items():
		_fill(site, doctype, row)
	site.db.set_value(
		"Conversation Session", name, {"party_type": "User", "legal_hold": 1}, update_modified=False
	)
	site.db.commit()
	yield rows
	for doctype in ("Session Metric", "Verification Attempt"):
		site.db.delete(doctype, {"name": rows[doctype]})
	site.db.commit()


def _row(site, doctype: str, field: str) -> str:
	name = site.generate_hash(length=20)
	site.db.sql(
		f"insert into `tab{doctype}` (name, creation, modified, owner, `{field}`) values (%s, now(), now(), 'Guest', 'x')",
		(name,),
	)
	return name


def _fill(site, doctype: str, name: str, text: str = PAYLOAD) -> None:
	for field in _texts(site, doctype):
		value = _fits(site, doctype, field, text.format(f"{doctype} {field}"))
		site.db.set_value(doctype, name, field, value, update_modified=False)


def _harm(page) -> list[str]:
	"""What ran, and what was drawn, since the page was opened."""
	page.page.wait_for_timeout(150)
	drawn = page.page.locator("input[placeholder=fake], img[src=x]").count()
	return [*page.page.evaluate("window.hits"), *(["drawn"] if drawn else [])]


def _watched(desk, user: str):
	page = desk(user)
	page.page.add_init_script("window.hits = []; window.hit = field => window.hits.push(field)")
	return page


DOCTYPES = (
	"Conversation Session", "Conversation Turn", "Session Event", "Session Metric", "Verification Attempt",
)  # fmt: skip
TYPED = ("Conversation Session", "Conversation Turn")
FOR_AGENTS = ("Conversation Session", "Conversation Turn")


def _slug(doctype: str) -> str:
	return doctype.lower().replace(" ", "-")


@pytest.mark.parametrize(
	("user", "doctype"), [*((SUPERUSER, one) for one in DOCTYPES), *((AGENT, one) for one in FOR_AGENTS)]
)
def test_nothing_typed_runs_or_is_drawn(desk, hostile, site, user, doctype):
	page, slug, name = _watched(desk, user), _slug(doctype), hostile[doctype]
	fields = [field for field in _texts(site, doctype) if _is_shown(site, doctype, field, user)]
	_list_all(page, doctype, fields)
	for route in ((slug,), (slug, "view", "report"), (slug, name)):
		page.open(*route, **({} if name in route else {"name": name}))
		assert name in page.page.content(), f"{route}: the row is shown"
		_open_sections(page)
		assert _harm(page) == [], route
		assert doctype not in TYPED or "onerror=hit" in page.text(), f"{route}: what was typed is shown"
		assert "&lt;" not in page.text() and "&#" not in page.text(), f"{route}: as it was typed"
	assert page.errors == []
	page.page.goto(f"{page.url.rpartition('/')[0]}/printview?doctype={doctype}&name={name}&trigger_print=0")
	assert _harm(page) == [], "print"
	assert page.dialogs == []


def _is_shown(site, doctype: str, field: str, user: str) -> bool:
	meta = site.get_meta(doctype)
	return user == SUPERUSER or meta.get_field(field).permlevel in meta.get_permlevel_access(
		"read", user=user
	)


def _list_all(page, doctype: str, fields: list[str]) -> None:
	"""Choose every text field as a column of the list and of the report view, as a user may."""
	page.open(_slug(doctype))
	columns = [[field, doctype] for field in fields]
	shown = {"List": {"filters": []}, "Report": {"fields": columns, "filters": []}}
	page.page.evaluate(
		"([doctype, shown]) => frappe.model.user_settings.save(doctype, 'Report', shown.Report)",
		[doctype, shown],
	)
	page.page.evaluate(
		"""([doctype, fields]) => frappe.get_meta(doctype).fields.forEach(field => {
			if (fields.includes(field.fieldname)) field.in_list_view = 1;
		})""",
		[doctype, fields],
	)
	page.wait()


def _open_sections(page) -> None:
	page.page.evaluate(
		"() => document.querySelectorAll('.section-head.collapsed').forEach(head => head.click())"
	)
	page.wait()


def test_what_was_typed_as_entities_becomes_no_tag(desk, hostile, site):
	name = hostile["Conversation Turn"]
	site.db.set_value(
		"Conversation Turn", name, "content", "&lt;img src=x onerror=hit(1)&gt; &#60;img src=x&#62; R&D"
	)
	site.db.commit()
	page = _watched(desk, SUPERUSER)
	for route in (("conversation-turn", "view", "report"), ("conversation-turn", name)):
		page.open(*route, **({} if name in route else {"name": name}))
		assert _harm(page) == [] and page.shows("R&D")


@pytest.mark.parametrize("first", ["content", "intent", "state"])
def test_a_report_whose_first_column_is_what_was_typed(desk, hostile, first):
	"""Frappe shifts columns by one while it draws a report of a DocType without a status."""
	page, name = _watched(desk, SUPERUSER), hostile["Conversation Turn"]
	page.open("conversation-turn")
	page.page.evaluate(
		"fields => frappe.model.user_settings.save('Conversation Turn', 'Report', { fields })",
		[["name", "Conversation Turn"], [first, "Conversation Turn"]],
	)
	page.wait()
	page.open("conversation-turn", "view", "report", name=name)
	assert _harm(page) == [] and "onerror=hit" in page.text()


def test_dialogs_show_what_was_typed_as_text(desk, hostile):
	"""The report of a session, which names states and what is broken, and the intro of a legal hold."""
	page = _watched(desk, SUPERUSER).open("conversation-session", hostile["Conversation Session"])
	for button in ("Report", "Check and mend"):
		page.page.evaluate("name => cur_frm.custom_buttons[name]?.click()", button)
		page.wait()
		assert _harm(page) == []


def test_settings_and_checks_show_what_an_administrator_typed_as_text(desk, site):
	"""An administrator of the app may not run anything as Administrator; Frappe cleans what is saved, SQL does not."""
	for doctype, name in (("Identity Check", checks.PYTHON_CHECK), *((one, one) for one in SINGLES)):
		before = _everything(site, doctype, name)
		try:
			_poison(site, doctype, name)
			page = _watched(desk, SUPERUSER).open(_slug(doctype), *([name] if doctype != name else []))
			_open_sections(page)
			assert _harm(page) == [], doctype
			page.page.goto(
				f"{page.url.rpartition('/')[0]}/printview?doctype={doctype}&name={name}&trigger_print=0"
			)
			assert _harm(page) == [], doctype
		finally:
			_restore(site, before)


def _tables(site, doctype: str) -> list:
	return [field for field in site.get_meta(doctype).fields if field.fieldtype == "Table"]


def _everything(site, doctype: str, name: str) -> dict:
	own = (
		{field: site.db.get_value(doctype, name, field) for field in _texts(site, doctype)}
		if doctype != name
		else {}
	)
	rows = {(doctype, name): own}
	for table in _tables(site, doctype):
		for row in site.get_all(table.options, {"parent": name}, ["name", *_texts(site, table.options)]):
			rows[(table.options, row.pop("name"))] = dict(row)
	return rows


def _poison(site, doctype: str, name: str) -> None:
	for of, row in _everything(site, doctype, name):
		if of != row:
			_fill(site, of, row)
	site.db.commit()
	site.clear_cache(doctype=doctype)
	site.clear_document_cache(doctype, name)


def _restore(site, rows: dict) -> None:
	for (doctype, name), values in rows.items():
		if values:
			site.db.set_value(doctype, name, values, update_modified=False)
	site.db.commit()
	for doctype, name in rows:
		site.clear_document_cache(doctype, name)


@pytest.mark.parametrize("kind", ["CSV", "Excel"])
@pytest.mark.parametrize("text", [FORMULA, "+1+1", "-1+1", "@SUM(A1)", "\t=1"])
def test_a_spreadsheet_takes_nothing_typed_for_a_formula(workers, site, opened, sessions, kind, text):
	sessions.add_turn(opened, "user", "hello")
	name = site.get_all("Conversation Turn", {"session": opened}, pluck="name")[0]
	site.db.set_value("Conversation Turn", name, "content", text)
	site.db.commit()
	cells = _exported(workers, "Conversation Turn", name, kind)
	assert f"'{text}" in cells and text not in cells
	assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


def _exported(workers, doctype: str, name: str, kind: str) -> list[str]:
	answer = Caller(workers.url, SITE, key=key_of(SUPERUSER)).ask(
		"POST",
		"/api/method/frappe.desk.reportview.export_query",
		json={
			"doctype": doctype, "fields": json.dumps([f"`tab{doctype}`.`name`", f"`tab{doctype}`.`content`"]),
			"filters": json.dumps([[doctype, "name", "=", name]]), "file_format_type": kind, "title": "x",
		},
	)  # fmt: skip
	assert answer.status_code == 200, answer.text
	if kind == "CSV":
		return [cell for row in csv.reader(io.StringIO(answer.text)) for cell in row]
	import openpyxl

	sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
	return [str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value is not None]


def test_other_spreadsheets_are_as_ever(site):
	from assistant_session.frappe_guards import methods

	methods.close()
	from frappe.desk.utils import get_csv_bytes

	site.local.form_dict = site._dict(doctype="ToDo")
	site.local.flags.assistant_session_exports = None
	assert b"=1+1" in get_csv_bytes([["=1+1"]], {"delimiter": ","})
	site.local.form_dict = site._dict(doctype="Conversation Turn")
	site.local.flags.assistant_session_exports = None
	assert b"'=1+1" in get_csv_bytes([["=1+1"]], {"delimiter": ","})
