"""`python -m mutants.place`: a copy of the repository to break, and an environment with cosmic-ray, in `.bench/mutants`.

Prints the Python to run `mutants` with. Results stay from one run to the next; the copy is made anew.
"""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
FOLDER = Path(os.environ["FRAPPE_BENCH"]) / "mutants"
TREE = FOLDER / "tree"
PYTHON = FOLDER / "env" / "bin" / "python"


def prepare() -> Path:
	FOLDER.mkdir(exist_ok=True)
	wanted = (REPOSITORY / "mutants" / "requirements.txt").read_text()
	stamp = FOLDER / "env" / "made-with"
	if not stamp.exists() or stamp.read_text() != wanted:
		venv.create(FOLDER / "env", clear=True, with_pip=True)
		listed = REPOSITORY / "mutants" / "requirements.txt"
		subprocess.run([PYTHON, "-m", "pip", "install", "-q", "-r", listed], check=True, stdout=sys.stderr)
		stamp.write_text(wanted)
	return PYTHON


def copy() -> None:
	"""The files git knows, and new ones it does not ignore, as they are now."""
	shutil.rmtree(TREE, ignore_errors=True)
	listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
	for name in subprocess.check_output(listed, cwd=REPOSITORY, text=True).split("\0"):
		if name and (REPOSITORY / name).is_file():
			target = TREE / name
			target.parent.mkdir(parents=True, exist_ok=True)
			shutil.copy(REPOSITORY / name, target)


if __name__ == "__main__":
	print(prepare())
	sys.exit(0)
