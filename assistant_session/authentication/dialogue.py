"""The dialogue that finds out who the person is: ask, read, have it judged, and go on with what they wanted.

	gate = authentication.require(turn.session, "pension_inquiry", turn.message)
	if not gate.open:
		turn.reply(gate.prompt)

	outcome = authentication.submit(turn.session, turn.message)
	if outcome.verified:
		answer(outcome.message, outcome.session.user_profile)
	else:
		turn.reply(outcome.text)

`session` is the Session of a turn being processed, whose changes are stored with it, or any session's id or
value, which is then written at once, in the caller's transaction. Nothing a person typed is stored, logged or
shown; a turn whose message holds credentials is stored masked.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import frappe

from .. import sessions
from ..sessions import Session, addresses, bounds, config
from ..sessions.coherence import repeating, writing
from ..sessions.coherence.writing import Write
from ..sessions.errors import SessionConflict
from ..sessions.operations.turn_in_progress import running
from ..sessions.secrets import masking
from ..sessions.session import changing
from ..sessions.tables import seals, session_rows
from ..sessions.tables.audit_chain import Event
from ..sessions.tables.proof import identity_hashes
from ..sessions.tables.row import Row
from ..sessions.verification import (
	CANCELLED,
	HELP,
	LOCKED,
	MISSING,
	NOT_MATCHED,
	NOTHING_ASKED,
	UNAVAILABLE,
	VERIFIED,
	Caller,
	Outcome,
)
from . import credential_reading, known_devices, lockout, phrases, verifiers, vouching
from .canonical import Secret
from .checks import Check, catalogue


@dataclass(frozen=True)
class Gate:
	"""The answer of `require`: `open`, or a `prompt` for the person."""

	session: Session
	prompt: str | None = None

	@property
	def open(self) -> bool:
		return self.prompt is None

	def __bool__(self) -> bool:
		return self.open


def require(session: Session | str, intent: str | None, message: str | None = None) -> Gate:
	"""Whether the person may be served for `intent`: go on, or show the prompt.

	Closed, it remembers intent and message until credentials come (`submit`); not where nobody can be verified, because
	the session is anybody's who names its external id (see `sessions.addresses`). Open, an authenticated person is
	served for `intent` from now on. An intent that is not in Settings' Protected Intents is open to everybody, unless
	Settings refuse those that are not listed (InvalidSessionData). Raises what reading and writing a session raise; no answer means: not authenticated.
	"""
	place = _Place(session)
	intent = bounds.optional_label(intent, "intent")
	found = catalogue()
	found.require_listed(intent)
	check = found.check_for(intent)
	passed = check is None or found.is_passed(check, place.session)
	if passed and (not intent or place.session.locked_intent == intent or not place.session.authenticated):
		return Gate(place.session)
	if not passed and addresses.proves_nothing(place.session.row):
		return Gate(place.session, _refused_here(place.session))

	def decide(session: Session) -> None:
		"""Once more on the row that is written: it may have been revoked meanwhile."""
		nonlocal passed
		passed = check is None or found.is_passed(check, session)
		if not passed:
			_remember(session, intent or "", message)
		elif session.authenticated:
			session.lock_intent(intent)

	place.write(decide)
	return Gate(place.session, None if passed or check is None else _prompt(check, place.session))


def submit(session: Session | str, text: str, *, caller: Caller | None = None) -> Outcome:
	"""Read the credentials out of what the person typed, and have them judged.

	`caller` is what is known of who is asking (over our HTTP endpoints it is there by itself). Only a pending
	intent (`require`) says what to ask for. Raises what reading and writing a session raise.
	"""
	place = _Place(session)
	typed, text = Secret(bounds.message(place.as_typed(text))), ""
	try:
		return _submit(place, typed, caller or (place.turn.verification.caller if place.turn else None))
	except Exception as error:  # without the frames of this package, whose variables a log might show
		raise repeating.translate(error, place.name).with_traceback(None) from None


def logout(session: Session | str, reason: str = "logout") -> Session:
	"""End the authentication, and what was waiting for one."""
	place = _Place(session)

	def end(session: Session) -> None:
		session.deauthenticate(reason)
		_forget_pending(session)

	place.write(end)
	return place.session


def asked_check(session: Session) -> Check | None:
	"""The check whose credentials the person is being asked for, None if nothing is pending."""
	if not session.pending_intent:
		return None
	found = catalogue()
	check = found.check_for(session.pending_intent)
	return None if check is None or found.is_passed(check, session) else check


class _Place:
	"""Where a session is changed: in the turn being processed, or by a write of its own."""

	def __init__(self, session: Session | str):
		self.name = session.id if isinstance(session, Session) else bounds.session_id(session)
		self.turn = running(self.name)
		self.session = self.turn.session if self.turn else sessions.get(self.name)

	def as_typed(self, text: str) -> str:
		"""What the person typed, where a bot hands on the message as it was shown to it."""
		return self.turn.raw_message if self.turn and text == self.turn.message else text

	def write(self, change: Callable[[Session], object]) -> None:
		if self.turn:
			change(self.session)
			return

		def decide(row: Row) -> Write:
			write = changing(change)(row)
			return replace(write, touch=not write.is_empty)

		self.session = Session(writing.change(self.name, decide).row, "database")


def _submit(place: _Place, typed: Secret, caller: Caller | None) -> Outcome:
	check, said = asked_check(place.session), typed.reveal()
	if place.turn and not (phrases.is_cancel(said) or phrases.is_help(said)):
		place.turn.conceal()
	if check is None or (place.turn and place.turn.repeated):
		return Outcome(NOTHING_ASKED, phrases.nothing_asked(), place.session)
	if phrases.is_cancel(said):
		place.write(_forget_pending)
		return Outcome(CANCELLED, phrases.cancelled(), place.session)
	if addresses.proves_nothing(place.session.row):
		place.write(_forget_pending)
		return Outcome(UNAVAILABLE, _refused_here(place.session), place.session)
	if phrases.is_help(said):
		return Outcome(HELP, phrases.explanation(check), place.session)
	return _submit_credentials(place, check, typed, caller)


def _submit_credentials(place: _Place, check: Check, typed: Secret, caller: Caller | None) -> Outcome:
	if not check.enabled or seals.is_altered(place.session.row):
		return Outcome(UNAVAILABLE, phrases.unavailable(), place.session)
	given = credential_reading.read(check.credentials, typed.reveal())
	if absent := [one.key for one in check.credentials if one.key not in given]:
		labels = tuple(check.credential(key).label for key in absent)
		return Outcome(MISSING, phrases.missing(check, absent), place.session, missing=labels)
	return _judge(place, check, given, caller)


def _judge(place: _Place, check: Check, given: verifiers.Credentials, caller: Caller | None) -> Outcome:
	attempt = lockout.Attempt(vouching.buckets(place.session, check, given, caller))
	if until := attempt.reserve():
		place.write(lambda session: session.happened.append(_event("verification_locked", check, LOCKED)))
		return Outcome(LOCKED, phrases.locked(until), place.session, locked_until=until)
	verdict = verifiers.ask(check, given)
	if verdict.outcome == verifiers.UNAVAILABLE:
		attempt.give_back()
		return Outcome(UNAVAILABLE, phrases.unavailable(), place.session)
	if verdict.outcome != verifiers.VERIFIED:
		lockout.failed(check.name)
		return _refuse(place, check, verdict.outcome, attempt.locked_until)
	attempt.succeed()
	return _grant(place, check, given[check.identity_credential], verdict.profile)


def _refuse(place: _Place, check: Check, why: str, locked_until: datetime | None) -> Outcome:
	def note(session: Session) -> None:
		session.happened.append(_event("authentication_failed", check, why))
		if locked_until:
			session.happened.append(_event("verification_locked", check, why))

	place.write(note)
	return Outcome(NOT_MATCHED, phrases.not_matched(locked_until), place.session, locked_until=locked_until)


def _grant(place: _Place, check: Check, identity: Secret, profile: dict) -> Outcome:
	"""The person is known: profile, intent and token change together, and what they had asked is handed back."""
	hashes = identity_hashes(identity.reveal(), check.namespace)
	before = place.session
	intent, message, made = before.pending_intent, before.pending_message, []

	def grant(session: Session) -> None:
		if session.pending_intent != intent:
			raise SessionConflict.on(place.name, "pending_intent")
		if session.identity_hash and session.identity_hash not in hashes:
			_clear_for_other_person(session)
		session.authenticate(
			profile, method=check.name, identity=identity.reveal(), namespace=check.namespace
		)
		session.lock_intent(intent)
		_forget_pending(session)
		made.append(session.rotate_token(place.turn.message_key if place.turn else None))

	returning = before.identity_hash in hashes or session_rows.seen_before(hashes, place.name)
	place.write(grant)
	return Outcome(
		VERIFIED, phrases.verified(), place.session, intent=intent, message=message, returning=returning, token=made[-1],
		known_device=(known_devices.name(check, identity), known_devices.value(check, identity)),
	)  # fmt: skip


def _clear_for_other_person(session: Session) -> None:
	"""Somebody else was known here before: what they had begun is not for this person."""
	session.clear_context()
	session.hide_history()
	session.happened.append(Event("context_cleared", {"reason": "another person"}))


def _refused_here(session: Session) -> str:
	"""What the person is told where nobody can be verified; the log and the doctor tell an administrator."""
	addresses.note_refusal(session.channel)
	frappe.logger("assistant_session").error(f"{session.id}: {addresses.situation(session.channel)}")
	return phrases.not_here()


def _prompt(check: Check, session: Session) -> str:
	if check.enabled and session.authenticated:
		return phrases.step_up(check)
	return phrases.prompt(check)


def _remember(session: Session, intent: str, message: str | None) -> None:
	patterns = config.settings().credential_patterns
	session.pending_intent = intent
	session.pending_message = masking.masked(patterns, message) if message else None


def _forget_pending(session: Session) -> None:
	session.pending_intent = session.pending_message = None


def _event(kind: str, check: Check, why: str) -> Event:
	return Event(kind, {"check": check.name, "outcome": why})
