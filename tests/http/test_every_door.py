"""Every function that the installed Frappe answers over HTTP, found by program and tried with our documents.

Frappe checks permission in each of some five hundred functions by itself, or forgets to. Nobody reads them all at each new
version: here each is called as a website user and as an agent, with a conversation in every argument that could name one.
"""

import importlib
import inspect
import json
import pkgutil
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from assistant_session.frappe_guards.methods import innermost, path_of
from dev.harness.caller import Caller
from tests.callers import AGENT, OWNER, VISITOR, key_of
from tests.conftest import SITE
from tests.doors import SAID, SESSION, TURN, names, stored
from tests.http.test_hidden_fields import stored_values

__all__ = ["names", "stored", "stored_values"]

KNOWN = Path(__file__).parent / "known_doors.txt"
# Parameters by which a function is told of a DocType, a document, a list of them, a field, or a function.
POINTS = re.compile(
	r"(^|_)(doctypes?|dt|dn|docs?|docnames?|docinfo|document|reference|parent|parenttype|names?|method|function|query|"
	r"report|filters|fields?|fieldnames?|source|target|link|board|chart|card|tag|args|kwargs|data|key|value)($|_|s$)"
)
# They end the caller's session, the site's, or somebody else's patience.
NOT_CALLED = re.compile(
	r"logout|login|reset_password|update_password|sign_up|restart|backup|telemetry|oauth|google|dropbox|s3|ldap|"
	r"send_test|test_sms|connected_app|marketplace|frappecloud|recorder|uninstall|clear_cache|pull_from|push_to"
)


@pytest.fixture(scope="module")
def doors(bench):
	"""Functions by path, as `module.function` or `module.Class.method`, of all of Frappe's modules, tests included."""
	import frappe

	for module in pkgutil.walk_packages(frappe.__path__, "frappe."):
		if not re.search(r"\.(patches|commands|tests\.ui_test_helpers|testing)(\.|$)", module.name):
			try:
				importlib.import_module(module.name)
			except Exception:
				continue  # needs what this site has not: nobody can call it over HTTP either
	return dict(sorted(_paths()))


def _paths():
	"""Each function with one path by which a request can name it: its own, or where it is known."""
	import frappe

	registered = {id(one): one for one in getattr(frappe.whitelisted, "before", frappe.whitelisted)}
	for one in registered.values():
		if (path := path_of(one)).startswith("frappe."):
			yield path, one


def _parameters(function) -> list[str]:
	return [name for name in inspect.signature(innermost(function)).parameters if name != "self"]


def _can_name(function) -> bool:
	"""Whether it takes, or reads out of the request, something that names documents."""
	if any(POINTS.search(name) for name in _parameters(function)):
		return True
	return bool(re.search(r"form_dict|get_form_params", inspect.getsource(innermost(function))))


def test_every_function_that_can_name_a_document_is_known(doors):
	"""A new one in the next Frappe: look at it, see that the tests below try it well, and write it down."""
	known = set(KNOWN.read_text().split())
	assert sorted({path for path, function in doors.items() if _can_name(function)} - known) == []


COMMENT = "a comment of the staff"
ARGUMENTS = {
	"doctype": "{doctype}", "dt": "{doctype}", "document_type": "{doctype}", "reference_doctype": "{doctype}",
	"ref_doctype": "{doctype}", "doc_type": "{doctype}", "parent_doctype": "{doctype}", "source_doctype": "{doctype}",
	"parenttype": "{doctype}", "linked_doctype": "{doctype}", "for_doctype": "{doctype}", "model": "{doctype}",
	"name": "{name}", "dn": "{name}", "docname": "{name}", "reference_name": "{name}", "doc_name": "{name}", "ref_docname": "{name}",
	"document_name": "{name}", "parent": "{name}", "source_name": "{name}", "value": "{name}", "old": "{name}", "reference_docname": "{name}",
	"names": '["{name}"]', "docnames": '["{name}"]', "source_names": '["{name}"]', "items": '["{name}"]',
	"doc": '{{"doctype": "{doctype}", "name": "{name}"}}', "docs": '[{{"doctype": "{doctype}", "name": "{name}"}}]',
	"target_doc": '{{"doctype": "{doctype}", "name": "{name}"}}', "preview_document": '{{"doctype": "{doctype}", "name": "{name}"}}',
	"filters": '[["{doctype}", "name", "=", "{name}"]]', "current_filters": '[["{doctype}", "name", "=", "{name}"]]',
	"fields": '["*"]', "fieldname": "content", "field": "{field}", "searchfield": "name", "sort_field": "creation", "label": "{name}",
	"tag": "#planted", "add": "Yes", "tags": '["planted"]', "stats": '["_user_tags"]', "states": "[]", "prev": "0", "txt": "", "action": "Approve",
	"content": "x", "comment_email": "x@example.com", "comment_by": "x", "user": OWNER, "email": OWNER, "start": "0", "page_len": "5",
	"page_length": "5", "limit": "5", "limit_page_length": "5", "is_root": "false", "as_dict": "1", "workflow_state_field": "status",
	"file_format_type": "CSV", "fields_": '["*"]', "method": "frappe.client.get_count", "tree_method": "frappe.client.get_count",
	"query": "frappe.client.get_list", "report_name": "ToDo", "text": "planted", "route": "x", "args": '["x"]', "data": "{{}}",
	"title": "x", "description": "x", "assign_to": '["{owner}"]', "read": "1", "everyone": "1", "new_name": "x", "new": "x",
}  # fmt: skip


def _filled(function, doctype: str, name: str, field: str) -> dict[str, str]:
	"""The arguments of a call about this document. What is not in the table is the document's name."""
	names = _parameters(function)
	taken = inspect.signature(innermost(function)).parameters.values()
	open_ended = any(one.kind == one.VAR_KEYWORD for one in taken) or not names
	wanted = [*names, "doctype", "docname", "name", "filters", "fields"] if open_ended else names
	values = {"doctype": doctype, "name": name, "field": field, "owner": OWNER}
	return {
		one: ARGUMENTS.get(one, "{name}").format(**values) for one in wanted if one not in ("args", "kwargs")
	}


def _callable(doors) -> dict:
	return {
		path: function
		for path, function in doors.items()
		if not NOT_CALLED.search(path) and "self" not in inspect.signature(innermost(function)).parameters
	}


@pytest.fixture
def planted(site, names, sessions):
	"""The conversation with everything Frappe hangs on a document, put there by somebody who may."""
	from frappe.desk.doctype.tag.tag import DocTags
	from frappe.desk.form.assign_to import add as assign

	site.set_user("Administrator")
	DocTags(SESSION).add(names[SESSION], "planted")
	document = site.get_doc(SESSION, names[SESSION])
	document.add_comment("Comment", COMMENT)
	assign(
		{
			"doctype": SESSION,
			"name": names[SESSION],
			"assign_to": ["Administrator"],
			"description": "look at it",
		}
	)
	site.db.commit()
	return names


@pytest.fixture
def try_all(workers, doors):
	"""`try_all(user, doctype, name, field)` calls every function about this document: the answers by path."""
	import frappe

	def call(user: str, doctype: str, name: str, field: str = "content") -> dict:
		caller = Caller(workers.url, SITE, key=key_of(user))

		def one(path: str):
			verb = (
				"POST" if "POST" in frappe.allowed_http_methods_for_whitelisted_func[doors[path]] else "GET"
			)
			given = _filled(doors[path], doctype, name, field)
			sent = {"json": given} if verb == "POST" else {"params": given}
			return caller.ask(verb, f"/api/method/{path}", **sent)

		paths = list(_callable(doors))
		with ThreadPoolExecutor(WORKERS) as pool:
			return dict(zip(paths, pool.map(one, paths), strict=True))

	return call


WORKERS = 2


@pytest.mark.parametrize("doctype", [SESSION, TURN])
def test_no_function_tells_a_website_user_of_a_conversation_or_changes_it(
	try_all, doors, planted, stored, doctype
):
	"""Nor whether there is one: an id that exists looks like one that does not."""
	name = planted[doctype]
	made_up = name.translate(ANOTHER)
	before = stored(doctype, name)
	before_it, answers, after_it = (try_all(VISITOR, doctype, one) for one in (made_up, name, made_up))
	telling = []
	for path, answer in answers.items():
		asked = json.dumps(_filled(doors[path], doctype, name, "content"))
		shown = SAID in answer.text or COMMENT in answer.text or (name in answer.text and name not in asked)
		if path == DESCRIBES:
			continue
		# A function that makes something of the caller's own answers otherwise the second time, whatever it is asked about.
		unknown = [before_it[path], after_it[path]]
		if shown or not any(_alike(answer, one, name, made_up) for one in unknown):
			telling.append((path, asked, answer.status_code, answer.text[:300], unknown[0].text[:300]))
	assert telling == []
	assert stored(doctype, name) == before


# Letters and digits turned into others, so that every parser stumbles in the same place.
ANOTHER = str.maketrans("abcdefghijABCDEFGHIJ0123456789", "jihgfedcbaJIHGFEDCBA1032547698")
DESCRIBES = "frappe.desk.form.load.getdoctype"  # the DocType, in any order; no row


def _alike(answer, unknown, name: str, made_up: str) -> bool:
	"""Whether nothing but the name differs, and what is random in any answer."""
	return answer.status_code == unknown.status_code and _bare(answer, name) == _bare(unknown, made_up)


def _bare(answer, name: str) -> str:
	text = answer.text.replace(name, "NAME")
	return RANDOM.sub("", text if "json" in answer.headers.get("Content-Type", "") else "")


# Times, hashes and other numbers of this one answer.
RANDOM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9:.]+|\b[0-9a-f]{10,}\b|0x[0-9a-f]+|line [0-9]+")


def test_no_function_shows_an_agent_a_hidden_field(try_all, planted, stored_values):
	telling = []
	for field in ("*", "token_hash"):
		for path, answer in try_all(AGENT, SESSION, planted[SESSION], field).items():
			shown = [column for column, value in stored_values.items() if value in answer.text]
			if shown:
				telling.append((path, field, shown))
	assert telling == []
