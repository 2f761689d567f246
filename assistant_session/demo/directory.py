"""A small directory of pension members, and the Identity Check that asks it. Made once, found again."""

import secrets
from dataclasses import dataclass
from typing import Any

import frappe

from ..sessions import config

DOCTYPE, CHECK = "Demo Pension Member", "Demo pension register"
PROTECTED = ("pension_inquiry", "payment_inquiry")
OPEN = ("opening_hours",)
FIELDS = {
	"member_number": "Data", "national_number": "Data", "full_name": "Data", "fund": "Data", "balance": "Float",
	"next_payment": "Date",
}  # fmt: skip
CREDENTIALS = (
	("member_number", "membership number", r"PEN[-_ ]?\d{10}", "PEN_0005000168"),
	("national_number", "national registration number", r"\d{6}[/ -]?\d{2}[/ -]?\d", "228597/62/1"),
)
PROFILE = {"name": "full_name", "fund": "fund", "balance": "balance", "next_payment": "next_payment"}


def prepare() -> None:
	"""Make what is missing of directory, check and protected intents. The caller commits."""
	_make_directory()
	_make_check()
	settings = frappe.get_single(config.DOCTYPE)
	known = {row.intent for row in settings.protected_intents}
	for intent in PROTECTED:
		if intent not in known:
			settings.append("protected_intents", {"intent": intent, "identity_check": CHECK})
	listed = (settings.open_intents or "").splitlines()
	settings.open_intents = "\n".join([*listed, *(intent for intent in OPEN if intent not in listed)])
	settings.save(ignore_permissions=True)


@dataclass(frozen=True)
class Member:
	number: str
	national_number: str


def new_member(name: str) -> Member:
	"""Somebody with numbers of their own, committed: a demo that runs again meets new people."""
	member = Member(f"PEN_{secrets.randbelow(10**10):010d}", national_number())
	values = {
		"member_number": member.number, "national_number": member.national_number, "full_name": name,
		"fund": "Sunrise", "balance": 84250.5, "next_payment": "2026-12-01",
	}  # fmt: skip
	frappe.get_doc({"doctype": DOCTYPE, **values}).insert(ignore_permissions=True)
	frappe.db.commit()  # nosemgrep: the demo's own set-up
	return member


def find(number: str, national: str) -> Any:
	"""The member with these numbers, written as the examples are; None if there is no such one."""
	filters = {"member_number": number, "national_number": national}
	return frappe.db.get_value(DOCTYPE, filters, ["full_name", "fund"], as_dict=True)


def national_number() -> str:
	digits = f"{secrets.randbelow(10**9):09d}"
	return f"{digits[:6]}/{digits[6:8]}/{digits[8]}"


def _make_directory() -> None:
	if not frappe.db.exists("DocType", DOCTYPE):
		fields = [
			{"fieldname": name, "fieldtype": kind, "label": name.replace("_", " ").title()}
			for name, kind in FIELDS.items()
		]
		values = {"doctype": "DocType", "name": DOCTYPE, "module": "Assistant Session", "custom": 1}
		permissions = [{"role": "System Manager", "read": 1, "write": 1, "create": 1, "delete": 1}]
		frappe.get_doc({**values, "fields": fields, "permissions": permissions}).insert(
			ignore_permissions=True
		)


def _make_check() -> None:
	if frappe.db.exists("Identity Check", CHECK):
		return
	credentials = [
		{"key": key, "label": label, "pattern": pattern, "example": example}
		for key, label, pattern, example in CREDENTIALS
	]
	compared = [{"kind": "Credential", "key": key, "field": key} for key, *_rest in CREDENTIALS]
	profile = [{"kind": "Profile", "key": key, "field": field} for key, field in PROFILE.items()]
	frappe.get_doc(
		{
			"doctype": "Identity Check", "title": CHECK, "enabled": 1, "level": 1, "namespace": "member", "verifier": "DocType",
			"verify_doctype": DOCTYPE, "credentials": credentials, "fields": [*compared, *profile],
		}
	).insert(ignore_permissions=True)  # fmt: skip
