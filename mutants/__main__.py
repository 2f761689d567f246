"""`make mutants`: COUNT breaks drawn by SEED, for MINUTES at the most; run again, it goes on where it stopped.

Exits with 1 if fewer than 95 in a hundred of those tried were noticed. Each one that was not is shown as a diff.
"""

import os
import re
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from cosmic_ray.mutating import use_mutation
from cosmic_ray.plugins import get_operator
from cosmic_ray.work_db import WorkDB
from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkItem, WorkResult

from . import judges, operators, place, sample

NOTICED_AT_LEAST = 0.95
UNBROKEN_PATIENCE = 3600
PATIENCE = 300  # seconds for the tests of one break; a test that hangs has noticed


def main() -> int:
	count, seed = int(os.environ.get("COUNT") or 200), os.environ.get("SEED") or "1"
	until = time.monotonic() + 60 * float(os.environ.get("MINUTES") or 60)
	operators.check()
	place.copy()
	name = f"{sample.digest(place.TREE)}-{seed}-{count}"
	results = WorkDB(place.FOLDER / f"{name}.sqlite", WorkDB.Mode.create)
	if not results.num_work_items:
		results.add_work_items(sample.draw(place.TREE, count, seed))
	unfit = _unfit(results, place.FOLDER / f"{name}.unfit")
	if unfit:
		print(f"failing without any break, and no judges therefore: {', '.join(sorted(unfit))}", flush=True)
	for number, item in enumerate(results.pending_work_items, 1):
		if time.monotonic() > until:
			break
		results.set_result(item.job_id, _try(item, unfit))
		print(_line(number, item, dict(results.results)[item.job_id]), flush=True)
	return _report(results, seed)


def _unfit(results: WorkDB, noted: Path) -> set[str]:
	"""Judges that fail in the unbroken copy: they have noticed nothing when they fail in a broken one."""
	if not noted.exists():
		named = {file for item in results.work_items for file in _judges(item)}
		_status, output = _run(sorted(named), "--tb=no", patience=UNBROKEN_PATIENCE)
		if " passed" not in output:
			raise SystemExit(f"the tests cannot be run without any break:\n{output[-3000:]}")
		noted.write_text(
			"\n".join(set(re.findall(r"^(?:FAILED|ERROR) (tests/[\w/]+\.py)", output, re.MULTILINE)))
		)
	return set(noted.read_text().split())


def _judges(item: WorkItem) -> list[str]:
	(spec,) = item.mutations
	return judges.of(place.TREE, spec.module_path, spec.definition_name)


def _try(item: WorkItem, unfit: set[str]) -> WorkResult:
	(spec,) = item.mutations
	with ExitStack() as restored:
		try:
			broken = use_mutation(spec.module_path, get_operator(spec.operator_name)(), spec.occurrence)
			before, after = restored.enter_context(broken)
		except AttributeError:  # cosmic-ray draws places in which one of its operators cannot work
			after = None
		if after is None:
			return WorkResult(WorkerOutcome.NO_TEST)
		status, output = _run([file for file in _judges(item) if file not in unfit], "-x")
	diff = _diff(spec.module_path, before, after)
	outcome = TestOutcome.SURVIVED if status == 0 else TestOutcome.KILLED
	return WorkResult(WorkerOutcome.NORMAL, output=output[-2000:], test_outcome=outcome, diff=diff)


def _run(files: list[str], how: str, patience: float = PATIENCE) -> tuple[int, str]:
	python = Path(os.environ["FRAPPE_BENCH"]) / "env" / "bin" / "python"
	command = [python, "-m", "pytest", how, "-q", "-p", "no:cacheprovider", "--no-header", *files]
	environment = {**os.environ, "PYTHONPATH": str(place.TREE), "PYTHONDONTWRITEBYTECODE": "1"}
	process = subprocess.Popen(
		command, cwd=place.TREE, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
	)
	try:
		output, _none = process.communicate(timeout=patience)
	except subprocess.TimeoutExpired:
		process.terminate()  # pytest then ends what its fixtures have started
		process.communicate()
		return -1, "it took too long"
	return process.returncode, output


def _diff(file: Path, before: str, after: str) -> str:
	from difflib import unified_diff

	name = file.relative_to(place.TREE).as_posix()
	return "\n".join(unified_diff(before.split("\n"), after.split("\n"), name, name, n=1, lineterm=""))


def _line(number: int, item: WorkItem, result: WorkResult) -> str:
	(spec,) = item.mutations
	where = f"{spec.module_path.relative_to(place.TREE)}:{spec.start_pos[0]}"
	noticed = "noticed" if result.is_killed else "NOT NOTICED"
	return f"{number:4} {noticed:12} {spec.operator_name.split('/')[1]:30} {where}"


def _report(results: WorkDB, seed: str) -> int:
	tried = [result for _job, result in results.results if result.worker_outcome == WorkerOutcome.NORMAL]
	missed = [result for result in tried if not result.is_killed]
	for result in missed:
		print(f"\n{result.diff}")
	noticed = len(tried) - len(missed)
	share = noticed / len(tried) if tried else 0
	print(
		f"\n{noticed} of {len(tried)} breaks noticed ({share:.1%}), seed {seed}; {results.num_work_items - len(tried)} not tried"
	)
	return 0 if share >= NOTICED_AT_LEAST else 1


if __name__ == "__main__":
	sys.exit(main())
