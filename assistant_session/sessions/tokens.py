"""Session tokens: 256 random bits, of which only the SHA-256 is stored, replaced when the person is verified.

For a minute the replaced token is good for one thing: asking once more for the answer that replaced it (the
same `message_id`, the same text), because that answer may have been lost on its way. It then gets a new token. That
ends when the new one is used, or when somebody tries other texts with the old one: each would be a guess. Nothing here
writes (see `operations/token_renewal`).
"""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Any

from . import config
from .tables.row import Row

BYTES = 32
REPEAT_SECONDS = 60
REPLACED = ("old_token_hash", "old_token_until", "old_token_key")
NOBODY = hashlib.sha256(secrets.token_bytes(BYTES)).hexdigest()  # of a token that nobody has seen


def new() -> tuple[str, str]:
	"""A token and what is stored of it."""
	token = secrets.token_urlsafe(BYTES)
	return token, hash_of(token)


def hash_of(token: str) -> str:
	return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def fits(row: Row | None, token: str) -> bool:
	"""Whether `token` opens this session; takes as long where there is none."""
	expected = (row.token_hash if row else None) or NOBODY
	return hmac.compare_digest(hash_of(token), expected)


def fits_to_repeat(row: Row | None, token: str, message_key: str | None) -> bool:
	"""Whether `token` was replaced by the answer to this very message, a moment ago."""
	expected = (row.old_token_hash if row else None) or NOBODY
	same = hmac.compare_digest(hash_of(token), expected)
	if row is None or row.old_token_until is None:
		return False
	return same and message_key == row.old_token_key and config.now() < row.old_token_until


def rotated(row: Row, message_key: str | None, now: datetime) -> tuple[str, dict[str, Any]]:
	"""A new token, and the columns that make it the only one."""
	token, hashed = new()
	changes = {"token_hash": hashed, **dict.fromkeys(REPLACED)}
	if message_key:
		until = now + timedelta(seconds=REPEAT_SECONDS)
		changes.update(old_token_hash=row.token_hash, old_token_until=until, old_token_key=message_key)
	return token, changes
