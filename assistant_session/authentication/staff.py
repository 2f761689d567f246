"""What staff do: end one person's authentication everywhere, let somebody try again, try an Identity Check."""

from datetime import datetime, timedelta

import frappe
from frappe import _

from .. import database, sessions
from ..sessions import bounds, config
from ..sessions.coherence import writing
from ..sessions.coherence.writing import Write
from ..sessions.errors import InvalidSessionData
from ..sessions.tables.audit_chain import Event
from . import canonical, checks, credential_reading, lockout, targets, verifiers, vouching
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
	database.primary().after_commit.add(lambda: lockout.unlock(name))  # never without its event
	return config.now() + timedelta(seconds=lockout.UNLOCK_SECONDS)


def try_check(name: str | None, text: str | None) -> dict:
	"""What an Identity Check says to `text`: the outcome and the names of the profile fields it would store; and, where
	attempts are used up, `locked_until` when.

	Counts against lockout as a stranger's attempt, and is noted on the check. Nothing else is stored.
	"""
	typed, text = Secret(bounds.message(text, "text")), ""
	check = _existing(name)
	targets.require_readable(check)
	given = credential_reading.read(check.credentials, typed.reveal())
	absent = [one.label for one in check.credentials if one.key not in given]
	answer = {"outcome": "missing", "missing": absent} if absent else _tried(check, given)
	_note(check, _("tried it: {0}").format(answer["outcome"]))
	return answer


def release_tries(name: str | None) -> datetime:
	"""Let the caller try checks again although their attempts are used up; returns until when strangers' attempts on the
	same credentials do not stand in the way either.

	Noted on the check, with which it takes effect at the caller's COMMIT. Nobody else is released, and what one
	credential may be asked about with a voucher in a day (`vouching`) bounds this as well.
	"""
	check, user = _existing(name), frappe.session.user
	_note(check, _("released their own tries"))

	def release() -> None:
		lockout.release(_own_bucket(user))
		lockout.unlock(_trying(user))

	database.primary().after_commit.add(release)
	return config.now() + timedelta(seconds=lockout.UNLOCK_SECONDS)


def _existing(name: str | None) -> checks.Check:
	if not isinstance(name, str) or not frappe.db.exists(checks.DOCTYPE, name):
		raise InvalidSessionData(_("check: there is no such Identity Check."))
	return checks.get(name)


def _note(check: checks.Check, text: str) -> None:
	frappe.get_doc(checks.DOCTYPE, check.name).add_comment("Info", text)


def _own_bucket(user: str) -> lockout.Bucket:
	return lockout.Bucket.of(lockout.SESSION, "tried by", user)


def _trying(user: str) -> str:
	"""By what name who tries is unlocked: no session has it, since ids hold no spaces."""
	return f"tried by {user}"


def _buckets(check: checks.Check, given: verifiers.Credentials) -> list[lockout.Bucket]:
	user = frappe.session.user
	released = lockout.is_unlocked(_trying(user))
	return [_own_bucket(user), *(vouching.vouched if released else vouching.strangers)(check, given)]


def _tried(check: checks.Check, given: verifiers.Credentials) -> dict:
	attempt = lockout.Attempt(_buckets(check, given))
	if until := attempt.reserve():
		return {"outcome": "locked", "locked_until": until}
	verdict = verifiers.ask(check, given)
	if verdict.outcome == verifiers.UNAVAILABLE:
		attempt.give_back()
	elif verdict.outcome == verifiers.VERIFIED:
		attempt.succeed()
	elif attempt.locked_until:
		return {"outcome": verdict.outcome, "fields": [], "locked_until": attempt.locked_until}
	return {"outcome": verdict.outcome, "fields": sorted(verdict.profile)}
