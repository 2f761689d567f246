"""What the tests of this room have done in processes of their own."""

import time

import frappe

from assistant_session import authentication
from assistant_session.authentication import lockout


def submit(name: str, text: str, intent: str | None = None) -> str:
	"""Somebody types credentials, asked for if `intent` says for what; what became of it. Committed."""
	if intent:
		authentication.require(name, intent)
	outcome = authentication.submit(name, text).kind
	frappe.db.commit()
	return outcome


def guess(round: int, name: str, texts: list[str]) -> str:
	return submit(name, texts[round], "http_inquiry")


def count_slowly(name: str) -> None:
	"""From here on storing an attempt takes its time."""
	store = lockout._store

	def late(*given):
		time.sleep(0.3)
		return store(*given)

	lockout._store = late
	lockout._ensure([lockout.Bucket.of("stranger", name)])


def reserve(round: int, name: str) -> bool:
	"""Whether one more attempt is allowed."""
	return lockout.Attempt([lockout.Bucket.of("stranger", name)]).reserve() is None


def attempts(bucket: str) -> int:
	"""As they are committed."""
	frappe.db.rollback()
	return frappe.db.get_value("Verification Attempt", bucket, "attempts")


def protect_another_intent(before: str, after: str) -> None:
	frappe.db.sql("update `tabProtected Intent` set intent = %s where intent = %s", (after, before))
	frappe.db.commit()
