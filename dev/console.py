"""What the set-up says while it works, and how it ends when it cannot go on."""

import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path


class SetupError(Exception):
	"""The pocket bench cannot be made here; the text says why and what to do about it."""


def say(text: str) -> None:
	print(f"[pocket bench] {text}", flush=True)


@contextmanager
def step(text: str):
	"""Announce a piece of work, and say how long it took in seconds."""
	say(f"{text} …")
	started = time.monotonic()
	yield
	say(f"  done in {time.monotonic() - started:.0f} s")


def run(command: list, *, log: Path, cwd: Path | None = None, env: dict | None = None) -> None:
	"""Run `command` with its output in `log`; on failure raise SetupError with the output's end."""
	with log.open("ab") as sink:
		sink.write(f"\n$ {' '.join(map(str, command))}\n".encode())
		sink.flush()
		code = subprocess.call(
			[str(part) for part in command],
			cwd=cwd,
			env=env,
			stdin=subprocess.DEVNULL,
			stdout=sink,
			stderr=subprocess.STDOUT,
		)
	if code:
		tail = log.read_text(errors="replace").replace("\r", "\n").splitlines()[-25:]
		raise SetupError(f"{command[0]} ended with status {code}. The end of {log}:\n  " + "\n  ".join(tail))


def fail(error: Exception) -> int:
	print(f"\n[pocket bench] {error}", file=sys.stderr, flush=True)
	return 1
