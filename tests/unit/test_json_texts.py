"""JSON that somebody else has written is read in one place, where whatever cannot be read is a ValueError."""

import ast
from collections.abc import Iterator

import pytest

from assistant_session import json_texts
from tests.conftest import REPOSITORY

# Who calls `json.loads` for themselves, and why they may.
OWN = {
	("anchor/anchoring.py", "_last"): "what this job wrote",
	("json_texts.py", "loads"): "this is the place",
	("privacy/queues.py", "_remove_waiting"): "what Frappe wrote",
	("sessions/columns.py", "change"): "what was made one line before",
	("sessions/operations/desk_edits.py", "check_edit"): "expects a RecursionError",
	("sessions/tables/audit_chain.py", "commitment"): "its callers expect a RecursionError",
	("uninstall.py", "doctypes"): "files of this app",
}


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"a":' * 100_000, b"\xff", "NaN,"])
def test_what_cannot_be_read_is_a_value_error(text):
	with pytest.raises(ValueError):
		json_texts.loads(text)


def test_what_can_be_read_is_read():
	assert json_texts.loads(b'{"a": [1, null]}') == {"a": [1, None]}


def test_everybody_else_reads_there():
	assert callers() == set(OWN)


def callers() -> set[tuple[str, str]]:
	"""By program: each function of the app that calls `json.loads`."""
	app, found = REPOSITORY / "assistant_session", set()
	for path in app.rglob("*.py"):
		for function in ast.walk(ast.parse(path.read_text())):
			if isinstance(function, ast.FunctionDef) and any(map(is_call, own_nodes(function))):
				found.add((path.relative_to(app).as_posix(), function.name))
	return found


def own_nodes(function: ast.FunctionDef) -> Iterator[ast.AST]:
	"""Its nodes, but for those of functions within it."""
	waiting = list(ast.iter_child_nodes(function))
	while waiting:
		node = waiting.pop()
		yield node
		if not isinstance(node, ast.FunctionDef):
			waiting.extend(ast.iter_child_nodes(node))


def is_call(node: ast.AST) -> bool:
	return isinstance(node, ast.Call) and ast.unparse(node.func) == "json.loads"
