"""Private MariaDB and Redis servers on free loopback ports, which end when this process does."""

import ctypes
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from .console import SetupError, run

READY_SECONDS = 60
PR_SET_PDEATHSIG = 1


def free_port() -> int:
	"""A TCP port on 127.0.0.1 that nobody listened on a moment ago."""
	with socket.socket() as probe:
		probe.bind(("127.0.0.1", 0))
		return probe.getsockname()[1]


def listens(port: int) -> bool:
	"""Whether somebody takes connections on this port of 127.0.0.1."""
	try:
		socket.create_connection(("127.0.0.1", port), timeout=1).close()
	except OSError:
		return False
	return True


def end_with_parent(ending: int = signal.SIGTERM) -> None:
	"""In a child, before exec: the signal `ending` when this process ends, however it does (Linux)."""
	ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, ending)


class Server:
	"""A child process that listens on a loopback port; the signal `ending` ends it in good order."""

	def __init__(
		self,
		name: str,
		command: list,
		port: int,
		log: Path,
		cwd: Path | None = None,
		env=None,
		*,
		ending: int = signal.SIGTERM,
	):
		self.name, self.command, self.port, self.log, self.cwd, self.env = name, command, port, log, cwd, env
		self.ending = ending
		self.process: subprocess.Popen | None = None

	def start(self) -> "Server":
		with self.log.open("ab") as sink:
			self.process = subprocess.Popen(
				[str(part) for part in self.command],
				stdin=subprocess.DEVNULL,
				stdout=sink,
				stderr=subprocess.STDOUT,
				cwd=self.cwd,
				env=self.env,
				preexec_fn=partial(end_with_parent, self.ending),
				start_new_session=True,  # Ctrl-C is ours to handle
			)
		self._wait_until_listening()
		return self

	def stop(self, signal_number: int | None = None, patience: float = 20) -> None:
		"""End the process with `signal_number` or its own `ending`, with SIGKILL if it is there after `patience` seconds."""
		if self.process is None or self.process.poll() is not None:
			return
		self.process.send_signal(signal_number or self.ending)
		try:
			self.process.wait(patience)
		except subprocess.TimeoutExpired:
			self.process.kill()
			self.process.wait()

	def _wait_until_listening(self) -> None:
		deadline = time.monotonic() + READY_SECONDS
		while time.monotonic() < deadline:
			if self.process.poll() is not None:
				break
			if listens(self.port):
				return
			time.sleep(0.05)
		self.stop()
		tail = "\n  ".join(self.log.read_text(errors="replace").splitlines()[-15:])
		raise SetupError(f"{self.name} did not start. The end of {self.log}:\n  {tail}")


def redis(program: str, name: str, folder: Path, port: int) -> Server:
	"""A Redis that keeps nothing on disk, as bench configures redis_cache."""
	folder.mkdir(parents=True, exist_ok=True)
	link = folder / "redis-server"  # Debian's binary is the server when it is called by this name
	link.unlink(missing_ok=True)
	link.symlink_to(program)
	command = [link, "--bind", "127.0.0.1", "--port", port, "--save", "", "--appendonly", "no"]
	command += ["--dir", folder, "--maxmemory", "256mb", "--maxmemory-policy", "allkeys-lru"]
	return Server(name, command, port, folder / f"{name}.log")


class MariaDB:
	"""A private MariaDB: own data directory, own socket, own random root password."""

	def __init__(self, programs: dict[str, str], folder: Path):
		self.programs, self.folder, self.data = programs, folder, folder / "data"
		self.socket = (
			Path("/tmp") / f"assistant-session-{secrets.token_hex(6)}.sock"
		)  # a socket path is short
		self.password_file = folder / "root-password"

	@property
	def password(self) -> str:
		return self.password_file.read_text().strip()

	def initialise(self, log: Path) -> None:
		"""Make the data directory and the root account, once."""
		if self.password_file.exists():
			return
		shutil.rmtree(self.folder, ignore_errors=True)
		self.folder.mkdir(parents=True)
		command = [self.programs["mariadb-install-db"], "--no-defaults", f"--datadir={self.data}"]
		run([*command, "--auth-root-authentication-method=normal", "--skip-test-db", *_as_root()], log=log)
		password = secrets.token_urlsafe(24)
		server = self.start(log)
		try:
			self._sql(
				f"ALTER USER 'root'@'localhost' IDENTIFIED BY '{password}';"
				f"CREATE OR REPLACE USER 'root'@'127.0.0.1' IDENTIFIED BY '{password}';"
				"GRANT ALL ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION; FLUSH PRIVILEGES;"
			)
		finally:
			server.stop()
		self.password_file.touch(mode=0o600)
		self.password_file.write_text(password)

	def start(self, log: Path, options: Sequence[str] = ()) -> Server:
		"""The running server, with more `options`. Commits are flushed to disk, as in production."""
		port = free_port()
		command = [
			self.programs["mariadbd"], "--no-defaults", f"--datadir={self.data}", f"--socket={self.socket}",
			"--bind-address=127.0.0.1", f"--port={port}", f"--pid-file={self.folder / 'pid'}",
			"--character-set-server=utf8mb4", "--collation-server=utf8mb4_unicode_ci",
			"--innodb-buffer-pool-size=512M", "--max-connections=300", "--max-allowed-packet=64M",
			"--innodb-flush-log-at-trx-commit=1", "--skip-name-resolve=0",
			"--loose-innodb-snapshot-isolation=ON",  # the default from 11.6.2 on; older servers may not know it
		]  # fmt: skip
		return Server("MariaDB", [*command, *options, *_as_root()], port, log).start()

	def _sql(self, statements: str) -> None:
		command = [self.programs["mariadb"], "--no-defaults", f"--socket={self.socket}", "-u", "root"]
		done = subprocess.run(command, input=statements.encode(), capture_output=True)
		if done.returncode:
			raise SetupError(f"MariaDB refused its first statements: {done.stderr.decode()}")


def _as_root() -> list[str]:
	return ["--user=root"] if os.geteuid() == 0 else []
