"""Where the chaos plays: a MariaDB and a Redis of its own with a copy of the pocket bench's site, and real workers.

Nothing of the pocket bench is killed or changed. Servers are started from the main thread alone: they end with
the thread that started them (`dev.servers.end_with_parent`).
"""

import json
import shutil
import signal
import tempfile
import time
from pathlib import Path

import pymysql

from dev import packages, servers
from dev.harness.proxy import Proxy
from dev.harness.stage import Stage

from . import bounds, database

HOST = "127.0.0.1"
CONNECT_SECONDS = 5
FROZEN = 0.5  # seconds


class Theatre:
	"""Servers, sites and workers of one run; `close` ends and removes all of it."""

	def __init__(self, bench: Path, site: str):
		self.bench, self.site = bench, site
		self.folder = Path(tempfile.mkdtemp(prefix="chaos-"))
		self.log = self.folder / "chaos.jsonl"
		self.server_log = self.folder / "servers.log"
		self.stages: list[Stage] = []
		self.started: list[servers.Server] = []
		self.proxy: Proxy | None = None

	def open(self) -> None:
		"""Servers with a copy of the site; workers start with `start_workers`."""
		programs = packages.ensure(self.server_log)
		self.mariadb = servers.MariaDB(programs, self.folder / "mariadb")
		self.mariadb.initialise(self.server_log)
		options = [f"--innodb-lock-wait-timeout={bounds.LOCK_WAIT}"]
		self.database = self.mariadb.start(self.server_log, options)
		self.started.append(self.database)
		self.redis = servers.redis(
			programs["redis-server"], "redis_cache", self.folder / "redis", servers.free_port()
		)
		self.started.append(self.redis.start())
		self._copy_site()
		self.proxy = Proxy(self.redis.port)
		self.together = self._stage(f"redis://{HOST}:{self.redis.port}")
		self.aside = self._stage(self.proxy.url)

	def doctor(self) -> str:
		"""What the app's own doctor says of all sessions, their audit trails included; empty if all is well."""
		said = self.together.command("assistant-session", "doctor")
		return (said.stdout + said.stderr).strip() if said.returncode else ""

	def start_workers(self) -> None:
		self.together.start(bounds.WORKERS)
		self.aside.start(1)

	def restart_workers(self) -> None:
		"""All of them, with SIGKILL."""
		self.together.kill()
		self.aside.kill()
		self.start_workers()

	def workers(self) -> list[int]:
		"""Process ids of all workers: the children of the masters this run started."""
		return [pid for stage in self.stages for pid in _children(stage)]

	def kill_database(self, seconds: float) -> None:
		"""Frozen for a moment, so that it dies in the middle of COMMITs; some time without a database, and its restart."""
		self.database.process.send_signal(signal.SIGSTOP)
		time.sleep(FROZEN)
		self.database.stop(signal.SIGKILL)
		time.sleep(seconds)
		self.database.start()

	def stop_redis(self, seconds: float) -> None:
		"""It comes back empty."""
		self.redis.stop()
		time.sleep(seconds)
		self.redis.start()

	def connect(self) -> pymysql.Connection:
		"""A connection of its own, as root, on the copied site's database."""
		return self._connect(database=self.configuration["db_name"])

	def close(self) -> None:
		for stage in self.stages:
			stage.close()
		if self.proxy:
			self.proxy.close()
		for server in reversed(self.started):
			server.stop()
		shutil.rmtree(self.folder, ignore_errors=True)

	def _stage(self, redis_cache: str) -> Stage:
		stage = Stage(
			str(self.bench),
			self.site,
			db_port=self.database.port,
			redis_cache=redis_cache,
			assistant_session_responder="assistant_session.demo.respond",
			assistant_session_register_ttl=bounds.REGISTER_TTL,
			assistant_session_redis_timeout=bounds.REDIS_TIMEOUT,
		)
		self.stages.append(stage)
		return stage

	def _copy_site(self) -> None:
		self.configuration = json.loads((self.bench / "sites" / self.site / "site_config.json").read_text())
		common = json.loads((self.bench / "sites" / "common_site_config.json").read_text())
		name, password = self.configuration["db_name"], self.configuration["db_password"]
		source = pymysql.connect(
			host=HOST, port=common["db_port"], user=name, password=password, database=name, charset="utf8mb4"
		)
		target = self._connect()
		try:
			database.copy(source, target, name)
			with target.cursor() as cursor:
				cursor.execute(
					f"GRANT ALL ON `{name}`.* TO %s@'127.0.0.1' IDENTIFIED BY %s", (name, password)
				)
				cursor.execute(
					f"GRANT ALL ON `{name}`.* TO %s@'localhost' IDENTIFIED BY %s", (name, password)
				)
		finally:
			source.close()
			target.close()

	def _connect(self, **more) -> pymysql.Connection:
		return pymysql.connect(
			host=HOST, port=self.database.port, user="root", password=self.mariadb.password, charset="utf8mb4",
			connect_timeout=CONNECT_SECONDS, **more,
		)  # fmt: skip


def _children(stage: Stage) -> list[int]:
	master = stage.master.pid
	try:
		return [int(pid) for pid in Path(f"/proc/{master}/task/{master}/children").read_text().split()]
	except FileNotFoundError:  # it has just been killed
		return []
