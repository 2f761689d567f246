"""Sessions from before lists showed who it is and what was said last are shown like others."""

from ..maintenance import listing_backfill


def execute() -> None:
	listing_backfill.fill()
