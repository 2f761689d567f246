"""The key under which a person's one active session is found: an address on a channel, or a device.

It stands in the unique column `active_key` of Active sessions, hashed.
"""

from hashlib import sha256

from ..secrets import keys


def of_address(channel: str, external_id: str) -> str:
	return _key("external", channel, external_id)


def of_device(device_id: str) -> str:
	return _key("device", device_id)


def of_claimed_device(device_id: str) -> str:
	"""Of a device that somebody says is theirs over HTTP: of a kind of its own, by which routers set no lock."""
	return _key("claimed device", device_id)


def _key(*parts: str) -> str:
	return sha256(keys.framed(*parts)).hexdigest()
