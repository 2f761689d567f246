"""A private PostgreSQL: own data directory, loopback only, own random password, no socket file and no system service.

PostgreSQL refuses to run as root; then it runs as the user that Debian's package makes for it, who may enter root's folders.
"""

import os
import secrets
import shutil
import signal
import subprocess
from pathlib import Path

from .console import SetupError, run
from .servers import Server, free_port

SUPERUSER = "postgres"  # of the database
ACCOUNT = "postgres"  # of the operating system, made by Debian's package
SETTINGS = {
	"listen_addresses": "127.0.0.1",
	"unix_socket_directories": "",
	"max_connections": "100",
	"lock_timeout": "50s",  # as long as MariaDB waits for a lock; docs/operating.md asks the same of a site
}


class PostgreSQL:
	"""The server in `folder`, made once by `initialise` and run by `start`."""

	def __init__(self, programs: dict[str, str], folder: Path):
		self.programs, self.folder, self.data = programs, folder, folder / "data"
		self.password_file = folder / "password"

	@property
	def password(self) -> str:
		return self.password_file.read_text().strip()

	def initialise(self, log: Path) -> None:
		"""Make the data directory and let every user of a new database make tables in it, as Frappe of 2023 expects."""
		shutil.rmtree(self.folder, ignore_errors=True)
		self.folder.mkdir(parents=True)
		self.password_file.touch(mode=0o600)
		self.password_file.write_text(secrets.token_urlsafe(24))
		if os.geteuid() == 0:
			for path in (self.folder, self.password_file):
				shutil.chown(path, ACCOUNT, ACCOUNT)
		command = [
			*_not_as_root(),
			self.programs["initdb"],
			f"--pgdata={self.data}",
			f"--username={SUPERUSER}",
		]
		command += [f"--pwfile={self.password_file}", "--auth=scram-sha-256"]
		run([*command, "--encoding=UTF8", "--locale=C.UTF-8"], log=log, cwd=self.folder)
		server = self.start(log)
		try:
			self._sql(server.port, "GRANT CREATE ON SCHEMA public TO PUBLIC", database="template1")
		finally:
			server.stop()

	def start(self, log: Path) -> Server:
		port = free_port()
		command = [*_not_as_root(), self.programs["postgres"], "-D", self.data, "-p", port]
		for name, value in SETTINGS.items():
			command += ["-c", f"{name}={value}"]
		# SIGINT: it ends at once, where SIGTERM waits for its clients.
		return Server("PostgreSQL", command, port, log, self.folder, ending=signal.SIGINT).start()

	def _sql(self, port: int, statement: str, database: str) -> None:
		command = [self.programs["psql"], "-h", "127.0.0.1", "-p", str(port), "-U", SUPERUSER, "-d", database]
		environment = {**os.environ, "PGPASSWORD": self.password}
		done = subprocess.run([*command, "-c", statement], env=environment, capture_output=True, cwd="/")
		if done.returncode:
			raise SetupError(f"PostgreSQL refused its first statement: {done.stderr.decode()}")


def _not_as_root() -> list[str]:
	"""What goes before a command that root starts. Changing the user undoes `end_with_parent`, so it is said anew."""
	if os.geteuid():
		return []
	capability = "+dac_override"  # the clone may lie in a folder that is root's alone
	command = ["setpriv", f"--reuid={ACCOUNT}", f"--regid={ACCOUNT}", "--clear-groups", "--pdeathsig=INT"]
	return [*command, f"--inh-caps={capability}", f"--ambient-caps={capability}", "--"]
