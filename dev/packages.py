"""The programs the pocket bench needs: MariaDB's and Redis; to build Desk and look at it, Node and Chromium; PostgreSQL's.

Only programs are installed (Debian's `-core` packages and `redis-tools`, whose one binary is the server
too; `postgresql` without the server it would set up), so that no system service appears or is touched.
"""

import glob
import os
import shutil
import subprocess
from contextlib import contextmanager, nullcontext
from pathlib import Path

from .console import SetupError, run, say, step

PROGRAMS = {
	"mariadbd": ("mariadb-server-core", ("/usr/sbin/mariadbd", "/usr/libexec/mariadbd")),
	"mariadb-install-db": ("mariadb-server-core", ("/usr/bin/mariadb-install-db",)),
	"mariadb": ("mariadb-client-core", ("/usr/bin/mariadb",)),
	"redis-server": ("redis-tools", ("/usr/bin/redis-server", "/usr/bin/redis-check-rdb")),
}
DESK_PROGRAMS = {
	"node": ("nodejs", ("/usr/bin/node",)),
	"npm": ("npm", ("/usr/bin/npm",)),
	"chromium": ("chromium", ("/usr/bin/chromium", "/usr/bin/google-chrome")),
}
POSTGRES_PROGRAMS = {
	"postgres": ("postgresql", ("/usr/lib/postgresql/*/bin/postgres",)),
	"initdb": ("postgresql", ("/usr/lib/postgresql/*/bin/initdb",)),
	"psql": ("postgresql-client", ("/usr/bin/psql",)),
}
EVERY_PROGRAM = {**PROGRAMS, **DESK_PROGRAMS, **POSTGRES_PROGRAMS}
# Debian's package makes and starts a server when it is installed first, unless this is there (pg_createcluster(1)).
NO_CLUSTER = Path("/etc/postgresql-common/createcluster.d/assistant-session.conf")


def find(program: str) -> str | None:
	"""The path of a program, looked for in PATH and where Debian puts it (of several versions the newest)."""
	found = shutil.which(program)
	places = [path for place in EVERY_PROGRAM[program][1] for path in sorted(glob.glob(place), reverse=True)]
	return found or next((path for path in places if os.access(path, os.X_OK)), None)


def ensure(log: Path, desk: bool = False, postgres: bool = False) -> dict[str, str]:
	"""Every program's path; the missing ones are installed with apt-get where this user may, else SetupError."""
	wanted = {**PROGRAMS, **(DESK_PROGRAMS if desk else {}), **(POSTGRES_PROGRAMS if postgres else {})}
	missing = sorted({wanted[program][0] for program in wanted if not find(program)})
	if missing:
		_install(missing, log)
	paths = {program: find(program) for program in wanted}
	if absent := [program for program, path in paths.items() if not path]:
		raise SetupError(f"still missing after the installation: {', '.join(absent)}. {_advice(missing)}")
	return paths


def _install(packages: list[str], log: Path) -> None:
	prefix = _root_prefix()
	if not shutil.which("apt-get") or prefix is None:
		raise SetupError(_advice(packages))
	with step(f"installing Debian's {', '.join(packages)}"):
		env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
		run([*prefix, "apt-get", "update", "-q"], log=log, env=env)
		with _no_cluster(prefix, log) if "postgresql" in packages else nullcontext():
			run(
				[*prefix, "apt-get", "install", "-qy", "--no-install-recommends", *packages], log=log, env=env
			)


@contextmanager
def _no_cluster(prefix: list[str], log: Path):
	"""Within the block Debian's package installs programs alone."""
	run([*prefix, "mkdir", "-p", NO_CLUSTER.parent], log=log)
	run([*prefix, "sh", "-c", f"echo 'create_main_cluster = false' > {NO_CLUSTER}"], log=log)
	try:
		yield
	finally:
		run([*prefix, "rm", "-f", NO_CLUSTER], log=log)


def _root_prefix() -> list[str] | None:
	if os.geteuid() == 0:
		return []
	if shutil.which("sudo") and subprocess.call(["sudo", "-n", "true"], stderr=subprocess.DEVNULL) == 0:
		return ["sudo", "-n"]
	if shutil.which("sudo") and os.isatty(0):
		say("sudo may ask for your password now")
		return ["sudo"] if subprocess.call(["sudo", "-v"]) == 0 else None
	return None


def _advice(packages: list[str]) -> str:
	names = " ".join(packages)
	absent = ", ".join(
		program for program, (package, _places) in EVERY_PROGRAM.items() if package in packages
	)
	return (
		f"Programs are missing, and installing them takes root. On Debian or Ubuntu, as root: "
		f"apt-get install {names} — elsewhere, install {absent} and put them in PATH. Then run this again."
	)
