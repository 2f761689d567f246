"""Desk's scripts and style sheets, bundled from Frappe's own sources with packages of npm.

The wheel has the sources and no bundles, so without this Desk is a blank page. Everything is made in one folder of
the pocket bench and linked to where Frappe serves it from; the build script is in desk/ here.
"""

import hashlib
import shutil
from pathlib import Path

from .console import run

SCRIPTS = Path(__file__).resolve().parent / "desk"
LOCK = ("package.json", "package-lock.json")
MAPS = ("assets.json", "assets-rtl.json")


def packages_key() -> str:
	"""Changes with the packages that are wanted."""
	return _digest(SCRIPTS / name for name in LOCK)


def bundles_key(frappe: str) -> str:
	"""Changes with whatever a bundle is made of; `frappe` is the digest of Frappe's tree."""
	return _digest(SCRIPTS.iterdir()) + frappe


def install_packages(programs: dict[str, str], folder: Path, log: Path) -> None:
	"""The packages of the lock file in `folder`; nothing of theirs is run while they are installed."""
	shutil.rmtree(folder, ignore_errors=True)
	folder.mkdir(parents=True)
	for name in LOCK:
		shutil.copy(SCRIPTS / name, folder)
	quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	run([programs["npm"], "ci", *quiet], log=log, cwd=folder)


def build(programs: dict[str, str], folder: Path, apps: Path, log: Path) -> None:
	"""The bundles in `folder`/dist. The scripts run from a copy beside the packages that they import."""
	for script in SCRIPTS.glob("*.mjs"):
		shutil.copy(script, folder)
	run([programs["node"], "build.mjs", apps / "frappe", folder / "dist"], log=log, cwd=folder)


def link(folder: Path, apps: Path, sites: Path) -> None:
	"""Have Frappe serve the bundles, the packages it asks for by path, and the apps' own public files."""
	public = apps / "frappe" / "frappe" / "public"
	for name in ("dist", "node_modules"):
		_link(public / name, folder / name)
	for app in apps.iterdir():
		_link(sites / "assets" / app.name, app / app.name / "public")
	for name in MAPS:
		shutil.copy(folder / "dist" / name, sites / "assets")


def _link(link: Path, target: Path) -> None:
	link.unlink(missing_ok=True)
	link.symlink_to(target)


def _digest(files) -> str:
	total = hashlib.sha256()
	for file in sorted(files):
		total.update(file.name.encode() + b"\0" + file.read_bytes())
	return total.hexdigest()
