"""Which tests judge a break: those that name the broken module or what it holds, the likeliest first, then a few that go
through everything.

Whoever breaks `sessions/coherence/leases.py` is noticed by `test_leases.py`, or by a file that speaks of leases often. The tests in
a browser and those of Frappe's five hundred functions are left out: they are long, and notice what others notice first.
"""

import re
from pathlib import Path

NEVER = frozenset(
	"test_desk test_typed_text test_every_door test_docs test_readme test_pocket_bench test_chaos_checker test_races".split()
)
THROUGH_EVERYTHING = ("test_conversations", "test_http_bad_input", "test_http_access")
MOST = 10  # files


def of(tree: Path, module: Path, definition: str | None) -> list[str]:
	"""Test files, relative to the tree, in the order they are run."""
	words = _words(module, definition)
	files = sorted((tree / "tests").rglob("test_*.py"))
	scores = {file: _score(file, words) for file in files if file.stem not in NEVER}
	likely = [file for file in sorted(scores, key=lambda file: -scores[file]) if scores[file]]
	always = [file for file in files if file.stem in THROUGH_EVERYTHING]
	return [file.relative_to(tree).as_posix() for file in dict.fromkeys([*likely[:MOST], *always])]


def _words(module: Path, definition: str | None) -> dict[str, float]:
	"""What a test that is about this place would say, and how much that says."""
	words = {module.stem: 3.0, module.parent.name: 0.2}
	for part in re.findall(r"[a-z]{4,}", (definition or "").lower()):
		words[part] = 1.0
	for name in re.findall(r"^(?:def|class) ([a-z]\w+)", module.read_text(), re.MULTILINE | re.IGNORECASE):
		if not name.startswith("_"):
			words.setdefault(name, 1.5)
	return words


def _score(file: Path, words: dict[str, float]) -> float:
	"""Long files name everything now and then: what counts is how much of a file is about this."""
	text = file.read_text()
	about = {word: weight * (len(word) > 3) for word, weight in words.items()}
	in_name = sum(5 * weight for word, weight in about.items() if word in file.stem)
	named = sum(weight * len(re.findall(rf"\b{re.escape(word)}\b", text)) for word, weight in about.items())
	return in_name + 1000 * named / (len(text) + 3000)
