"""Desk's scripts and style sheets, bundled from Frappe's own sources with packages of npm.

The wheel has the sources and no bundles, so without this Desk is a blank page. Everything is made in one folder of
the pocket bench and linked to where Frappe serves it from; the build script is in desk/ here.
"""

import hashlib
import shutil
from pathlib import Path

from .console import run

SCRIPTS = Path(__file__).resolve().parent / "desk"
PACKAGES = ("package.json", "package-lock.json")
MAPS = ("assets.json", "assets-rtl.json")


def key(frappe: str) -> str:
	"""Changes with whatever a bundle is made of; `frappe` is the digest of Frappe's tree."""
	total = hashlib.sha256(frappe.encode())
	for file in _scripts():
		total.update(file.name.encode() + b"\0" + file.read_bytes())
	return total.hexdigest()


def build(programs: dict[str, str], folder: Path, apps: Path, log: Path) -> None:
	"""The locked packages and the bundles (`dist`) in `folder`, made anew; no package runs a script of its own."""
	shutil.rmtree(folder, ignore_errors=True)
	folder.mkdir(parents=True)
	for file in _scripts():
		shutil.copy(file, folder)  # beside the packages, where their imports find them
	quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	run([programs["npm"], "ci", *quiet], log=log, cwd=folder)
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


def _scripts() -> list[Path]:
	return sorted([*SCRIPTS.glob("*.mjs"), *(SCRIPTS / name for name in PACKAGES)])
