"""Which breaks are tried: a seeded draw from those that change what the program does.

A place in the code is drawn first, then one of the ways to break it, or a `+` that becomes ten other operators would crowd
out a condition. Left out: annotations and decorators of data (nothing runs), numbers outside functions (times and sizes
that somebody chose), texts, and what only another database or Frappe version runs.
"""

import random
import uuid
from collections import defaultdict
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from cosmic_ray import plugins
from cosmic_ray.ast import ast_nodes, get_ast_from_path
from cosmic_ray.ast.ast_query import ASTQuery
from cosmic_ray.work_item import MutationSpec, WorkItem

from . import operators

PACKAGE = "assistant_session"
ROOMS = (
	"sessions",
	"authentication",
	"web",
	"maintenance",
	"metrics",
	"permissions.py",
	"database_errors.py",
	"database.py",
	"api.py",
)
DATA_DECORATORS = (
	"dataclass",
	"property",
	"classmethod",
	"staticmethod",
	"contextmanager",
	"functools.wraps",
)
OPERATORS = [name for name in plugins.operator_names() if not plugins.get_operator(name).arguments()]
assert any(name.startswith("ours/") for name in OPERATORS), operators


def draw(tree: Path, count: int, seed: str) -> list[WorkItem]:
	"""`count` breaks, the same ones for the same code and seed."""
	ways: dict[tuple, list[MutationSpec]] = defaultdict(list)
	for file in files(tree):
		for spec in _mutations(file):
			ways[file.relative_to(tree).as_posix(), spec.start_pos, spec.end_pos].append(spec)
	chosen = random.Random(seed)
	places = chosen.sample(sorted(ways), min(count, len(ways)))
	return [
		WorkItem.single(uuid.UUID(int=chosen.getrandbits(128)).hex, chosen.choice(ways[place]))
		for place in places
	]


def digest(tree: Path) -> str:
	"""Of everything that may be broken: what was tried on other code is no result."""
	total = sha256()
	for file in files(tree):
		total.update(file.read_bytes())
	return total.hexdigest()[:12]


def files(tree: Path) -> list[Path]:
	found = [
		file
		for room in ROOMS
		for file in (
			[tree / PACKAGE / room] if room.endswith(".py") else (tree / PACKAGE / room).rglob("*.py")
		)
	]
	return sorted(found)


def _mutations(file: Path) -> Iterator[MutationSpec]:
	tree = get_ast_from_path(file)
	for name in OPERATORS:
		operator, occurrence = plugins.get_operator(name)(), -1
		for node in ast_nodes(tree):
			for start, end in operator.mutation_positions(node):
				occurrence += 1
				if _matters(name, node):
					yield MutationSpec(
						file,
						name,
						occurrence,
						start,
						end,
						definition_name=ASTQuery(node).get_definition_name(),
					)


def _matters(operator: str, node) -> bool:
	if operator.endswith("RemoveDecorator"):
		return not any(node.get_code().strip().lstrip("@").startswith(name) for name in DATA_DECORATORS)
	in_function = node.search_ancestor("funcdef", "lambdef") is not None
	if operator.endswith("NumberReplacer") and not in_function:
		return False
	return not _in_annotation(node)


def _in_annotation(node) -> bool:
	child = node
	while (parent := child.parent) is not None:
		if parent.type == "annassign" and child is parent.children[1]:
			return True
		if parent.type == "tfpdef" and child is parent.children[-1]:
			return True
		if parent.type == "funcdef" and child is parent.annotation:
			return True
		child = parent
	return False
