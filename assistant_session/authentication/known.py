"""A device that was verified before: an HttpOnly cookie, bound to the identity, that nobody can make up.

It proves nothing by itself. Its holder is only counted apart from strangers, so that these can use up their
attempts on somebody's credentials without locking that person out.
"""

import hmac
import time

from ..sessions import keys
from .canonical import Secret

SECONDS = 180 * 86400  # how long a device is known after its last verification


def name(namespace: str, identity: Secret) -> str:
	"""The cookie's name: one for each identity that used this browser, telling nothing without the site's key."""
	return f"assistant_session_known_{_digest('name', namespace, identity)[-16:]}"


def value(namespace: str, identity: Secret) -> str:
	return _signed(namespace, identity, int(time.time()), None)


def fits(namespace: str, identity: Secret, said: str | None) -> bool:
	"""Whether a cookie was given to this identity, and lately."""
	key_id, _dot, rest = (said or "").partition(".")
	issued = rest.partition(".")[0]
	if key_id not in keys.ids() or not (issued.isascii() and issued.isdigit() and len(issued) < 12):
		return False
	age = time.time() - int(issued)
	expected = _signed(namespace, identity, int(issued), key_id)
	return -60 < age < SECONDS and hmac.compare_digest(said.encode(errors="replace"), expected.encode())


def _signed(namespace: str, identity: Secret, issued: int, key_id: str | None) -> str:
	key_id, _colon, signature = _digest("value", namespace, identity, str(issued), key_id=key_id).partition(
		":"
	)
	return f"{key_id}.{issued}.{signature}"


def _digest(use: str, namespace: str, identity: Secret, *more: str, key_id: str | None = None) -> str:
	return keys.digest(keys.DEVICE, use, namespace, identity.reveal(), *more, key_id=key_id)
