"""Where the chaos may play: on the pocket bench of this clone, and nowhere else. Imports nothing a bench has.

`python3 -m chaos.place` says so before anything is started.
"""

import os
import sys
from pathlib import Path

from dev.site import ROOT

REFUSAL = (
	"make chaos kills databases and workers, so it only plays on servers it starts itself, with a copy of the pocket "
	"bench's site. Unset FRAPPE_BENCH and FRAPPE_SITE and run it again."
)


class NotOurs(Exception):
	"""The bench named in the environment is somebody's; the text says what to do."""


def require_none_named() -> None:
	"""Before the pocket bench is there: NotOurs if the environment names a bench."""
	if os.environ.get("FRAPPE_BENCH"):
		raise NotOurs(REFUSAL)


def require_pocket_bench() -> tuple[Path, str]:
	"""Folder and site of this clone's pocket bench; NotOurs for any other bench."""
	bench = os.environ.get("FRAPPE_BENCH")
	if not bench or Path(bench).resolve() != ROOT.resolve():
		raise NotOurs(REFUSAL)
	return ROOT, os.environ["FRAPPE_SITE"]


if __name__ == "__main__":
	try:
		require_none_named()
	except NotOurs as refusal:
		sys.exit(str(refusal))
