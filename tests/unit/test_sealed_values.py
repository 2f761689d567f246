"""Seals of rows and turns: what they cover, with which key, and that nothing in the app goes round them."""

import ast

import pytest

from assistant_session.sessions.secrets import keys
from assistant_session.sessions.tables import seals
from assistant_session.sessions.tables.row import COLUMNS
from tests.conftest import REPOSITORY
from tests.unit.made import row, row_with


def test_every_column_is_covered_or_left_out_on_purpose():
	assert sorted((*seals.SEALED, *seals.UNSEALED)) == sorted(COLUMNS)


def test_turns_are_read_a_bounded_number_at_once(monkeypatch):
	from assistant_session.sessions.health import turn_diagnosis

	monkeypatch.setattr(turn_diagnosis, "TURNS", 10)
	counts = {"a": 4, "b": 6, "c": 1, "d": 25, "e": 2}
	assert list(turn_diagnosis._groups(counts)) == [["a", "b"], ["c"], ["d"], ["e"]]


WRITERS = {
	("sessions/tables/session_rows.py", "replace"),  # seals
	("sessions/tables/session_rows.py", "mark_idle"),  # a column no Row holds
	("sessions/tables/session_rows.py", "show"),  # columns no Row holds
	("sessions/tables/session_rows.py", "disown"),  # columns of Frappe's
	("maintenance/sealing.py", "_seal_rows"),  # seals
}


NAMES_OF_OURS = {"sessions", "renamed", "rows"}


def test_every_update_of_the_table_is_known():
	"""By program: each `qb.update` of the app, by the variable that is the table; see WRITERS for why each may."""
	found = set()
	for file in sorted((REPOSITORY / "assistant_session").rglob("*.py")):
		for function in ast.walk(ast.parse(file.read_text())):
			if isinstance(function, ast.FunctionDef):
				found |= {(_place(file), function.name, table) for table in _updated(function)}
	outer = {
		(place, name)
		for place, name, table in found
		if table in NAMES_OF_OURS and name not in ("build", "update")
	}
	assert outer == WRITERS
	others = {table for _place, _name, table in found} - NAMES_OF_OURS
	assert others == {"attempts", "events", "metrics", "of"}, "a new table variable: say whose it is"


def _place(file) -> str:
	return str(file.relative_to(REPOSITORY / "assistant_session"))


def _updated(function) -> set[str]:
	calls = (node for node in ast.walk(function) if isinstance(node, ast.Call))
	return {
		ast.unparse(call.args[0])
		for call in calls
		if ast.unparse(call.func) == "frappe.qb.update" and call.args
	}


def test_no_raw_sql_updates_it():
	for file in (REPOSITORY / "assistant_session").rglob("*.py"):
		text = file.read_text().lower()
		assert "update `tab" not in text and "db.set_value(store" not in text, file


def other(value):
	"""A value that is none of the row's."""
	return value + 1 if isinstance(value, int) else "changed"


@pytest.mark.parametrize("column", seals.SEALED)
def test_a_changed_column_no_longer_fits(column):
	whole = seals.sealed(row(event_head="head", user="somebody"))
	assert seals.problem(whole) is None and seals.fits(whole)
	assert seals.problem(whole._replace(**{column: other(getattr(whole, column))})) == seals.OTHER


@pytest.mark.parametrize("column", [column for column in seals.UNSEALED if column != "seal"])
def test_what_a_controller_keeps_its_work_in_is_not_covered(column):
	assert seals.problem(seals.sealed(row())._replace(**{column: "changed"})) is None


def test_nothing_and_an_empty_text_have_different_seals():
	assert seals.sealed(row()).seal != seals.sealed(row_with("external_id", "")).seal


def test_a_write_on_a_row_that_does_not_fit_gets_no_seal():
	whole = seals.sealed(row())
	assert seals.carried(whole, whole._replace(version=2)).seal
	altered = whole._replace(authenticated=1)
	assert seals.carried(altered, altered._replace(version=2)).seal is None
	assert seals.carried(altered, altered._replace(version=2), sealed_anew=True).seal
	assert seals.carried(whole, whole._replace(version=2), sealed_anew=False).seal is None


def test_a_seal_names_its_key_and_fits_for_as_long_as_the_site_has_it(local):
	whole = seals.sealed(row())
	local.conf[keys.CONFIG] = {**local.conf[keys.CONFIG], "k9": "ab" * 32, "current": "k9"}
	assert whole.seal.startswith("k1:") and seals.sealed(row()).seal.startswith("k9:")
	assert seals.problem(whole) is None
	local.conf[keys.CONFIG] = {"current": "k9", "k9": "ab" * 32}
	assert seals.problem(whole) == seals.KEY_GONE


def test_without_a_key_nothing_fits_and_nothing_is_sealed(local):
	whole = seals.sealed(row())
	local.conf[keys.CONFIG] = None
	assert not seals.fits(whole)
	for needs_a_key in (seals.sealed, seals.is_altered):
		with pytest.raises(keys.KeyMissing, match="make-key"):
			needs_a_key(whole)


def test_an_answer_is_remembered_for_that_very_row_and_these_keys_alone(local):
	whole = seals.sealed(row())
	assert seals.fits(whole) and not seals.fits(whole._replace(user="Guest")) and seals.fits(whole)
	local.conf[keys.CONFIG] = {"current": "k1", "k1": "cd" * 32}
	assert not seals.fits(whole)


def test_a_row_and_a_turn_with_the_same_values_have_different_seals_as_have_two_sites(local):
	values = list(row())
	made = seals.of_turn(values)
	assert seals.problem_of_turn(values, made) is None
	assert seals.problem_of_turn([*values[:-1], "x"], made) == seals.OTHER
	assert seals.problem_of_turn(values, None) == seals.NONE
	local.site = "elsewhere.localhost"
	assert seals.problem_of_turn(values, made) == seals.OTHER
