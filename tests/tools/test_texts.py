"""Every text a person reads can be translated, and is: German and Spanish, in the forms Frappe 15 and 16 read."""

import ast
import csv
import io
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.mariadb

APP = Path(__file__).resolve().parents[2] / "assistant_session"
SHOWN_BY_FRAPPE = {"throw", "msgprint"}
LETTERS = re.compile(r"[^\W\d_]{2,}")
PLACES = re.compile(r"\{\d*\}")


def python_files():
	return [path for path in APP.rglob("*.py") if "/demo/" not in path.as_posix()]


def error_names() -> set[str]:
	from assistant_session.sessions import errors

	ours = {name for name, kind in vars(errors).items() if isinstance(kind, type)}
	return {*ours, "AnchorFailed", "KeyMissing"}


def is_plain_text(node: ast.AST) -> bool:
	"""A text that was written here and goes to nobody's translation. Signs and placeholders alone are no text."""
	if isinstance(node, ast.Constant) and isinstance(node.value, str):
		return bool(LETTERS.search(node.value))
	if isinstance(node, ast.JoinedStr):
		return any(is_plain_text(part) for part in node.values if isinstance(part, ast.Constant))
	if isinstance(node, ast.BinOp):
		return is_plain_text(node.left) or is_plain_text(node.right)
	if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
		return is_plain_text(node.func.value)
	return False


def untranslatable(source: str, errors: set[str]) -> list[int]:
	"""Lines on which a text for a person does not go through `_()`, or goes through it in a form nobody can find."""
	found = []
	for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
		name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
		first = call.args[0] if call.args else None
		if first is None:
			continue
		if name in errors | SHOWN_BY_FRAPPE and is_plain_text(first):
			found.append(call.lineno)
		if name == "_" and not isinstance(first, ast.Constant) and is_plain_text(first):
			found.append(call.lineno)
	return found


def test_texts_of_the_code_can_be_translated():
	errors = error_names()
	found = [
		f"{path.relative_to(APP)}:{line}"
		for path in python_files()
		for line in untranslatable(path.read_text(), errors)
	]
	assert found == []


@pytest.mark.parametrize(
	("source", "lines"),
	[
		('raise InvalidSessionData("role: one is needed.")', [1]),
		('raise InvalidSessionData(f"reply: at most {most} are allowed.")', [1]),
		('frappe.throw("no: " + text)', [1]),
		('raise InvalidSessionData("role: {0}".format(role))', [1]),
		('_(f"in {place} nobody finds it")', [1]),
		('raise InvalidSessionData(_("role: {0} is needed.").format(role))', []),
		('raise AnchorFailed(f"{path}: {why}")', []),
	],
)
def test_the_search_finds_them(source, lines):
	assert untranslatable(source, error_names()) == lines


# Where a page is given a text: as an argument, or under one of these names.
IN_SCRIPTS = re.compile(
	r"""(?:frappe\.(?:msgprint|throw|confirm|show_alert)\(|add_custom_button\(|set_intro\(|\b(?:label|title|description|message|primary_action_label):)\s*(["'`])((?:(?!\1).)+)\1"""
)


def bare_texts(script: str) -> list[str]:
	"""Of a template what stands outside its places."""
	found = (re.sub(r"\$\{.*\}|</?\w+>", "", match.group(2)) for match in IN_SCRIPTS.finditer(script))
	return [text for text in found if LETTERS.search(text)]


def test_texts_of_the_pages_can_be_translated():
	scripts = [path for path in APP.rglob("*.js") if "node_modules" not in path.parts]
	assert len(scripts) >= 5
	assert {path.name: found for path in scripts if (found := bare_texts(path.read_text()))} == {}
	assert bare_texts('frappe.msgprint("Done here"); ({ title: __("Fine"), label: "Bad one" })') == [
		"Done here",
		"Bad one",
	]


@pytest.fixture
def translations(site):
	from dev import translations

	return translations


def test_the_catalogue_has_every_text_and_no_other(translations):
	from babel.messages.pofile import read_po

	with (translations.LOCALE / "main.pot").open("rb") as source:
		kept = {(one.id, one.context) for one in read_po(source) if one.id}
	assert kept == translations.messages(), "run: make translations"


@pytest.mark.parametrize("language", ["de", "es"])
def test_each_text_is_translated_with_all_its_places(translations, language):
	assert language in translations.languages()
	made = {(one.id, one.context): one for one in translations.read(language) if one.id}
	assert made.keys() == translations.messages()
	assert [text for (text, _context), one in made.items() if not one.string or one.fuzzy] == []
	for (text, _context), one in made.items():
		assert sorted(PLACES.findall(one.string)) == sorted(PLACES.findall(text)), text
		assert len(one.string) < 3 * len(text) + 40, text


@pytest.mark.parametrize("language", ["de", "es"])
def test_the_table_says_what_the_catalogue_says(translations, language):
	with (translations.TABLES / f"{language}.csv").open(newline="") as source:
		assert list(csv.reader(source)) == translations.rows(translations.read(language))


@pytest.mark.parametrize("language", ["de", "es"])
def test_it_compiles_to_what_frappe_reads_from_gettext(translations, language):
	from babel.messages.mofile import read_mo, write_mo

	compiled = io.BytesIO()
	write_mo(compiled, translations.read(language))
	compiled.seek(0)
	again = {one.id: one.string for one in read_mo(compiled) if one.id}
	assert again == {one.id: one.string for one in translations.read(language) if one.id}


@pytest.mark.parametrize(
	("language", "expected"),
	[("de", "Es gibt keine solche Unterhaltung"), ("es", "No existe esa conversación")],
)
def test_a_person_is_answered_in_their_language(workers, site, language, expected):
	"""Over HTTP, by the language of the browser."""
	from dev.harness.caller import Caller
	from tests.callers import UNKNOWN

	said = {"Accept-Language": language}
	answer = Caller(workers.url, site.local.site).call("resume_session", session_id=UNKNOWN, headers=said)
	assert answer.status_code == 404 and expected in answer.text
