"""What was asked and answered, as JSON lines: written by clients, reader and faults, read by the checker.

Times are of the machine's monotonic clock, in seconds, the same for every process. Entries:

	{"run": {"seed", "longest_answer", "longest_read", "register_ttl", "attempts_allowed", "secrets"}}
	{"fault": kind, "start", "end", "address"}
	{"client", "call", "session", "message_id", "said", "kind", "start", "end", "status", "failure", "retry_after",
	 "address", "worker", "body", "patience"}   one try of one call over HTTP; status is null if no answer came
	{"client", "gave_up": call, "session", "message_id"}    never acknowledged, although the faults had ended
	{"read": outcome, "session", "turns", "authenticated", "start", "end"}  one sessions.get of a Python process
"""

import json
import threading
from pathlib import Path
from typing import Any


class Log:
	"""Appends entries, from any thread and from several processes."""

	def __init__(self, path: Path):
		self._sink = path.open("a", buffering=1, encoding="utf-8")
		self._guard = threading.Lock()

	def write(self, **entry: Any) -> None:
		line = json.dumps(entry, ensure_ascii=False) + "\n"
		with self._guard:
			self._sink.write(line)

	def close(self) -> None:
		self._sink.close()


def entries(*paths: Path) -> list[dict[str, Any]]:
	"""All entries of the logs; the last line of a process that was stopped may be cut off and is left out."""
	found = []
	for path in paths:
		for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
			if line.endswith("\n"):
				found.append(json.loads(line))
	return found
