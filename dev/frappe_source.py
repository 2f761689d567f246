"""Frappe's own source, brought back from a wheel that carries it under another name.

PyPI's `frappe` is an empty placeholder. The wheel below (MIT) is Frappe's develop branch at commit
0cced747669d9471aa3d60819148a8e828457930 (2023-08-05, 15.0.0-dev, an ancestor of v15.0.0) with the names
replaced. The wheel's hash is checked before, and a digest over every Python file after the names are
put back. It lacks later security fixes: it is for trying and testing on loopback, never for production.
"""

import hashlib
import shutil
import zipfile
from pathlib import Path

from .console import SetupError, run

PACKAGE, VERSION = "criscostack", "1.0.0"
WHEEL_SHA256 = "dc58aaf29c59b7666edc953596e5b31f77d7286b2ed6b14c6a205b217c210349"
TREE_SHA256 = "3b7a5dc578e19ca2d0bc026e7688683aec353a9f0315f12e852a91368b479a28"

NAMES = (
	("CRISCOSTACK", "FRAPPE"),
	("criscostack", "frappe"),
	("criscoerp", "erpnext"),
	("Criscoerp", "ERPNext"),
	("Crisco", "Frappe"),
)
BENCH_HELPER = ("utils/brik_helper.py", "utils/bench_helper.py")


def download(python: Path, folder: Path, log: Path) -> Path:
	"""The wheel in `folder`, fetched with pip when it is not there, its SHA-256 checked either way."""
	folder.mkdir(parents=True, exist_ok=True)
	wheel = folder / f"{PACKAGE}-{VERSION}-py3-none-any.whl"
	if not wheel.exists():
		command = [python, "-m", "pip", "download", "--no-deps", "--disable-pip-version-check"]
		run([*command, "-d", folder, f"{PACKAGE}=={VERSION}"], log=log)
	found = hashlib.sha256(wheel.read_bytes()).hexdigest()
	if found != WHEEL_SHA256:
		wheel.unlink()
		raise SetupError(
			f"{wheel.name} has SHA-256 {found}, expected {WHEEL_SHA256}. It was removed; try again."
		)
	return wheel


def requirements(wheel: Path) -> list[str]:
	"""What the wheel says it needs, extras left out, as pip requirement lines."""
	with zipfile.ZipFile(wheel) as archive:
		metadata = archive.read(f"{PACKAGE}-{VERSION}.dist-info/METADATA").decode()
	lines = (
		line.partition(":")[2].strip() for line in metadata.splitlines() if line.startswith("Requires-Dist:")
	)
	return [line for line in lines if "extra ==" not in line]


def restore(wheel: Path, target: Path) -> None:
	"""Unpack the wheel with Frappe's names into `target` (which then contains `frappe/`), or raise SetupError."""
	shutil.rmtree(target, ignore_errors=True)
	with zipfile.ZipFile(wheel) as archive:
		for entry in archive.namelist():
			if entry.startswith(f"{PACKAGE}/") and not entry.endswith(("/", ".DS_Store")):
				_restore_file(target / _rename(entry), archive.read(entry))
	found = digest(target)
	if found != TREE_SHA256:
		shutil.rmtree(target)
		raise SetupError(f"the restored Frappe has digest {found}, expected {TREE_SHA256}. It was removed.")


def digest(root: Path) -> str:
	"""SHA-256 over `path NUL sha256 LF` of every Python file below `root`, in the order of their paths."""
	total = hashlib.sha256()
	for path, file in sorted((file.relative_to(root).as_posix(), file) for file in root.rglob("*.py")):
		total.update(f"{path}\0{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
	return total.hexdigest()


def _rename(text: str) -> str:
	for theirs, frappes in NAMES:
		text = text.replace(theirs, frappes)
	return text.replace(*BENCH_HELPER) if text.endswith(BENCH_HELPER[0]) else text


def _restore_file(path: Path, content: bytes) -> None:
	try:
		content = _rename_text(content.decode()).encode()
	except UnicodeDecodeError:
		pass  # an image or a font: nothing in it was renamed
	path.parent.mkdir(parents=True, exist_ok=True)
	path.write_bytes(content)


def _rename_text(text: str) -> str:
	for theirs, frappes in NAMES:
		text = text.replace(theirs, frappes)
	return text
