"""`python3 -m dev run COMMAND…`: bring the pocket bench up, run a command on it, take it down again.
`python3 -m dev env COMMAND…`: run a command with the bench's Python alone, without any server.

`run --desk COMMAND…` also builds Desk and finds a browser, for commands that open pages; `run --postgres COMMAND…`
also has a site on a PostgreSQL. With FRAPPE_BENCH (and FRAPPE_SITE) in the environment the command runs on that bench instead.
"""

import fcntl
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

from . import servers, site
from .console import SetupError, fail, say

USAGE = "usage: python3 -m dev run [--desk] [--postgres] COMMAND… | env COMMAND…   (see the Makefile)"

RUN, ENVIRONMENT = "run", "env"

OPTIONS = DESK, POSTGRES = "--desk", "--postgres"


class Stopped(Exception):
	"""A signal asked this process to end; the text names it."""


def main(arguments: list[str]) -> int:
	if sys.version_info < (3, 10):  # noqa: UP036 - said in a sentence, where an old Python would end in a traceback
		return fail(SetupError("Python 3.10 or later is needed."))
	how, command, wanted = "".join(arguments[:1]), arguments[1:], set()
	while how == RUN and command[:1] and command[0] in OPTIONS:
		wanted.add(command.pop(0))
	if how not in (RUN, ENVIRONMENT) or not command:
		return fail(SetupError(USAGE))
	_turn_signals_into_exceptions()
	try:
		if os.environ.get("FRAPPE_BENCH"):
			return _run_elsewhere(command)
		return _run_here(command, wanted) if how == RUN else _run_without_servers(command)
	except Stopped as stopped:
		say(f"stopped by {stopped}; the servers are down")
		return 130
	except (SetupError, OSError) as error:
		return fail(error)


def _turn_signals_into_exceptions() -> None:
	def stop(number, frame):
		raise Stopped(signal.Signals(number).name)

	for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
		signal.signal(number, stop)


def _run_elsewhere(command: list[str]) -> int:
	"""On the bench named in FRAPPE_BENCH, with the Python of its own environment; it has built its Desk itself."""
	python = Path(os.environ["FRAPPE_BENCH"]) / "env" / "bin" / "python"
	if not python.exists():
		raise SetupError(f"FRAPPE_BENCH: there is no {python}")
	environment = {**os.environ, "PATH": f"{python.parent}:{os.environ['PATH']}"}
	return _wait(command, environment)


def _run_here(command: list[str], wanted: set[str]) -> int:
	with _only_one():
		bench = site.Bench()
		try:
			bench.up(DESK in wanted, POSTGRES in wanted)
			return _wait(command, bench.environment())
		finally:
			bench.down()


def _run_without_servers(command: list[str]) -> int:
	"""Also while another run uses the bench, once its environment is made."""
	bench = site.Bench()
	if not bench.has_environment():
		with _only_one():
			bench.make_environment()
	return _wait(command, bench.environment())


@contextmanager
def _only_one():
	"""One run at a time in one clone (two clones have a bench each)."""
	site.ROOT.mkdir(exist_ok=True)
	with (site.ROOT / "lock").open("w") as lock:
		try:
			fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
		except BlockingIOError:
			raise SetupError("another run uses this clone's pocket bench; wait for its end.") from None
		yield


def _wait(command: list[str], environment: dict) -> int:
	child = subprocess.Popen(
		command, cwd=site.REPOSITORY, env=environment, preexec_fn=servers.end_with_parent
	)
	try:
		return child.wait()
	finally:
		if child.poll() is None:
			child.terminate()
			try:
				child.wait(15)
			except subprocess.TimeoutExpired:
				child.kill()


if __name__ == "__main__":
	sys.exit(main(sys.argv[1:]))
