"""`make chaos`: MINUTES or SECONDS, and SEED, in the environment."""

import os
import secrets
import signal
import subprocess
import sys
import time

from . import bounds, cast, checker, database, faults, log, people, report
from .clients import Site
from .place import NotOurs, require_pocket_bench
from .theatre import Theatre

SECONDS = 180
SECRETS = ["Sunrise", "2026-12-01"]  # what the pension bot tells members alone
READER_END = 30


def main() -> int:
	seconds = float(os.environ.get("SECONDS") or float(os.environ.get("MINUTES") or 0) * 60 or SECONDS)
	seed = int(os.environ.get("SEED") or secrets.randbelow(10**6))
	try:
		bench, site = require_pocket_bench()
	except NotOurs as error:
		print(error, file=sys.stderr)
		return 2
	print(f"chaos: seed {seed}, {seconds:.0f} seconds", flush=True)
	signal.signal(signal.SIGTERM, _interrupt)
	theatre = Theatre(bench, site)
	try:
		return _play(theatre, seed, seconds)
	except KeyboardInterrupt:
		return 130
	finally:
		theatre.close()


def _interrupt(_number, _frame) -> None:
	raise KeyboardInterrupt


def _play(theatre: Theatre, seed: int, seconds: float) -> int:
	say = _Clock().say
	say("a MariaDB and a Redis of its own, with a copy of the site")
	theatre.open()
	members = cast.prepare(theatre)
	_prepare_locks(theatre)
	theatre.start_workers()
	sink = log.Log(theatre.log)
	sink.write(run=_run(seed))
	played, broken = _perform(theatre, sink, seed, seconds, members, say)
	result = _judge(theatre)
	result.violations += broken
	if ill := theatre.doctor():
		result.violations.append(f"the app's own doctor: {ill}")
	missing = played.missing() if seconds >= bounds.FROM_HERE_ALL_KINDS else []
	print(report.text(result, played, missing, seed), flush=True)
	nothing = not (played.played and result.figures["turns acknowledged"])
	failed = bool(result.violations or missing or nothing)
	if failed:
		report.keep(theatre.log, theatre.folder / "reads.jsonl", theatre.bench / "chaos")
	return 1 if failed else 0


def _perform(theatre: Theatre, sink: log.Log, seed: int, seconds: float, members: list, say) -> tuple:
	"""Conversations and faults for some seconds; then the people finish what they had begun to say."""
	reader = _start_reader(theatre, seed)
	until = time.monotonic() + seconds
	addresses = [theatre.together.url] * bounds.WORKERS + [theatre.aside.url]
	site = Site(addresses, theatre.site, sink, until, _teller(reader))
	threads = people.start(site, seed, members)
	played = faults.Faults(theatre, sink, seed, lambda: list(site.living))
	say(f"{bounds.CONVERSATIONS} conversations on {bounds.WORKERS + 1} workers")
	played.play(until, say)
	say("no more faults; everybody finishes what they had begun to say")
	for thread in threads:
		thread.join(max(site.deadline + bounds.PATIENCE - time.monotonic(), 0.1))
	broken = [f"{thread.name} hangs" for thread in threads if thread.is_alive()]
	return played, broken + _end_reader(reader)


def _prepare_locks(theatre: Theatre) -> None:
	connection = theatre.connect()
	faults.locks.prepare(connection)
	connection.close()


def _run(seed: int) -> dict:
	return {
		"seed": seed, "longest_answer": bounds.LONGEST_ANSWER, "longest_read": bounds.LONGEST_READ,
		"register_ttl": bounds.REGISTER_TTL, "attempts_allowed": bounds.ATTEMPTS_ALLOWED, "secrets": SECRETS,
	}  # fmt: skip


def _start_reader(theatre: Theatre, seed: int) -> subprocess.Popen:
	command = [
		sys.executable, "-m", "chaos.reader", theatre.site, str(theatre.folder / "reads.jsonl"), str(seed),
	]  # fmt: skip
	return subprocess.Popen(
		command,
		cwd=theatre.together.sites,
		env={**os.environ, "SITES_PATH": "."},
		stdin=subprocess.PIPE,
		text=True,
	)


def _teller(reader: subprocess.Popen):
	def tell(name: str) -> None:
		try:
			reader.stdin.write(f"{name}\n")
			reader.stdin.flush()
		except BrokenPipeError:  # it died, which is reported at the end
			return

	return tell


def _end_reader(reader: subprocess.Popen) -> list[str]:
	reader.stdin.close()
	try:
		status = reader.wait(READER_END)
	except subprocess.TimeoutExpired:
		reader.kill()
		reader.wait()
		return ["the Python reader hangs"]
	return [] if status == 0 else [f"the Python reader died with status {status}"]


def _judge(theatre: Theatre) -> checker.Result:
	connection = theatre.connect()
	try:
		sessions, turns = database.read_rows(connection)
	finally:
		connection.close()
	return checker.check(log.entries(theatre.log, theatre.folder / "reads.jsonl"), sessions, turns)


class _Clock:
	"""Says what happens, with the seconds since the beginning."""

	def __init__(self) -> None:
		self.began = time.monotonic()

	def say(self, text: str) -> None:
		print(f"  {time.monotonic() - self.began:6.1f} s  {text}", flush=True)


if __name__ == "__main__":
	sys.exit(main())
