"""`python -m tests.tools.dying_parent FOLDER`: start a PostgreSQL there, say its port, and be killed."""

import os
import signal
import sys
from pathlib import Path

from dev import packages, postgres


def main(folder: Path) -> None:
	programs = {program: packages.find(program) or "" for program in packages.POSTGRES_PROGRAMS}
	server = postgres.PostgreSQL(programs, folder / "server")
	server.initialise(folder / "log")
	print(server.start(folder / "log").port, flush=True)
	os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
	main(Path(sys.argv[1]))
