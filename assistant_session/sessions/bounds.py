"""Checks and limits of everything that is handed in; a value that passes is safe to store.

Each check returns the value in its canonical form or raises InvalidSessionData with a sentence that names
the argument, never the value.
"""

import json
import re
from typing import Any

from frappe import _

from . import config
from .errors import InvalidSessionData

SESSION_ID = re.compile(r"[A-Za-z0-9_.:\-]{1,120}\Z")
DEVICE_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
CONTROL_IN_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")  # tab, newline, return are text
NO_TAG = re.compile("[<>]")
NO_NAME = re.compile('[<>"]')
LABEL_LENGTH = 140  # Frappe's Data fields
JSON_DEPTH = 20
LONGEST_TTL = 366 * 86400  # seconds


def session_id(value: Any) -> str:
	"""At most 120 characters of `[A-Za-z0-9_.:-]`."""
	if not isinstance(value, str) or not SESSION_ID.match(value):
		raise InvalidSessionData(
			_("session_id: 1 to 120 characters of letters, digits and _ . : - are needed.")
		)
	return value


def device_id(value: Any) -> str:
	"""A UUID, in lower case."""
	if not isinstance(value, str) or not DEVICE_ID.match(value):
		raise InvalidSessionData(_("device_id: a UUID is needed, 8-4-4-4-12 hexadecimal digits."))
	return value.lower()


def label(value: Any, name: str, *, length: int = LABEL_LENGTH) -> str:
	"""A short name on one line, which may be shown: state, intent, agent, flow, channel, a reason. Without angle brackets:
	Desk has places (a sidebar, a tooltip) that take any text for HTML."""
	value = key(value, name, length=length)
	if NO_TAG.search(value):
		raise InvalidSessionData(_("{0}: the signs < > are not allowed.").format(name))
	return value


def key(value: Any, name: str, *, length: int = LABEL_LENGTH) -> str:
	"""A short text on one line that is only compared or hashed: a message id, an identity."""
	if not isinstance(value, str) or not value.strip():
		raise InvalidSessionData(_("{0}: a text is needed, and it must not be empty.").format(name))
	if len(value) > length:
		raise InvalidSessionData(_("{0}: at most {1} characters are allowed.").format(name, length))
	if CONTROL.search(value):
		raise InvalidSessionData(_("{0}: control characters are not allowed.").format(name))
	return _encodable(value.strip(), name)


def optional_label(value: Any, name: str, *, length: int = LABEL_LENGTH) -> str | None:
	return None if value is None else label(value, name, length=length)


def link(value: Any, name: str) -> str:
	"""The name of a document. Frappe gives none with angle brackets; and Desk writes one into an attribute of HTML."""
	if NO_NAME.search(value := label(value, name)):
		raise InvalidSessionData(_('{0}: the signs < > " are not allowed.').format(name))
	return value


def message(value: Any, name: str = "message") -> str:
	"""What somebody said: not empty, within the limit in Settings, no control characters but line ends and tabs."""
	if not isinstance(value, str) or not value.strip():
		raise InvalidSessionData(_("{0}: a text is needed, and it must not be empty.").format(name))
	limit = config.settings().message_limit
	if len(value) > limit:
		raise InvalidSessionData(_("{0}: at most {1} characters are allowed.").format(name, limit))
	if CONTROL_IN_TEXT.search(value):
		raise InvalidSessionData(_("{0}: control characters are not allowed.").format(name))
	return _encodable(value, name)


def number(value: Any, name: str, lowest: int, highest: int) -> int:
	"""A whole number between two bounds, both included; True and False are not numbers here."""
	if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
		text = _("{0}: a whole number from {1} to {2} is needed.")
		raise InvalidSessionData(text.format(name, lowest, highest))
	return value


def ttl(value: Any, name: str = "ttl") -> int:
	"""Seconds, from 1 to 366 days."""
	return number(value, name, 1, LONGEST_TTL)


def json_object(value: Any, name: str) -> str:
	"""A mapping with text keys, as compact JSON text: at most 20 levels deep and as long as Settings allow."""
	if not isinstance(value, dict):
		raise InvalidSessionData(_("{0}: a JSON object is needed.").format(name))
	_check_depth(value, name)
	try:
		text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
	except (TypeError, ValueError):
		raise InvalidSessionData(_("{0}: only what JSON can hold is allowed.").format(name)) from None
	limit = config.settings().json_limit
	if len(_encodable(text, name).encode()) > limit:
		raise InvalidSessionData(_("{0}: at most {1} bytes of JSON are allowed.").format(name, limit))
	return text


def _check_depth(value: Any, name: str) -> None:
	level = [value]
	for _depth in range(JSON_DEPTH):
		level = [child for parent in level for child in _children(parent, name)]
		if not level:
			return
	raise InvalidSessionData(_("{0}: at most {1} levels of nesting are allowed.").format(name, JSON_DEPTH))


def _children(value: Any, name: str) -> list:
	if isinstance(value, dict):
		if not all(isinstance(key, str) for key in value):
			raise InvalidSessionData(_("{0}: the keys of a JSON object are texts.").format(name))
		return list(value.values())
	return list(value) if isinstance(value, list | tuple) else []


def _encodable(value: str, name: str) -> str:
	try:
		value.encode()
	except UnicodeEncodeError:
		raise InvalidSessionData(_("{0}: that is not valid Unicode text.").format(name)) from None
	return value
