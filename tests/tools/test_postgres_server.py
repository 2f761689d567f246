"""The pocket bench's PostgreSQL, which runs where the core of the suite is tried on it."""

import signal
import subprocess
import sys
import time

import pytest

from dev.servers import listens
from tests.conftest import REPOSITORY

DIES = """
import os, signal, sys
from pathlib import Path
from dev import packages, postgres
programs = {program: packages.find(program) for program in packages.POSTGRES_PROGRAMS}
server = postgres.PostgreSQL(programs, Path(sys.argv[1]) / "server")
server.initialise(Path(sys.argv[1]) / "log")
print(server.start(Path(sys.argv[1]) / "log").port, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.postgres
def test_a_postgresql_ends_with_the_process_that_started_it(tmp_path):
	done = subprocess.run(
		[sys.executable, "-c", DIES, tmp_path], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
	)
	assert done.returncode == -signal.SIGKILL
	deadline = time.monotonic() + 20
	while listens(int(done.stdout)) and time.monotonic() < deadline:
		time.sleep(0.05)
	assert not listens(int(done.stdout))
