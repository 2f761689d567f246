"""Where demo, tests and chaos play: the bench's sites in a folder of their own, and real gunicorn workers.

The folder links to the bench's sites and has a configuration of its own, so that nothing of the bench is
changed. `restart` kills the workers with SIGKILL and starts new ones.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from dev import servers

REPOSITORY = Path(__file__).resolve().parents[2]
READY_SECONDS = 60
# How benches run workers, and how Frappe's container images do.
KINDS = {
	"sync": ("--worker-class", "sync"),
	"gthread": ("--worker-class", "gthread", "--threads", "4", "--preload"),
}


class Stage:
	"""Sites folder and workers. `overrides` go on top of the bench's common_site_config.json; the environment's WORKERS
	chooses their kind, "sync" or "gthread"."""

	application = "dev.harness.wsgi:application"

	def __init__(self, bench: str, site: str, **overrides):
		self.bench, self.site = Path(bench), site
		self.root = Path(tempfile.mkdtemp(prefix="assistant-session-"))
		self.sites = self.root / "sites"
		self.log = self.root / "workers.log"
		self._lay_out(overrides)
		self.port = servers.free_port()
		self.master: subprocess.Popen | None = None

	@property
	def url(self) -> str:
		return f"http://127.0.0.1:{self.port}"

	def start(self, workers: int = 2, **environment: str) -> None:
		"""Start gunicorn, and wait until it answers."""
		command = [
			sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{self.port}", "--workers", str(workers),
			*KINDS[os.environ.get("WORKERS") or "sync"], "--timeout", "120", self.application,
		]  # fmt: skip
		with self.log.open("ab") as sink:
			self.master = subprocess.Popen(
				command,
				cwd=self.sites,
				env={**os.environ, "PYTHONPATH": str(REPOSITORY), "SITES_PATH": ".", **environment},
				stdin=subprocess.DEVNULL,
				stdout=sink,
				stderr=subprocess.STDOUT,
				preexec_fn=servers.end_with_parent,
				start_new_session=True,  # `kill` is for the whole group
			)
		self._wait()

	def kill(self) -> None:
		"""SIGKILL to every worker and their master: nothing in their memory survives."""
		if self.master and self.master.poll() is None:
			os.killpg(self.master.pid, signal.SIGKILL)
			self.master.wait()
			while servers.listens(self.port):  # a dying worker may still hold the socket for a moment
				time.sleep(0.01)
		self.master = None

	def restart(self, workers: int = 2, **environment: str) -> None:
		self.kill()
		self.start(workers, **environment)

	def close(self) -> None:
		self.kill()
		shutil.rmtree(self.root, ignore_errors=True)

	def command(self, *arguments: str) -> subprocess.CompletedProcess:
		"""One of `bench --site S …`'s commands, with its output."""
		helper = [sys.executable, "-m", "frappe.utils.bench_helper", "frappe", "--site", self.site]
		return subprocess.run(
			[*helper, *arguments], cwd=self.sites, capture_output=True, text=True, check=False
		)

	def _lay_out(self, overrides: dict) -> None:
		self.sites.mkdir()
		(self.root / "logs").mkdir()
		(self.root / "apps").symlink_to(self.bench / "apps")
		for entry in (self.bench / "sites").iterdir():
			if entry.name != "common_site_config.json":
				(self.sites / entry.name).symlink_to(entry)
		configuration = json.loads((self.bench / "sites" / "common_site_config.json").read_text())
		(self.sites / "common_site_config.json").write_text(json.dumps({**configuration, **overrides}))

	def _wait(self) -> None:
		deadline = time.monotonic() + READY_SECONDS
		while time.monotonic() < deadline and self.master is not None and self.master.poll() is None:
			if servers.listens(self.port):
				return
			time.sleep(0.05)
		self.kill()
		raise RuntimeError(f"the workers did not start:\n{self.log.read_text()[-3000:]}")
