"""What staff do: end one person's authentication everywhere, let somebody try again, try an Identity Check."""

from datetime import datetime, timedelta

import frappe
from frappe import _

from .. import compat, sessions
from ..sessions import bounds, config, writing
from ..sessions.errors import InvalidSessionData
from ..sessions.events import Event
from ..sessions.writing import Write
from . import canonical, checks, lockout, reading, targets, verifiers, vouching
from .canonical import Secret


def revoke(check: str, identity: str, *, reason: str = "revoked") -> int:
	"""End the authentication of one person in all their sessions; returns in how many.

	`check` names an Identity Check, `identity` is its identity credential in any form the person could type.
	Effective on every worker at its next read. Raises InvalidSessionData, frappe.DoesNotExistError.
	"""
	found = checks.get(check)
	normalisation = found.credential(found.identity_credential).normalisation
	secret = canonical.canonical(identity, normalisation)
	return sessions.revoke(secret.reveal(), namespace=found.namespace, reason=reason)


def unlock(session_id: str) -> datetime:
	"""Let the person in this session try although strangers have used up the attempts on their credentials.

	Takes effect with the caller's COMMIT, together with an event in the audit trail; returns until when. The
	attempts of the session and its network count as ever.
	"""
	name = bounds.session_id(session_id)
	writing.change(name, lambda _row: Write(events=[Event("verification_unlocked", {})]))
	compat.database().after_commit.add(lambda: lockout.unlock(name))  # never without its event
	return config.now() + timedelta(seconds=lockout.UNLOCK_SECONDS)


def try_check(name: str, text: str) -> dict:
	"""What an Identity Check says to `text`: the outcome and the names of the profile fields it would store.

	Counts against lockout as a stranger's attempt, and is noted on the check. Nothing else is stored.
	"""
	typed, text = Secret(bounds.message(text, "text")), ""
	if not isinstance(name, str) or not frappe.db.exists(checks.DOCTYPE, name):
		raise InvalidSessionData(_("check: there is no such Identity Check."))
	check = checks.get(name)
	targets.require_readable(check)
	given = reading.read(check.credentials, typed.reveal())
	absent = [one.label for one in check.credentials if one.key not in given]
	answer = {"outcome": "missing", "missing": absent} if absent else _tried(check, given)
	frappe.get_doc(checks.DOCTYPE, name).add_comment("Info", _("tried it: {0}").format(answer["outcome"]))
	return answer


def _tried(check: checks.Check, given: verifiers.Credentials) -> dict:
	asker = lockout.Bucket.of(lockout.SESSION, "tried by", frappe.session.user)
	attempt = lockout.Attempt([asker, *vouching.strangers(check, given)])
	if attempt.reserve():
		return {"outcome": "locked"}
	verdict = verifiers.ask(check, given)
	if verdict.outcome == verifiers.UNAVAILABLE:
		attempt.give_back()
	elif verdict.outcome == verifiers.VERIFIED:
		attempt.succeed()
	return {"outcome": verdict.outcome, "fields": sorted(verdict.profile)}
