"""The guides' code works when pasted, and the tests they name exist."""

import re

import pytest

from assistant_session.demo import pension, register
from tests import checks
from tests.conftest import REPOSITORY

GUIDE = REPOSITORY / "docs" / "verification.md"


def test_the_bot_of_the_verification_guide_verifies_and_answers(site, sessions, opened):
	code = "\n".join(re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL))
	bot = {
		"__name__": "pasted",
		"detect": lambda text: "pension_inquiry" if "pension" in text else None,
		"answer": lambda intent, profile: pension.fund(profile) if intent else "Hello",
	}
	exec(code, bot)
	member = register.new_member("Hari")
	said = lambda text: bot["incoming"](opened, text, None)  # noqa: E731
	assert said("hi") == ["Hello"]
	assert checks.MEMBER_NUMBER in said("how is my pension?")[0]
	assert said(f"{member.number} {member.national_number}") == [
		"Welcome, Hari!", "Your fund Sunrise stands at 84250.5 euros.",
	]  # fmt: skip


def test_every_test_a_guide_names_exists():
	tests = {file.name: file.read_text() for file in (REPOSITORY / "tests").glob("test_*.py")}
	code = "\n".join(tests.values())
	for guide in (REPOSITORY / "docs").glob("*.md"):
		named = re.findall(r"`(test_\w+(?:\.py)?)(?:_?…)?`", guide.read_text())
		assert len(named) > 20 or guide != GUIDE
		assert [name for name in named if name not in tests and f"def {name}" not in code] == []


def test_every_finding_of_the_doctor_is_explained_to_operators():
	from assistant_session.sessions import examination

	guide = (REPOSITORY / "docs" / "operating.md").read_text()
	kinds = {
		value
		for name, value in vars(examination).items()
		if name.isupper() and isinstance(value, str) and " " in value
	} | {examination.UNREADABLE}
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
	rows = [line for line in text.splitlines() if "tests/test_" in line and line.startswith("|")]
	assert len(rows) > 25
