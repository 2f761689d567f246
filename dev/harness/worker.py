"""A Python process of its own on the site: it runs functions of modules, and what they return comes back as JSON.

other = worker()
other.run(sessions.transition, name, "MOVED")     # any function that can be imported, sent by its dotted name
other.commit()
pending = other.start(in_workers.say, name, "hello")    # runs while the test goes on
pending()                                         # waits and returns the result

Arguments and results are what JSON can hold; of anything else its text comes back.
"""

import importlib
import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable
from operator import attrgetter
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]


class Worker:
	def __init__(self, sites: Path, site: str, environment: dict[str, str]):
		self.process = subprocess.Popen(
			[sys.executable, "-u", "-m", "dev.harness.worker", site],
			cwd=sites,
			env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environment},
			stdin=subprocess.PIPE,
			stdout=subprocess.PIPE,
			text=True,
		)
		assert self.process.stdout.readline() == "ready\n"

	def start(self, function: Callable, *arguments: Any, **named: Any) -> Callable[[], Any]:
		request = {"function": name_of(function), "arguments": arguments, "named": named}
		self.process.stdin.write(json.dumps(request) + "\n")
		self.process.stdin.flush()
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

	def kill(self) -> None:
		self.process.send_signal(signal.SIGKILL)
		self.process.wait()

	def stop(self) -> None:
		self.process.stdin.close()
		self.process.stdout.close()
		if self.process.poll() is None:
			self.process.kill()
		self.process.wait()

	def _answer(self) -> Any:
		answer = json.loads(self.process.stdout.readline())
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


def _serve(site: str) -> None:
	from dev.harness.connection import connect

	out, sys.stdout = sys.stdout, sys.stderr
	connect(site)
	importlib.import_module("assistant_session.sessions")  # as any process that has to do with sessions
	out.write("ready\n")
	for line in sys.stdin:
		out.write(json.dumps(_answered(json.loads(line)), default=str) + "\n")


def _answered(request: dict[str, Any]) -> dict[str, Any]:
	try:
		return {"result": named(request["function"])(*request["arguments"], **request["named"])}
	except BaseException as error:
		return {"error": type(error).__name__, "traceback": traceback.format_exc()}


if __name__ == "__main__":
	_serve(sys.argv[1])
