"""The house: modules stand on those below them, never the other way round, and rooms reach into one another by a list.

Imports within functions count as well.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).resolve().parents[2]
APP = "assistant_session"
# From the bottom up: packages and modules; the most exact name counts, and `sessions` alone is its public door.
FLOORS = (
	("database_errors", "counters", "roles", "json_texts"),
	("database", "site_cache"),
	("second_connection",),
	("permissions", "documents"),
	("sessions.errors", "sessions.bounds", "sessions.config", "sessions.vantage", "sessions.pattern_sizes"),
	("sessions.secrets",),
	("sessions.tables",),
	("sessions.coherence",),
	(
		"sessions.flow_versions", "sessions.flows", "sessions.tokens", "sessions.addresses", "sessions.verification",
		"sessions.columns", "sessions.session",
	),
	("sessions.operations",),
	("sessions.health",),
	("sessions",),
	("authentication",),
	("metrics", "maintenance", "privacy", "anchor", "frappe_guards"),
	("web",),
	("api", "commands", "command_helpers", "hooks", "install", "uninstall", "patches", APP, "demo"),
)  # fmt: skip
FLOOR_OF = {name: number for number, names in enumerate(FLOORS, 1) for name in names}
DOORS = {"sessions"}  # of these the name alone is on the floor, and no module below it
TABLE = re.compile(r"^\| `(?P<module>[a-z_.]+)` \| (?P<rooms>[a-z_, ]+) \| .{10,} \|$", re.MULTILINE)


class Import(NamedTuple):
	"""Modules are named without the app's own name in front."""

	importer: str
	imported: str
	place: str  # file:line


def test_nobody_imports_from_a_floor_above():
	upward = [
		f"{one.place}: {one.importer} imports {one.imported}, from floor {floor(one.importer)} up to floor {floor(one.imported)}"
		for one in imports()
		if floor(one.imported) > floor(one.importer)
	]
	assert upward == []


def test_no_modules_import_each_other_in_a_circle():
	assert circle() == []


def test_rooms_reach_into_sessions_as_the_architecture_says():
	text = (REPOSITORY / "docs" / "architecture.md").read_text()
	section = text.partition("## Imported across rooms\n")[2].partition("\n## ")[0]
	listed = {found["module"]: found["rooms"].split(", ") for found in TABLE.finditer(section)}
	assert listed == across_rooms()


def across_rooms() -> dict[str, list[str]]:
	"""Modules of `sessions` behind its door, and the rooms outside that import them."""
	rooms = defaultdict(set)
	for one in imports():
		room, inner = one.importer.partition(".")[0], one.imported.partition("sessions.")[2]
		if room != "sessions" and inner:
			rooms[inner].add("doctypes" if room == APP else room)
	return {module: sorted(rooms[module]) for module in sorted(rooms)}


def circle() -> list[str]:
	"""One circle of imports, module by module with the places, empty if there is none."""
	below = defaultdict(list)
	for one in imports():
		below[one.importer].append(one)
	done: set[str] = set()

	def walk(module: str, way: list[Import]) -> list[str]:
		if module in [one.importer for one in way]:
			begin = next(number for number, one in enumerate(way) if one.importer == module)
			return [f"{one.place}: {one.importer} imports {one.imported}" for one in way[begin:]]
		if module in done:
			return []
		for one in below[module]:
			if found := walk(one.imported, [*way, one]):
				return found
		done.add(module)
		return []

	return next((found for module in list(below) if (found := walk(module, []))), [])


def floor(module: str) -> int:
	name = module
	while name not in FLOOR_OF or (name in DOORS and name != module):
		name, dot, _last = name.rpartition(".")
		assert dot, f"{module} stands on no floor: put it on one in {Path(__file__).name}"
	return FLOOR_OF[name]


@cache
def imports() -> list[Import]:
	return [one for name in modules() for one in _imports_of(name) if one.imported != name]


@cache
def modules() -> dict[str, Path]:
	"""Files by the name of their module; the app's own `__init__` holds nothing but its version."""
	names = {}
	for path in sorted((REPOSITORY / APP).rglob("*.py")):
		parts = path.relative_to(REPOSITORY / APP).with_suffix("").parts
		names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
	return {name: path for name, path in names.items() if name}


def _imports_of(name: str) -> Iterator[Import]:
	path = modules()[name]
	package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
	for node in ast.walk(ast.parse(path.read_text())):
		place = f"{path.relative_to(REPOSITORY)}:{getattr(node, 'lineno', 0)}"
		for imported in _named(node, package):
			yield Import(name, imported, place)


def _named(node: ast.AST, package: list[str]) -> Iterator[str]:
	"""The modules of the app that an import names."""
	if isinstance(node, ast.Import):
		yield from (_inner(alias.name) for alias in node.names if _inner(alias.name) in modules())
	if isinstance(node, ast.ImportFrom):
		base = package[: len(package) - node.level + 1] if node.level else []
		source = ".".join((*base, *filter(None, [node.module])))
		source = source if node.level else _inner(source)
		for alias in node.names:
			inner = f"{source}.{alias.name}".lstrip(".")
			if inner in modules() or source in modules():
				yield inner if inner in modules() else source


def _inner(name: str) -> str:
	"""The name without the app's in front, nothing of others."""
	return name.removeprefix(f"{APP}.") if name.startswith(f"{APP}.") else ""
