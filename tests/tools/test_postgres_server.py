"""The pocket bench's PostgreSQL, which runs where the core of the suite is tried on it."""

import signal
import subprocess
import sys
import time

import pytest

from dev.servers import listens
from tests.conftest import REPOSITORY


@pytest.mark.postgres
def test_a_postgresql_ends_with_the_process_that_started_it(tmp_path):
	done = subprocess.run(
		[sys.executable, "-m", "tests.tools.dying_parent", tmp_path],
		cwd=REPOSITORY,
		stdout=subprocess.PIPE,
		text=True,
	)
	assert done.returncode == -signal.SIGKILL
	deadline = time.monotonic() + 20
	while listens(int(done.stdout)) and time.monotonic() < deadline:
		time.sleep(0.05)
	assert not listens(int(done.stdout))
