"""`python -m tests.metrics.counting_process SITE LABEL`, in the folder of sites: counts one turn, and ends in good order."""

import sys

from dev.harness.connection import connect
from tests.metrics import in_workers

if __name__ == "__main__":
	connect(sys.argv[1])
	in_workers.count(sys.argv[2])
