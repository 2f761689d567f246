"""The HTTP surface, `/api/method/assistant_session.api.…`: validate, authorise, delegate.

POST with a JSON body. A guest proves to be the person with the token that `open_session` gives in the response
header X-Assistant-Session-Token (and in an HttpOnly cookie); a logged-in user owns their sessions. Success is
{"message": {…}}, an error {"error": {"type", "message"}} with the statuses of `sessions.errors`. The frame in
`web/endpoint.py` checks types, commits, and writes errors; annotations here are what it checks.
"""

from typing import Any

from frappe import _

from . import authentication, sessions
from .authentication import staff
from .metrics import after_requests, exposition
from .sessions import bounds, config
from .sessions.coherence.writing import require_live
from .sessions.errors import NotPermitted, VerificationLocked
from .sessions.health import overview
from .sessions.operations.finding import take_up
from .web import access, conversation, cookies, privacy, responder, session_opening, views
from .web import desk_conversations as conversations
from .web.endpoint import Answer, endpoint, moment


@endpoint()
def open_session(
	session_id: str | None = None,
	channel: str | None = None,
	external_id: str | None = None,
	user: str | None = None,
	party_type: str | None = None,
	party: str | None = None,
	state: str | None = None,
	ttl: int | None = None,
):
	"""Restore the caller's session or open a new one; a new one comes with its token in the response header.

	The device is named in the header X-Device-ID (a UUID). Everything but `session_id` and `channel` is for the
	service role, which is told neither id nor token.
	"""
	device = access.device_id()
	if access.is_service():
		return session_opening.for_service(channel, external_id, device, user, party_type, party, state, ttl)
	if any(value is not None for value in (external_id, user, party_type, party, state, ttl)):
		raise NotPermitted(_("Only session_id and channel may be given here."))
	return session_opening.for_page(session_id, channel, device)


@endpoint(methods=("GET", "POST"))
def resume_session(session_id: str | None = None):
	"""What a page needs to redraw a conversation; reading changes nothing."""
	row = session_opening.read(session_id)
	return Answer(views.reconnect(take_up(row.name)))


@endpoint()
def send_message(
	session_id: str | None = None,
	message: str | None = None,
	message_id: str | None = None,
	metadata: dict | None = None,
):
	"""Store the person's message, let the site's chatbot answer, store and return the replies.

	`message_id` makes a retry safe: stored once, the same replies again. One id for another text is refused.
	"""
	return conversation.converse(session_id, message, message_id, metadata, responder.converse)[0]


@endpoint()
def submit_credentials(
	session_id: str | None = None,
	text: str | None = None,
	message_id: str | None = None,
):
	"""Prove who one is: `text` holds the credentials asked for, in any order; what waited for it is answered at once.

	The same can be said with send_message. A success replaces the session's token (response header and cookie); if that
	answer is lost, the same `message_id` and text get it again within a minute. Locked is 429 with Retry-After.
	"""
	answer, outcome = conversation.converse(session_id, text, message_id, None, responder.verify)
	if outcome and outcome.locked_until and outcome.kind == "locked":
		answer.refused = VerificationLocked.until(outcome.text, outcome.locked_until - config.now())
	return answer


@endpoint()
def logout(session_id: str | None = None):
	"""End the authentication, on every worker at once; the conversation goes on."""
	row = access.admitted(session_id)
	require_live(row)
	return Answer(views.session(authentication.logout(row.name)))


@endpoint(methods=("GET", "POST"))
def get_history(
	session_id: str | None = None,
	before: int | None = None,
	after: int | None = None,
	limit: int = 50,
):
	"""A page of the conversation, oldest first: the last `limit` turns, or those before or after a sequence."""
	row = session_opening.read(session_id)
	require_live(row)
	return Answer(views.history(row, before=before, after=after, limit=limit))


@endpoint()
def close_session(session_id: str | None = None, reason: str = "closed by the person"):
	"""End the session; its id cannot be used any more."""
	row = access.admitted(session_id)
	require_live(row)
	sessions.close(row.name, reason)
	return Answer({"session_id": row.name, "status": "Closed"}, cookies=cookies.taken_back(row.name))


@endpoint()
def recover_session_from_database(session_id: str | None = None):
	"""Forget what this worker and the register say of a session, and read its row (administrators)."""
	access.require_administrator()
	return Answer(sessions.recover(bounds.session_id(session_id)).as_dict())


@endpoint()
def ensure_session_consistency(session_id: str | None = None):
	"""Compare memory, register, row, turns and events of a session; mend what has one right answer (administrators)."""
	access.require_administrator()
	return Answer(sessions.ensure_consistency(bounds.session_id(session_id)).as_dict())


@endpoint(methods=("GET", "POST"))
def session_report(session_id: str | None = None):
	"""Where a session stands, what a reconnect would do, and what is wrong with it; changes nothing (staff)."""
	access.require_staff()
	return Answer(
		views.report(
			overview.inspect(bounds.session_id(session_id)), sessions.report(bounds.session_id(session_id))
		)
	)


@endpoint(methods=("GET", "POST"))
def metrics():
	"""The site's figures in the text format of Prometheus (the monitoring role, and administrators)."""
	access.require_monitoring()
	after_requests.flush()
	return Answer(text=exposition.text(), content_type=exposition.CONTENT_TYPE)


@endpoint()
def set_legal_hold(session_id: str | None = None, reason: str | None = None):
	"""Keep a session from being erased, purged or deleted; `reason` stays with it and in its trail (administrators)."""
	access.require_administrator()
	return Answer(views.legal_hold(sessions.set_legal_hold(session_id, reason)))


@endpoint()
def lift_legal_hold(session_id: str | None = None, reason: str | None = None):
	"""Lift the hold (administrators)."""
	access.require_administrator()
	return Answer(views.legal_hold(sessions.lift_legal_hold(session_id, reason)))


@endpoint()
def export_person(person: dict | None = None):
	"""Everything held about one person, noted in each session's trail (administrators).

	`person` has exactly one of user, device, session, or a pair: party (DocType, name), address (channel, external
	id), identity (Identity Check, credential).
	"""
	access.require_administrator()
	return Answer(privacy.exported(privacy.named(person)))


@endpoint()
def count_person(person: dict | None = None):
	"""How much is held about one person, named as in `export_person`: what erasing would take (administrators)."""
	access.require_administrator()
	return Answer(privacy.counted(privacy.named(person)))


@endpoint()
def erase_person(person: dict | None = None):
	"""Erase one person, named as in `export_person`, and answer with a signed receipt. What is under legal hold
	stays, and the receipt says so (administrators)."""
	access.require_administrator()
	return Answer(privacy.erased(privacy.named(person)))


@endpoint(methods=("GET", "POST"))
def read_conversation(session_id: str | None = None, before: int | None = None, after: int | None = None):
	"""A page of a conversation as staff see it: messages before sequence `before`, those after `after`, or the last ones,
	with notes, states and intents, whether the person is verified, and for overseers what happened between (staff)."""
	access.require_staff()
	return Answer(conversations.conversation(session_id, before, after))


@endpoint(methods=("GET", "POST"))
def find_conversations(text: str | None = None):
	"""Ids of somebody's conversations, the latest first, at most 50: by phone number in any spelling, e-mail address, name
	or session id (staff)."""
	access.require_staff()
	return Answer(conversations.found(text))


@endpoint()
def close_conversation(session_id: str | None = None, reason: str = "closed by staff"):
	"""End somebody's conversation; `reason` stays with it and in its trail (administrators)."""
	access.require_administrator()
	return Answer(conversations.closed(session_id, reason))


@endpoint()
def end_authentication(session_id: str | None = None):
	"""The person in this session is not known any more, on any worker (administrators)."""
	access.require_administrator()
	return Answer(conversations.deauthenticated(session_id))


@endpoint()
def release_agent_lock(session_id: str | None = None):
	"""End a session's agent lock, whoever has it (administrators)."""
	access.require_administrator()
	return Answer(conversations.released(session_id))


@endpoint()
def link_party(session_id: str | None = None, party_type: str | None = None, party: str | None = None):
	"""Say which record the conversation belongs to; without one the link is taken away (administrators)."""
	access.require_administrator()
	return Answer(conversations.linked(session_id, party_type, party))


@endpoint()
def unlock_verification(session_id: str | None = None):
	"""Let the person in this session try to verify although strangers used up the attempts (administrators)."""
	access.require_administrator()
	return Answer({"until": moment(authentication.unlock(bounds.session_id(session_id)))})


@endpoint()
def try_identity_check(check: str | None = None, text: str | None = None):
	"""What an Identity Check says to `text`: outcome and names of profile fields (who may change the check)."""
	access.require_administrator()
	return Answer(views.tried(staff.try_check(check, text)))


@endpoint()
def release_tries(check: str | None = None):
	"""Let the caller try checks again at once; noted on the check (who may change it)."""
	access.require_administrator()
	return Answer({"until": moment(staff.release_tries(check))})


@endpoint(methods=("GET", "POST"))
def get_session_lock(device_id: str | None = None):
	"""The agent a device is routed to (service and administrator roles)."""
	access.require_lock_role()
	return Answer({"lock": _lock(sessions.get_session_lock(bounds.device_id(device_id)))})


@endpoint()
def set_session_lock(device_id: str | None = None, agent_key: str | None = None, ttl: int | None = None):
	"""Route a device to an agent; the answer names the winner, which may be another (`won`)."""
	access.require_lock_role()
	return Answer(
		{
			"lock": _lock(
				sessions.set_session_lock(
					bounds.device_id(device_id), bounds.label(agent_key, "agent_key"), ttl
				)
			)
		}
	)


@endpoint()
def clear_session_lock(device_id: str | None = None):
	"""End a device's agent lock; `cleared` says whether there was one."""
	access.require_lock_role()
	return Answer({"cleared": sessions.clear_session_lock(bounds.device_id(device_id))})


def _lock(lock: sessions.DeviceLock | None) -> dict[str, Any] | None:
	return {"agent": lock.agent, "expires_at": moment(lock.expires_at), "won": lock.won} if lock else None
