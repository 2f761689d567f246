"""Rows and turns from before there were seals get theirs, authenticated sessions included: what they say now is believed
once. Run it with the workers stopped, as `bench update` does: an older worker writes without a seal."""

from ..maintenance import sealing


def execute() -> None:
	sealing.seal_what_is_there()
