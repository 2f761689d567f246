"""A real site, a Redis of the tests' own, real workers; see CONTRIBUTING.md.

The bench is the one in FRAPPE_BENCH (`make test` makes and names a pocket bench). Its sites are used from a
folder with a configuration of our own, and its redis_cache is never touched: the tests start another one,
which they may stop, flush and pause.
"""

import os
import uuid
from pathlib import Path

import pytest

from dev import packages, servers
from tests.browser import browser, contexts, desk
from tests.damaged import damage, set_row, stored, told
from tests.people import asked, authentication, member

__all__ = [
	"asked", "authentication", "browser", "contexts", "damage", "desk", "member", "set_row", "stored", "told",
]  # fmt: skip

REPOSITORY = Path(__file__).resolve().parent.parent
SITE, OTHER_SITE = os.environ.get("FRAPPE_SITE", ""), os.environ.get("FRAPPE_OTHER_SITE", "")


class CacheServer:
	"""The Redis that the tests and their workers use as redis_cache."""

	def __init__(self, folder: Path):
		self.program, self.folder, self.port = packages.find("redis-server"), folder, servers.free_port()
		self.start()

	@property
	def url(self) -> str:
		return f"redis://127.0.0.1:{self.port}"

	def start(self) -> None:
		self.server = servers.redis(self.program, "cache", self.folder, self.port).start()

	def stop(self) -> None:
		self.server.stop()

	def client(self):
		import redis

		return redis.Redis.from_url(self.url)

	def flush(self) -> None:
		self.client().flushall()

	def signal(self, number: int) -> None:
		self.server.process.send_signal(number)


@pytest.fixture(scope="session")
def cache_server(tmp_path_factory):
	server = CacheServer(tmp_path_factory.mktemp("redis"))
	os.environ["FRAPPE_REDIS_CACHE"] = server.url
	yield server
	server.stop()


@pytest.fixture(scope="session")
def verifier_server(tmp_path_factory):
	from tests.verifier import Verifier

	server = Verifier(tmp_path_factory.mktemp("verifier"))
	yield server
	server.close()


@pytest.fixture
def verifier(verifier_server):
	"""Somebody else's verifier, behaving well."""
	verifier_server.reset()
	return verifier_server


@pytest.fixture(scope="session")
def stage(cache_server, verifier_server):
	"""The sites folder, and gunicorn workers for whoever starts them."""
	from dev.harness.stage import Stage

	stage = Stage(
		os.environ["FRAPPE_BENCH"],
		SITE,
		assistant_session_responder="assistant_session.demo.respond",
		assistant_session_verifiers={"test": "assistant_session.demo.pension.verify"},
		assistant_session_verifier_networks=["127.0.0.0/8", "::1/128"],
		assistant_session_verifier_ca=verifier_server.authority,
	)
	stage.application = "tests.wsgi:application"
	yield stage
	stage.close()


@pytest.fixture(scope="session")
def bench(stage, verifier_server):
	"""This process inside the site, once; returns the API keys of the demo's users."""
	from dev.harness.connection import connected

	if OTHER_SITE:
		with connected(stage.sites, OTHER_SITE):
			_begin_empty()
	with connected(stage.sites, SITE):
		_begin_empty()
		yield _prepared(verifier_server.url)


def _prepared(verifier: str) -> dict[str, str]:
	"""Whom and what the tests need on the site; the API keys of the demo's users."""
	from dev.harness import cast
	from tests import callers, checks

	for user in callers.ROLES:
		callers.key_of(user)
	keys = cast.prepare()
	checks.prepare(verifier)
	return keys


def _begin_empty() -> None:
	"""What an earlier run left, or a test that failed in it, decides nothing. On the pocket bench, and on a site that
	allows tests; another one keeps what it has."""
	import frappe

	if _is_pocket_bench(Path(os.environ["FRAPPE_BENCH"]), REPOSITORY) or frappe.conf.allow_tests:
		for doctype in (
			"Conversation Session",
			"Conversation Turn",
			"Session Event",
			"Verification Attempt",
			"Session Metric",
		):
			frappe.db.truncate(doctype)
		frappe.db.commit()


def _is_pocket_bench(bench: Path, repository: Path) -> bool:
	"""Whether the bench is this clone's own, also for a copy of the clone within it (`make mutants`)."""
	return bench.resolve() == repository / ".bench" or repository.is_relative_to(bench.resolve())


@pytest.fixture
def site(bench, cache_server):
	"""A connected site with an empty worker memory; what a test leaves uncommitted is rolled back."""
	import frappe

	from assistant_session.authentication import checks
	from assistant_session.sessions.coherence import register
	from assistant_session.sessions.coherence.memory import memory

	frappe.set_user("Administrator")
	memory.clear()
	checks.forget()
	register._connections.clear()
	frappe.local.dynamic_link_map = None  # a request of Frappe's own begins without it
	yield frappe
	frappe.local.request = None
	frappe.set_user("Administrator")
	frappe.db.rollback()


@pytest.fixture
def sessions(site):
	from assistant_session import sessions

	return sessions


@pytest.fixture
def opened(site, sessions):
	"""The id of a new session, committed."""
	session = sessions.open()
	site.db.commit()
	return session.id


@pytest.fixture
def worker(stage, site):
	"""Starts Python processes with a memory and a connection of their own: `worker()` gives a Worker."""
	from dev.harness.worker import Worker

	started = []

	def start(target: str = SITE, **environment: str) -> Worker:
		started.append(Worker(stage.sites, target, environment))
		return started[-1]

	yield start
	for one in started:
		one.stop()


@pytest.fixture(params=[True, False], ids=["strict", "lax"])
def either(request, site, worker):
	"""Starts processes like `worker`, once where the database refuses to write past a transaction's snapshot, once where it
	does not: MariaDB's default from and before 11.6.2, PostgreSQL as Frappe uses it and as others do."""

	from tests import databases

	def start():
		one = worker()
		one.run(databases.isolate, request.param)
		return one

	return start


@pytest.fixture(scope="session")
def workers(stage, bench):
	"""Two gunicorn workers that answer HTTP for as long as the test session lasts."""
	stage.start()
	return stage


@pytest.fixture
def client(workers, site, bench):
	"""Makes HTTP clients: `client(device=…, key=…)`, as in the demo."""
	from dev.harness.client import Client

	def make(**more) -> Client:
		return Client(workers.url, SITE, lambda _line: None, **more)

	return make


@pytest.fixture
def device() -> str:
	return str(uuid.uuid4())
