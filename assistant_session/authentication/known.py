"""A device that was verified before: an HttpOnly cookie, bound to the identity, that nobody can make up.

It proves nothing by itself. Its holder is only counted apart from strangers and from every other device, so that none
of them can use up this person's attempts.
"""

import hmac
import re
import secrets
import time
from collections.abc import Callable

from ..sessions import keys
from .canonical import Secret

SECONDS = 180 * 86400  # how long a device is known after its last verification
FORM = re.compile(
	r"(?P<key>[!-~]{1,40}?)\.(?P<issued>[0-9]{1,11})\.(?P<device>[0-9a-f]{16})\.[0-9a-f]{64}", re.ASCII
)


def name(namespace: str, identity: Secret, *, key_id: str | None = None) -> str:
	"""The cookie's name: one for each identity that used this browser, telling nothing without the site's key."""
	return "assistant_session_known_" + _digest("name", namespace, identity, key_id=key_id)[-16:]


def value(namespace: str, identity: Secret) -> str:
	"""A cookie for a device that is new, or known by another one so far."""
	return _signed(namespace, identity, int(time.time()), secrets.token_hex(8), None)


def device(namespace: str, identity: Secret, cookie: Callable[[str], str | None]) -> str | None:
	"""Which device of this identity the caller's cookie shows, None if none: a name of its own for each of them."""
	for key_id in keys.ids():
		said = cookie(name(namespace, identity, key_id=key_id))
		if said and _fits(namespace, identity, said):
			return said.split(".")[-2]
	return None


def _fits(namespace: str, identity: Secret, said: str) -> bool:
	"""Whether the cookie was given to this identity, and lately."""
	match = FORM.fullmatch(said)
	if match is None or match["key"] not in keys.ids():
		return False
	age = time.time() - int(match["issued"])
	expected = _signed(namespace, identity, int(match["issued"]), match["device"], match["key"])
	return -60 < age < SECONDS and hmac.compare_digest(said, expected)


def _signed(namespace: str, identity: Secret, issued: int, device_id: str, key_id: str | None) -> str:
	digest = _digest("value", namespace, identity, str(issued), device_id, key_id=key_id)
	key_id, _colon, signature = digest.partition(":")
	return f"{key_id}.{issued}.{device_id}.{signature}"


def _digest(use: str, namespace: str, identity: Secret, *more: str, key_id: str | None = None) -> str:
	return keys.digest(keys.DEVICE, use, namespace, identity.reveal(), *more, key_id=key_id)
