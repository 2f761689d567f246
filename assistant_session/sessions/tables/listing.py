"""What a list shows of a session, and what it is found by: columns of the table that no `Row` holds.

    title           who it is: the party, the user's name, or the address with its middle hidden
    address_digits  the digits of a phone number, last one first, so that `0470 11 22 33` finds `+32470112233`
    preview         the beginning of the last message, as it is stored
    last_role       who said it

Nothing is decided by them, and no seal covers them.
"""

import re
from collections.abc import Sequence
from typing import Any

import frappe

from .row import Row
from .statements import ask, table

COLUMNS = ("title", "address_digits", "preview", "last_role")
PREVIEW = 140  # characters
LONGEST_TITLE = 140
FEWEST_DIGITS = 6  # of a phone number
SHOWN_AT_THE_ENDS = 3
NO_DIGIT = re.compile(r"\D")
SPACES = re.compile(r"\s+")


def of_row(row: Row) -> dict[str, Any]:
	"""Title and digits of a session that is opened, or whose user or party was changed."""
	return {"title": title(row), "address_digits": reversed_digits(row.external_id) or None}


def of_last(role: str, content: str) -> dict[str, str]:
	"""What is shown of the message stored last."""
	return {"preview": SPACES.sub(" ", content[: 2 * PREVIEW]).strip()[:PREVIEW], "last_role": role}


def no_message() -> dict[str, None]:
	"""Where no message is left."""
	return {"preview": None, "last_role": None}


def title(row: Row) -> str | None:
	"""None for a visitor who is known by nothing but a device."""
	if row.party_type and row.party:
		return _shortened(_title_of_document(row.party_type, row.party))
	if row.user:
		return _shortened(_one("User", row.user, "full_name") or row.user)
	return _shortened(masked(row.external_id)) if row.external_id else None


def masked(address: str) -> str:
	"""An address of which a colleague recognises whose it is, and nobody else learns it: +32…33, ann…@example.com."""
	name, at, host = address.partition("@")
	if at:
		return f"{name[:SHOWN_AT_THE_ENDS]}…@{host}"
	shown = min(SHOWN_AT_THE_ENDS, len(address) // 4)
	return f"{address[:shown]}…{address[-shown:]}" if shown else "…"


def reversed_digits(text: str | None) -> str:
	"""The digits of a phone number from the last one on, without the zeros or the + it begins with; empty for what is none."""
	digits = NO_DIGIT.sub("", text or "").lstrip("0")
	return digits[::-1][:64] if len(digits) >= FEWEST_DIGITS and "@" not in (text or "") else ""


def _shortened(text: str) -> str:
	return text[:LONGEST_TITLE]


def _title_of_document(doctype: str, name: str) -> str:
	kinds = table("DocType")
	query = frappe.qb.from_(kinds).select(kinds.title_field).where(kinds.name == doctype)
	rows = ask(query.where(kinds.issingle == 0).where(kinds.is_virtual == 0))
	field = rows[0][0] if rows else None
	return str((_one(doctype, name, field) if field and field != "name" else None) or name)


def _one(doctype: str, name: str, field: str) -> Any:
	source = table(doctype)
	rows: Sequence[tuple] = ask(frappe.qb.from_(source).select(source[field]).where(source.name == name))
	return rows[0][0] if rows else None
