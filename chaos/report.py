"""What a run says at its end."""

import shutil
from pathlib import Path

from . import bounds
from .checker import Result
from .faults import Faults

SHOWN = 40  # violations


def text(result: Result, played: Faults, missing: list[str], seed: int) -> str:
	"""Figures, exceptions and violations, as lines."""
	figures = dict(result.figures)
	answer, read = figures.pop("longest answer"), figures.pop("longest Python read")
	silence = figures.pop("longest silence after a kill")
	lines = ["", f"faults: {sum(played.played.values())} ({_listed(played.played)})"]
	lines += [f"counted by the database: {_listed(played.counted)}"]
	lines += [
		f"{name}: {_listed(value) if isinstance(value, dict) else value}" for name, value in figures.items()
	]
	lines += [f"longest answer: {answer:.1f} s (bound {bounds.LONGEST_ANSWER:.0f} s)"]
	lines += [f"longest silence after a kill: {silence:.1f} s (a lease lasts {bounds.LEASE:.1f} s)"]
	lines += [f"longest Python read: {read:.1f} s (bound {bounds.LONGEST_READ:.0f} s)"]
	lines += [f"documented exceptions used: {_listed(result.exceptions) or 'none'}"]
	lines += [f"due and not seen: {name}" for name in missing]
	lines += [f"VIOLATION {violation}" for violation in result.violations[:SHOWN]]
	return "\n".join([*lines, f"violations: {len(result.violations)} (seed {seed})"])


def keep(*files: Path) -> None:
	"""Copy the logs of a run that failed into the last of the paths, a folder, and say so."""
	*logs, folder = files
	folder.mkdir(exist_ok=True)
	for file in logs:
		shutil.copy(file, folder)
	print(f"the logs are in {folder.name}/ of the pocket bench", flush=True)


def _listed(counted: dict) -> str:
	return ", ".join(f"{name} {times}" for name, times in counted.items() if times)
