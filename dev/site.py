"""A bench with two sites, or three, as Frappe's own `bench` lays it out, below one git-ignored folder."""

import hashlib
import json
import os
import secrets
import subprocess
import sys
from pathlib import Path

from . import assets, frappe_source, packages, postgres, servers
from .console import SetupError, run, step

REPOSITORY = Path(__file__).resolve().parent.parent
ROOT = REPOSITORY / ".bench"
SITE, OTHER_SITE = "chat.localhost", "other.localhost"
POSTGRES_SITE = "postgres.localhost"
APP = "assistant_session"

# Frappe's pins of 2023 have no releases for the Pythons that came later; there these are let free.
NEWEST_PINNED = (3, 11)
UNPINNED_LATER = (
	"Pillow", "PyYAML", "pydantic", "hiredis", "psycopg2-binary", "pycryptodome", "cairocffi", "RestrictedPython",
)  # fmt: skip


class Bench:
	"""The pocket bench on disk: makes what is missing, starts what it needs, and stops it again."""

	def __init__(self, root: Path = ROOT):
		self.root, self.sites, self.log = root, root / "sites", root / "setup.log"
		self.python = root / "env" / "bin" / "python"
		self.servers: list[servers.Server] = []
		self.sites_up: list[str] = []

	def up(self, desk: bool = False, on_postgres: bool = False) -> None:
		"""Everything made and running, with `desk` also what a browser needs, with `on_postgres` also a site on
		PostgreSQL; `down` undoes the running part."""
		self.root.mkdir(exist_ok=True)
		programs = packages.ensure(self.log, desk, on_postgres)
		self.make_environment()
		if desk:
			self._build_desk(programs)
		database = servers.MariaDB(programs, self.root / "mariadb")
		self._once("mariadb", lambda: database.initialise(self.log), "1")
		with step("starting MariaDB and two Redis"):
			self._start(database, programs)
		root = ["--db-root-username", "root", "--db-root-password", database.password, "--no-mariadb-socket"]
		for site in (SITE, OTHER_SITE):
			self._up_site(site, root)
		if on_postgres:
			self._up_on_postgres(programs)

	def make_environment(self) -> None:
		"""Python with Frappe and the app in it: all that a test needs which starts no server."""
		self._once("python", self._make_environment, _python_key())
		self._once("frappe", self._restore_frappe, frappe_source.TREE_SHA256)
		self._link_app()

	def has_environment(self) -> bool:
		stamps = {"python": _python_key(), "frappe": frappe_source.TREE_SHA256}
		return all(self._is_done(name, key) for name, key in stamps.items())

	def _up_site(self, site: str, database: list[str]) -> None:
		"""The site made and at this version of the app; `database` says on which server, and as whom, to make it."""
		self._once(f"site-{site}", lambda: self._make_site(site, database), "1")
		self._once(f"wizard-{site}", lambda: self._answer_wizard(site), "1")
		self._once(f"install-{site}", lambda: self._install_app(site), _app_key())
		self.sites_up.append(site)

	def _up_on_postgres(self, programs: dict[str, str]) -> None:
		database = postgres.PostgreSQL(programs, self.root / "postgres")
		self._once("postgres", lambda: database.initialise(self.log), f"1 {programs['postgres']}")
		server = database.start(self.root / "postgres.log")
		self.servers.append(server)
		self._note_port(POSTGRES_SITE, server.port)
		root = ["--db-root-username", postgres.SUPERUSER, "--db-root-password", database.password]
		where = ["--db-type", "postgres", "--db-host", "127.0.0.1", "--db-port", str(server.port)]
		self._up_site(POSTGRES_SITE, [*root, *where])

	def _note_port(self, site: str, port: int) -> None:
		"""Every start has another port, and a site on PostgreSQL does not find it in the common configuration."""
		file = self.sites / site / "site_config.json"
		if file.exists():
			configuration = {**json.loads(file.read_text()), "db_host": "127.0.0.1", "db_port": port}
			file.write_text(json.dumps(configuration, indent=1))

	def down(self) -> None:
		for server in reversed(self.servers):
			server.stop()
		self.servers.clear()

	def environment(self) -> dict[str, str]:
		"""The variables by which tests, demo and benchmarks find this bench (and could find any other)."""
		scratch = self.root / "tmp"
		scratch.mkdir(exist_ok=True)
		on_postgres = {"FRAPPE_POSTGRES_SITE": POSTGRES_SITE} if POSTGRES_SITE in self.sites_up else {}
		return {
			**os.environ,
			**on_postgres,
			"TMPDIR": str(scratch),
			"FRAPPE_BENCH": str(self.root),
			"FRAPPE_SITE": SITE,
			"FRAPPE_OTHER_SITE": OTHER_SITE,
			"PATH": f"{self.python.parent}:{os.environ['PATH']}",
		}

	def frappe(self, *arguments: str) -> None:
		"""One of Frappe's own commands, as `bench` would call it."""
		command = [self.python, "-m", "frappe.utils.bench_helper", "frappe", *arguments]
		run(command, log=self.log, cwd=self.sites, env=self.environment())

	def _once(self, name: str, work, key: str) -> None:
		"""Do `work` unless its stamp holds `key` already; a failure leaves no stamp."""
		if self._is_done(name, key):
			return
		stamp = self.root / "stamps" / name
		stamp.parent.mkdir(exist_ok=True)
		stamp.unlink(missing_ok=True)
		with step(_TITLES[name.partition("-")[0]].format(site=name.partition("-")[2])):
			work()
		stamp.write_text(key)

	def _is_done(self, name: str, key: str) -> bool:
		stamp = self.root / "stamps" / name
		return stamp.exists() and stamp.read_text() == key

	def _make_environment(self) -> None:
		if subprocess.call([sys.executable, "-c", "import ensurepip"], stderr=subprocess.DEVNULL):
			raise SetupError(
				"this Python has no ensurepip: install Debian's python3-venv and run this again."
			)
		run([sys.executable, "-m", "venv", "--clear", self.root / "env"], log=self.log)
		wheel = frappe_source.download(self.python, self.root / "downloads", self.log)
		listed = self.root / "requirements.txt"
		lines = [_loosen(line) for line in frappe_source.requirements(wheel)]
		listed.write_text("\n".join([*lines, "setuptools<80", ""]))
		command = [
			self.python,
			"-m",
			"pip",
			"install",
			"-q",
			"--disable-pip-version-check",
			"--prefer-binary",
		]
		run(
			[
				*command,
				"-r",
				listed,
				"-r",
				REPOSITORY / "requirements.txt",
				"-r",
				REPOSITORY / "dev/requirements.txt",
			],
			log=self.log,
		)

	def _restore_frappe(self) -> None:
		wheel = frappe_source.download(self.python, self.root / "downloads", self.log)
		frappe_source.restore(wheel, self.root / "apps" / "frappe")

	def _link_app(self) -> None:
		link = self.root / "apps" / APP
		link.parent.mkdir(exist_ok=True)
		if not link.is_symlink():
			link.symlink_to(REPOSITORY)
		for packages_folder in (self.root / "env" / "lib").glob("python3*/site-packages"):
			(packages_folder / "bench.pth").write_text(f"{self.root / 'apps' / 'frappe'}\n{REPOSITORY}\n")

	def _build_desk(self, programs: dict[str, str]) -> None:
		folder, apps = self.root / "desk", self.root / "apps"
		key = assets.key(frappe_source.TREE_SHA256)
		self._once("desk", lambda: assets.build(programs, folder, apps, self.log), key)
		(self.sites / "assets").mkdir(parents=True, exist_ok=True)
		assets.link(folder, apps, self.sites)

	def _start(self, database: "servers.MariaDB", programs: dict[str, str]) -> None:
		(self.root / "logs").mkdir(exist_ok=True)
		(self.sites / "assets").mkdir(parents=True, exist_ok=True)
		(self.sites / "apps.txt").write_text(f"frappe\n{APP}\n")
		self.servers.append(database.start(self.root / "mariadb.log"))
		for name in ("redis_cache", "redis_queue"):
			server = servers.redis(programs["redis-server"], name, self.root / name, servers.free_port())
			self.servers.append(server.start())
		self._write_configuration(*(server.port for server in self.servers))

	def _write_configuration(self, database_port: int, cache_port: int, queue_port: int) -> None:
		configuration = {
			"db_host": "127.0.0.1",
			"db_port": database_port,
			"redis_cache": f"redis://127.0.0.1:{cache_port}",
			"redis_queue": f"redis://127.0.0.1:{queue_port}",
			"redis_socketio": f"redis://127.0.0.1:{queue_port}",
			"developer_mode": 0,
			"allow_tests": False,
			"default_site": SITE,
			"assistant_session_responder": f"{APP}.demo.respond",
		}
		(self.sites / "common_site_config.json").write_text(json.dumps(configuration, indent=1))

	def _make_site(self, site: str, database: list[str]) -> None:
		admin = self.root / "admin-password"
		if not admin.exists():
			admin.touch(mode=0o600)
			admin.write_text(secrets.token_urlsafe(12))
		self.frappe("new-site", site, "--force", "--admin-password", admin.read_text(), *database)

	def _answer_wizard(self, site: str) -> None:
		"""Frappe's own setup wizard, without which Desk shows nothing else; the time zone is the one it assumes."""
		answers = {
			"language": "English",
			"country": "India",
			"timezone": "Asia/Kolkata",
			"currency": "INR",
		}
		wizard = "frappe.desk.page.setup_wizard.setup_wizard.setup_complete"
		self.frappe("--site", site, "execute", wizard, "--kwargs", repr({"args": answers}))

	def _install_app(self, site: str) -> None:
		"""Once in a site's life; a later version of the app is a migration."""
		installed = self.root / "stamps" / f"installed-{site}"
		if installed.exists():
			self.frappe("--site", site, "migrate", "--skip-failing")
		else:
			self.frappe("--site", site, "install-app", APP)
			installed.touch()


_TITLES = {
	"python": "making a virtual environment with what Frappe needs, from PyPI",
	"frappe": "restoring Frappe's source and checking it",
	"desk": "building Desk from Frappe's sources, with packages from npm",
	"mariadb": "making a private MariaDB",
	"postgres": "making a private PostgreSQL",
	"site": "making the site {site}",
	"wizard": "answering the setup wizard of {site}",
	"install": "bringing {site} up to this version of the app",
}


def _loosen(requirement: str) -> str:
	if sys.version_info[:2] <= NEWEST_PINNED:
		return requirement
	return next(
		(name for name in UNPINNED_LATER if requirement.lower().startswith(name.lower())), requirement
	)


def _python_key() -> str:
	needs = (REPOSITORY / "requirements.txt").read_text() + (REPOSITORY / "dev/requirements.txt").read_text()
	return hashlib.sha256(f"{sys.version}{frappe_source.WHEEL_SHA256}{needs}".encode()).hexdigest()


def _app_key() -> str:
	"""Changes with whatever a migration would bring to the sites: DocTypes, fixtures, hooks, patches."""
	app = REPOSITORY / APP
	files = [
		*app.rglob("*.json"),
		app / "hooks.py",
		app / "install.py",
		app / "patches.txt",
		app / "modules.txt",
	]
	total = hashlib.sha256()
	for file in sorted(files):
		total.update(file.relative_to(app).as_posix().encode() + b"\0" + file.read_bytes())
	return total.hexdigest()
