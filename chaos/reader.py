"""A Python process that reads sessions through the API for as long as its standard input is open.

	python -m chaos.reader SITE LOG SEED     (in the sites folder; ids of sessions come in, one a line)

While the database is away it gets a session marked stale, or SessionStoreUnavailable; each read goes to the log.
"""

import random
import sys
import threading
import time
from pathlib import Path

from assistant_session import sessions
from dev.harness.connection import connect

from .log import Log

PAUSE = 0.01  # seconds between two reads
KNOWN = 70  # the newest sessions, which are read


def main(site: str, log: Path, seed: str) -> None:
	connect(site)
	sink, generator, ids = Log(log), random.Random(f"{seed}:reader"), []
	listener = threading.Thread(target=_listen, args=(ids,), daemon=True)
	listener.start()
	while listener.is_alive():
		if ids:
			_read(generator.choice(ids[-KNOWN:]), sink)
		time.sleep(PAUSE)


def _listen(ids: list[str]) -> None:
	for line in sys.stdin:
		ids.append(line.strip())


def _read(name: str, sink: Log) -> None:
	start = time.monotonic()
	try:
		session = sessions.get(name)
		seen = {"turns": session.turn_count, "authenticated": session.authenticated}
		outcome = "stale" if session.stale else session.origin
	except sessions.SessionError as error:
		outcome, seen = type(error).__name__, {"turns": None, "authenticated": None}
	sink.write(read=outcome, session=name, start=start, end=time.monotonic(), **seen)


if __name__ == "__main__":
	main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
