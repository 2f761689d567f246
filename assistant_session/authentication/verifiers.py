"""Asking somebody who knows: a DocType of the site, an HTTP endpoint, or a function of an installed app.

A verifier judges all credentials together and says one of four things. "Not matched" never says which
half was wrong; "ambiguous" is for us to find in the log, the person is told the same as for "not matched";
"unavailable" is never counted as an attempt.

A function(credentials: dict of texts by key, written as the check's examples are) returns the person as a dict, None for
not matched; what it raises means unavailable. It is registered under a name, in the hooks of its app or in site_config.json:

    assistant_session_verifiers = {"members": "fund.members.verify"}
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import frappe

from .. import database, json_texts
from ..sessions.errors import InvalidSessionData
from . import canonical, outgoing_call
from .canonical import Secret
from .checks import Check

VERIFIED, NOT_MATCHED, AMBIGUOUS, UNAVAILABLE = "verified", "not_matched", "ambiguous", "unavailable"
HOOK = "assistant_session_verifiers"
CANDIDATES = 2  # two rows are enough to know that it is not one

Credentials = Mapping[str, Secret]


@dataclass(frozen=True)
class Verdict:
	"""What the verifier said; the profile holds the fields the check names and no others."""

	outcome: str
	profile: dict[str, Any] = field(default_factory=dict, repr=False)


def ask(check: Check, given: Credentials) -> Verdict:
	"""Judge `given`, the canonical credentials of `check`. Raises nothing: trouble is "unavailable", and logged."""
	try:
		with database.refusable():
			return VERIFIERS[check.verifier](check, given)
	except Exception as error:
		frappe.logger("assistant_session").error(f"verifier of {check.name}: {type(error).__name__}")
		return Verdict(UNAVAILABLE)


def registered() -> dict[str, str]:
	"""Names of Python verifiers and the functions behind them; site_config.json wins over hooks."""
	hooks = {name: paths[-1] for name, paths in (frappe.get_hooks(HOOK) or {}).items()}
	return {**hooks, **(frappe.local.conf.get(HOOK) or {})}


def _ask_doctype(check: Check, given: Credentials) -> Verdict:
	"""One query, whichever half is wrong. What it finds is compared once more here: collations fold and widen."""
	directory = frappe.qb.DocType(check.verify_doctype)
	fields = sorted({*check.compared.values(), *check.profile.values()})
	query = frappe.qb.from_(directory).select(*(directory[field] for field in fields)).limit(CANDIDATES)
	for key, column in check.compared.items():
		query = query.where(directory[column] == _as_stored(check, key, given[key], column))
	rows = query.run(as_dict=True)
	if len(rows) == CANDIDATES:
		return Verdict(AMBIGUOUS)
	if not rows or not all(
		_same(check, key, given, rows[0][column]) for key, column in check.compared.items()
	):
		return Verdict(NOT_MATCHED)
	return Verdict(VERIFIED, _profile(check, rows[0]))


def _as_stored(check: Check, key: str, secret: Secret, column: str) -> str:
	"""The credential as the directory writes it, which is how the example is written. A Date field has dates as they are
	in canonical form."""
	if check.credential(key).normalisation == canonical.DATE and _is_date(check.verify_doctype or "", column):
		return secret.reveal()
	return _as_written(check, key, secret)


def _is_date(doctype: str, column: str) -> bool:
	field = frappe.get_meta(doctype).get_field(column)
	return bool(field and field.fieldtype == "Date")


def _as_written(check: Check, key: str, secret: Secret) -> str:
	one = check.credential(key)
	return canonical.written(secret, one.normalisation, one.example)


def _same(check: Check, key: str, given: Credentials, stored: Any) -> bool:
	try:
		return canonical.canonical(str(stored), check.credential(key).normalisation) == given[key]
	except InvalidSessionData:
		return False


def _profile(check: Check, answer: Mapping[str, Any]) -> dict[str, Any]:
	values = {key: answer.get(name) for key, name in check.profile.items()}
	scalar = (str, int, float, bool, type(None))
	return {key: value if isinstance(value, scalar) else str(value) for key, value in values.items()}


def _ask_http(check: Check, given: Credentials) -> Verdict:
	"""Verified is only the configured value, literally, in an answer that says whom it speaks of."""
	answer = outgoing_call.post(check, {key: secret.reveal() for key, secret in given.items()})
	if answer is None:
		return Verdict(UNAVAILABLE)
	said, expected = answer.get(check.verified_field), json_texts.loads(check.verified_value)
	if type(said) is not type(expected) or said != expected:
		return Verdict(NOT_MATCHED)
	key = check.identity_credential
	if not isinstance(answer.get(key), str) or not _same(check, key, given, answer[key]):
		frappe.logger("assistant_session").error(f"verifier of {check.name}: answered for another subject")
		return Verdict(UNAVAILABLE)
	return Verdict(VERIFIED, _profile(check, answer))


def _ask_python(check: Check, given: Credentials) -> Verdict:
	verify = frappe.get_attr(registered()[check.python_verifier or ""])
	answer = verify({key: _as_written(check, key, secret) for key, secret in given.items()})
	return Verdict(NOT_MATCHED) if answer is None else Verdict(VERIFIED, _profile(check, answer))


VERIFIERS = {"DocType": _ask_doctype, "HTTP": _ask_http, "Python": _ask_python}
