"""Sessions from before lists showed who it is and what was said last are shown like others."""

from ..maintenance import listing


def execute() -> None:
	listing.fill()
