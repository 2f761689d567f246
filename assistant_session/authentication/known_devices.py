"""A device that was verified before: an HttpOnly cookie, bound to the check and the identity, that nobody can make up.

It proves nothing by itself. Its holder is only counted apart from strangers, so that they cannot use up this person's
attempts. All devices of one identity count together, and none is known to a check it was not verified by: otherwise who
passes an easy check would buy guesses at a harder one.
"""

import hmac
import re
import time
from collections.abc import Callable

from ..sessions.secrets import keys
from .canonical import Secret
from .checks import Check

SECONDS = 180 * 86400  # how long a device is known after its last verification
FORM = re.compile(r"(?P<key>[!-~]{1,40}?)\.(?P<issued>[0-9]{1,11})\.[0-9a-f]{64}", re.ASCII)


def name(check: Check, identity: Secret, *, key_id: str | None = None) -> str:
	"""The cookie's name: one for each identity that used this browser, telling nothing without the site's key."""
	return "assistant_session_known_" + _digest("name", check, identity, key_id=key_id)[-16:]


def value(check: Check, identity: Secret) -> str:
	"""The cookie for a device on which this identity was just verified."""
	return _signed(check, identity, int(time.time()), None)


def is_known(check: Check, identity: Secret, cookie: Callable[[str], str | None]) -> bool:
	"""Whether the caller's cookies show a device on which this identity passed this check."""
	shown = (cookie(name(check, identity, key_id=key_id)) for key_id in keys.ids())
	return any(said and _fits(check, identity, said) for said in shown)


def _fits(check: Check, identity: Secret, said: str) -> bool:
	"""Whether the cookie was given to this identity, and lately."""
	match = FORM.fullmatch(said)
	if match is None or match["key"] not in keys.ids():
		return False
	age = time.time() - int(match["issued"])
	expected = _signed(check, identity, int(match["issued"]), match["key"])
	return -60 < age < SECONDS and hmac.compare_digest(said, expected)


def _signed(check: Check, identity: Secret, issued: int, key_id: str | None) -> str:
	key_id, _colon, signature = _digest("value", check, identity, str(issued), key_id=key_id).partition(":")
	return f"{key_id}.{issued}.{signature}"


def _digest(use: str, check: Check, identity: Secret, *more: str, key_id: str | None = None) -> str:
	return keys.digest(keys.DEVICE, use, check.namespace, check.name, identity.reveal(), *more, key_id=key_id)
