"""What an Identity Check may point at: never accounts or secrets, and only what its author may read anyway."""

import re
from typing import Any

import frappe
from frappe import _
from frappe.model import core_doctypes_list

from .. import json_texts
from ..sessions.errors import InvalidSessionData, NotPermitted
from . import canonical, credential_reading, outgoing_call, verifiers
from .checks import Check

KEY = re.compile(r"[a-z][a-z0-9_]{0,59}\Z")
# Modules whose DocTypes hold accounts, permissions and secrets: none is a directory of persons to ask.
CORE_MODULES = frozenset(
	{
		"Assistant Session",
		"Automation",
		"Core",
		"Desk",
		"Email",
		"Integrations",
		"Social",
		"Website",
		"Workflow",
	}
)
SECRET_TYPES = frozenset({"Password"})
NO_VALUE = frozenset(
	{"Section Break", "Column Break", "Tab Break", "Table", "Table MultiSelect", "HTML", "Button"}
)


def require_valid(check: Check) -> None:
	"""Raise InvalidSessionData, with a sentence for the administrator, or NotPermitted, unless it may be saved."""
	_require_credentials(check)
	require = {"DocType": _require_doctype, "HTTP": _require_http, "Python": _require_python}.get(
		check.verifier
	)
	if require is None:
		raise InvalidSessionData(_("Verifier: DocType, HTTP or Python is needed."))
	require(check)


def warnings(check: Check) -> list[str]:
	"""What may be saved and will hardly work, in sentences for the administrator."""
	if check.verifier != "DocType":
		return []
	meta = frappe.get_meta(check.verify_doctype)
	text = _(
		"“{0}” is compared with {1}, a Date: choose its normalisation Date, or 17/05/1984 is never found there."
	)
	return [
		text.format(one.label, _(meta.get_label(check.compared[one.key])))
		for one in check.credentials
		if one.normalisation != canonical.DATE and _fieldtype(meta, check.compared[one.key]) == "Date"
	]


def _fieldtype(meta, name: str) -> str | None:
	field = meta.get_field(name)
	return field.fieldtype if field else None


def require_readable(check: Check) -> None:
	"""Who saves or tries a check may read everything it compares and shows."""
	if check.verifier != "DocType":
		return
	meta = frappe.get_meta(check.verify_doctype)
	if not frappe.has_permission(meta.name, "read"):
		raise NotPermitted(_("You may not read {0}.").format(_(meta.name)))
	levels = {0, *meta.get_permlevel_access("read")}
	for name in {*check.compared.values(), *check.profile.values()} - {"name"}:
		field = meta.get_field(name)
		if frappe.session.user != "Administrator" and field.permlevel not in levels:
			raise NotPermitted(_("You may not read the field {0} of {1}.").format(name, _(meta.name)))


def _require_credentials(check: Check) -> None:
	keys = [one.key for one in check.credentials]
	if not keys or len(keys) != len(set(keys)) or not all(KEY.match(key) for key in keys):
		raise InvalidSessionData(_("Credentials: each key once; lower-case letters, digits, underscores."))
	if check.identity_credential not in keys:
		raise InvalidSessionData(_("Identity credential: it must be the key of one of the credentials."))
	for one in check.credentials:
		credential_reading.check_pattern(one)


def _is_core(meta: Any) -> bool:
	return meta.name in core_doctypes_list or (meta.module in CORE_MODULES and not meta.custom)


def _require_doctype(check: Check) -> None:
	meta = frappe.get_meta(check.verify_doctype) if check.verify_doctype else None
	if meta is None or _is_core(meta) or meta.issingle or meta.istable or meta.get("is_virtual"):
		raise InvalidSessionData(_("DocType: one that lists persons is needed; core DocTypes are refused."))
	if set(check.compared) != {one.key for one in check.credentials}:
		raise InvalidSessionData(_("Fields: every credential needs one row of the kind Credential."))
	for name in {*check.compared.values(), *check.profile.values()} - {"name"}:
		field = meta.get_field(name)
		if field is None or field.fieldtype in SECRET_TYPES | NO_VALUE:
			raise InvalidSessionData(
				_("Fields: {0} has no field {1} to compare or show.").format(meta.name, name)
			)
	require_readable(check)


def _require_http(check: Check) -> None:
	outgoing_call.check_url(check.url)
	if not 1 <= check.timeout <= outgoing_call.LONGEST_SECONDS:
		raise InvalidSessionData(_("Timeout: 1 to {0} seconds.").format(outgoing_call.LONGEST_SECONDS))
	try:
		value = json_texts.loads(check.verified_value)
	except ValueError:
		value = None
	if value in (None, False, "") or isinstance(value, list | dict):
		raise InvalidSessionData(
			_("Its value when verified: as JSON, for instance true, 1 or “ok” in quotes.")
		)


def _require_python(check: Check) -> None:
	if check.python_verifier not in verifiers.registered():
		text = _("Verifier: nothing is registered under this name in the hook {0}.")
		raise InvalidSessionData(text.format(verifiers.HOOK))
