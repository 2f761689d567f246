"""The guides name tests, findings, endpoints and pages that exist, and all of them; the README stays short."""

import re

import pytest

from tests.conftest import REPOSITORY

GUIDE = REPOSITORY / "docs" / "verification.md"


def test_every_test_a_guide_names_exists():
	tests = {file.name: file.read_text() for file in (REPOSITORY / "tests").rglob("test_*.py")}
	code = "\n".join(tests.values())
	for guide in (REPOSITORY / "docs").glob("*.md"):
		named = re.findall(r"`(test_\w+(?:\.py)?)(?:_?…)?`", guide.read_text())
		assert len(named) > 20 or guide != GUIDE
		assert [name for name in named if name not in tests and f"def {name}" not in code] == []


def test_every_finding_of_the_doctor_is_explained_to_operators():
	from assistant_session.sessions.health import diagnosis

	guide = (REPOSITORY / "docs" / "operating.md").read_text()
	kinds = {
		value
		for name, value in vars(diagnosis).items()
		if name.isupper() and isinstance(value, str) and " " in value
	} | {diagnosis.UNREADABLE}
	assert len(kinds) >= 12
	assert [kind for kind in kinds if kind not in guide] == []


PAGES = [
	REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "dev/README.md")
] + sorted((REPOSITORY / "docs").rglob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_every_link_leads_somewhere(page):
	"""To a file, and where it names a heading, to that heading, as a code host makes its anchor."""
	lost = []
	for target in re.findall(r"\]\(([^)\s]+)\)", without_code(page.read_text())):
		if re.match(r"[a-z]+:", target):
			continue
		path, _hash, anchor = target.partition("#")
		file = (page.parent / path).resolve() if path else page
		if not file.exists() or (anchor and anchor not in anchors(file)):
			lost.append(target)
	assert lost == []


def without_code(text: str) -> str:
	return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors(file) -> set[str]:
	headings = re.findall(r"^#+ (.+)$", without_code(file.read_text()), re.MULTILINE)
	return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_guarantee_has_a_test():
	text = (REPOSITORY / "docs" / "architecture.md").read_text()
	rows = [line for line in text.splitlines() if "/test_" in line and line.startswith("|")]
	assert len(rows) > 25


def test_every_endpoint_and_each_of_its_arguments_is_in_the_table():
	import inspect

	from assistant_session import api

	rows = [
		line.split("|")
		for line in (REPOSITORY / "docs" / "http.md").read_text().splitlines()
		if line.startswith("| `")
	]
	told = {
		name: set(re.findall(r"`(\w+)`", cells[3]))
		for cells in rows
		for name in re.findall(r"`(\w+)`", cells[1])
	}
	there = {
		name: set(inspect.signature(inspect.unwrap(value)).parameters)
		for name, value in vars(api).items()
		if inspect.isfunction(value) and hasattr(value, "__wrapped__") and value.__module__ == api.__name__
	}
	told.update({name: {"person"} for name in ("export_person", "erase_person")})
	assert len(there) > 15 and told == there


def test_the_readme_is_read_in_one_go():
	lines = (REPOSITORY / "README.md").read_text().splitlines()
	assert len(lines) <= 120
	assert [line for line in lines if len(line) > 110] == []
