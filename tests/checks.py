"""Identity Checks and protected intents of the tests' own, made once; and people to verify."""

import frappe

from assistant_session.authentication import checks as catalogue
from assistant_session.demo import directory
from dev.harness import cast

HTTP_CHECK, STRONG_CHECK, OTHER_CHECK = "Test HTTP register", "Test strong register", "Test other register"
PYTHON_CHECK = "Test Python register"
VOUCHED = "WhatsApp"  # a channel whose provider verifies its senders
INTENTS = {
	"pension_inquiry": directory.CHECK, "payment_inquiry": directory.CHECK, "http_inquiry": HTTP_CHECK,
	"change_account": STRONG_CHECK, "other_inquiry": OTHER_CHECK, "python_inquiry": PYTHON_CHECK,
}  # fmt: skip
CREDENTIALS = [
	{"key": key, "label": label, "pattern": pattern, "example": example}
	for key, label, pattern, example in directory.CREDENTIALS
]
COMPARED = [{"kind": "Credential", "key": row["key"], "field": row["key"]} for row in CREDENTIALS]
PROFILE = [
	{"kind": "Profile", "key": "name", "field": "full_name"},
	{"kind": "Profile", "key": "fund", "field": "fund"},
]
MEMBER_NUMBER, NATIONAL_NUMBER = (row["label"] for row in CREDENTIALS)
QUESTION = "Hi can i get an update on my pension fund?"


def values(title: str, **more) -> dict:
	"""A check that asks the demo's pension register, as a document's values."""
	return {
		"doctype": "Identity Check", "title": title, "enabled": 1, "level": 1, "verifier": "DocType",
		"verify_doctype": directory.DOCTYPE, "credentials": CREDENTIALS, "fields": [*COMPARED, *PROFILE], **more,
	}  # fmt: skip


def prepare(url: str) -> None:
	"""Make or renew them; `url` is the HTTP verifier's. Committed."""
	_save(values(HTTP_CHECK, verifier="HTTP", url=url, timeout=3, secret="s3cret-of-the-verifier"))
	_save(values(OTHER_CHECK, namespace="others"))
	_save(values(PYTHON_CHECK, verifier="Python", python_verifier="test"))
	_save(values(STRONG_CHECK, level=2, namespace="member"))
	settings = frappe.get_single("Assistant Session Settings")
	kept = [row for row in settings.protected_intents if row.intent not in INTENTS]
	wanted = [{"intent": intent, "identity_check": check} for intent, check in INTENTS.items()]
	settings.set(
		"protected_intents",
		[*({"intent": r.intent, "identity_check": r.identity_check} for r in kept), *wanted],
	)
	settings.update(dict.fromkeys(cast.PER_NETWORK, 10**6))
	if VOUCHED not in [row.channel for row in settings.channels]:
		settings.append("channels", {"channel": VOUCHED, "verified_by_provider": 1})
	settings.strict_intents = (
		0  # tests have intents of their own; how strict Settings are is tested by itself
	)
	settings.save()
	frappe.db.commit()
	catalogue.forget()


def _save(wanted: dict) -> None:
	if frappe.db.exists("Identity Check", wanted["title"]):
		document = frappe.get_doc("Identity Check", wanted["title"])
		document.update(wanted)
		document.save()
	else:
		frappe.get_doc(wanted).insert()


def events(session: str) -> list[str]:
	frappe.db.rollback()
	return frappe.get_all("Session Event", {"session": session}, pluck="event", order_by="sequence")
