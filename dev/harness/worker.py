"""A Python process of its own on the site: it runs functions of modules, and what they return comes back as JSON.

other = worker()
other.run(sessions.transition, name, "MOVED")     # any function that can be imported, sent by its dotted name
other.commit()
pending = other.start(in_workers.say, name, "hello")    # runs while the test goes on
pending()                                         # waits and returns the result

Arguments and results are what JSON can hold; of anything else its text comes back. Processes are forked from one that has
imported the app and has no connection to anything, as a preloading gunicorn does: they are there at once.
"""

import atexit
import importlib
import json
import multiprocessing
import os
import random
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from operator import attrgetter
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
OTHERS, PAUSE_SECONDS = 2, 0.3  # threads beside the one that answers, and how often each says something
_wrong: list[str] = []  # what threads beside the one that answers have seen
PRELOADED = [
	"pytest",
	"frappe.app",
	"assistant_session.authentication",
	"assistant_session.sessions",
	__name__,
]

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(PRELOADED)


class Worker:
	def __init__(self, sites: Path, site: str, environment: dict[str, str]):
		self._line, theirs = _processes.Pipe()
		variables = {**os.environ, "PYTHONPATH": str(REPOSITORY), **environment}
		self.process = _processes.Process(
			target=_serve, args=(theirs, str(sites), site, variables), daemon=True
		)
		self.process.start()
		theirs.close()
		assert self._line.recv() == "ready"

	def start(self, function: Callable, *arguments: Any, **named: Any) -> Callable[[], Any]:
		self._line.send(json.dumps([name_of(function), arguments, named]))
		return self._answer

	def run(self, function: Callable, *arguments: Any, **named: Any) -> Any:
		return self.start(function, *arguments, **named)()

	def write(self, function: Callable, *arguments: Any, **named: Any) -> Any:
		"""Run it and commit."""
		result = self.run(function, *arguments, **named)
		self.commit()
		return result

	def commit(self) -> None:
		self.run(commit)

	def rollback(self) -> None:
		self.run(rollback)

	def signal(self, number: int) -> None:
		os.kill(self.process.pid, number)

	def kill(self) -> None:
		self.signal(signal.SIGKILL)
		self.process.join()

	def end(self) -> int | None:
		"""Tell it that there is nothing more to do; its exit status."""
		self._line.close()
		self.process.join(60)
		return self.process.exitcode

	def stop(self) -> None:
		self._line.close()
		self.process.kill()
		self.process.join()

	def _answer(self) -> Any:
		answer = json.loads(self._line.recv())
		if "error" in answer:
			raise WorkerError(answer["error"], answer["traceback"])
		return answer["result"]


class WorkerError(Exception):
	"""The function raised; `kind` is the class name of what it raised."""

	def __init__(self, kind: str, text: str):
		super().__init__(f"{kind}\n{text}")
		self.kind = kind


def name_of(function: Callable) -> str:
	"""By which another process finds the function: `module:name`."""
	return f"{function.__module__}:{function.__qualname__}"


def named(name: str) -> Callable:
	module, _colon, path = name.partition(":")
	return attrgetter(path)(importlib.import_module(module))


def commit() -> None:
	import frappe

	frappe.db.commit()


def rollback() -> None:
	import frappe

	frappe.db.rollback()


def _serve(line: Connection, sites: str, site: str, variables: dict[str, str]) -> None:
	os.chdir(sites)
	os.environ.clear()
	os.environ.update(variables)
	random.seed()
	signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who started us
	sys.path.insert(0, str(REPOSITORY))
	if os.environ.get("WORKERS") == "gthread":
		_among_others(site, lambda: _answer_all(line, site))
	else:
		_answer_all(line, site)
	atexit._run_exitfuncs()  # multiprocessing leaves without them


def _answer_all(line: Connection, site: str) -> None:
	from dev.harness.connection import connect

	connect(site)
	line.send("ready")
	with suppress(EOFError, BrokenPipeError):
		while True:
			line.send(json.dumps(_answered(*json.loads(line.recv())), default=str))


def _among_others(site: str, work: Callable[[], None]) -> None:
	"""In a thread, as a gthread worker answers, beside others that have conversations of their own meanwhile: they share
	its memory, its connection to Redis and its renewer of leases."""
	over = threading.Event()
	others = [threading.Thread(target=_converse, args=(site, over)) for _number in range(OTHERS)]
	mine = threading.Thread(target=work)
	for thread in (mine, *others):
		thread.start()
	mine.join()
	over.set()
	for thread in others:
		thread.join()


def _converse(site: str, over: threading.Event) -> None:
	"""A conversation now and then. The test may have taken the servers away; then it is tried again. One that is not as it was
	said is told with the next answer."""
	while not over.wait(PAUSE_SECONDS):
		with suppress(Exception):
			if (counted := _one_conversation(site)) != 2:
				_wrong.append(f"a conversation beside has {counted} turns where two were stored")


def _one_conversation(site: str) -> int:
	import frappe

	from assistant_session import sessions
	from dev.harness.connection import connect

	connect(site)
	try:
		name = sessions.open().id
		with sessions.turn(name, "meanwhile") as turn:
			turn.reply("yes")
		frappe.db.commit()
		return sessions.get(name).turn_count
	finally:
		frappe.destroy()


def _answered(function: str, arguments: list, more: dict[str, Any]) -> dict[str, Any]:
	if _wrong:
		return {"error": "AssertionError", "traceback": "\n".join(_wrong)}
	try:
		return {"result": named(function)(*arguments, **more)}
	except BaseException as error:
		return {"error": type(error).__name__, "traceback": traceback.format_exc()}
