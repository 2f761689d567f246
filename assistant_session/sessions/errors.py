"""What can go wrong with a session, as one tree; each error carries the HTTP status it becomes.

SessionError
├── SessionNotFound          404  no such session, or not yours: the two look the same
├── SessionGone              410
│   ├── SessionExpired            its time ran out
│   └── SessionClosed             somebody ended it
├── SessionConflict          409  somebody else changed the same thing at the same time
│   ├── SessionAltered            somebody changed the row by SQL: nobody is authenticated in it until it is mended
│   └── FlowIsNewer               a flow was stored by newer code than this worker runs
├── SessionBusy              423  another message of this session is being processed
├── InvalidSessionData       422  what was handed in is not acceptable
├── NotPermitted             403  this caller may not do that
├── TooManyRequests          429  a limit on calls was reached
│   └── VerificationLocked        a limit on verification attempts was reached
├── ResponderFailed          500  the site's own chatbot raised an error; nothing was stored
│   └── FlowNotMigrated           a flow is stored by older code, and its migration is missing or failed
└── SessionStoreUnavailable  503  the database is away; try again, with the same message_id

A text names the session and the way out. It never shows a Python value or what a person typed.
"""

from collections.abc import Callable
from datetime import timedelta
from math import ceil

from frappe import _

OUT_OF_REACH = "Conversation sessions cannot be reached right now. Try again with the same message_id."
IN_DOUBT = "It is not known whether this was stored. Try again with the same message_id: it is stored once."


class SessionError(Exception):
	"""Base of every error this package raises on purpose."""

	http_status_code = 500
	retry_after: int | None = None  # seconds, where trying again later is the way out
	counted = False  # it is in the metrics already

	def __init__(self, message: str, session_id: str | None = None):
		super().__init__(message)
		self.session_id = session_id


class SessionNotFound(SessionError):
	http_status_code = 404

	@classmethod
	def of(cls, session_id: str | None = None) -> "SessionNotFound":
		"""The one 404, the same words for an unknown id, somebody else's, and a wrong token."""
		return cls(_("There is no such conversation session for this caller. Open a new one."), session_id)


class SessionGone(SessionError):
	http_status_code = 410


class SessionExpired(SessionGone):
	@classmethod
	def of(cls, session_id: str) -> "SessionExpired":
		text = _("Conversation session {0} has expired. Open a new one.")
		return cls(text.format(session_id), session_id)


class SessionClosed(SessionGone):
	@classmethod
	def of(cls, session_id: str) -> "SessionClosed":
		text = _("Conversation session {0} was closed. Open a new one.")
		return cls(text.format(session_id), session_id)


class SessionConflict(SessionError):
	"""Two writers changed `field` differently. Read the session again and decide anew."""

	http_status_code = 409

	def __init__(self, message: str, session_id: str | None = None, field: str | None = None):
		super().__init__(message, session_id)
		self.field = field

	@classmethod
	def on(cls, session_id: str, field: str) -> "SessionConflict":
		text = _("Somebody else changed {0} of conversation session {1} at the same time. Read it again.")
		return cls(text.format(field, session_id), session_id, field)


class SessionAltered(SessionConflict):
	@classmethod
	def of(cls, session_id: str) -> "SessionAltered":
		text = _(
			"Conversation session {0} was altered behind the session service. An administrator has to mend it."
		)
		return cls(text.format(session_id), session_id, "seal")


class SessionBusy(SessionError):
	http_status_code = 423
	retry_after = 2

	@classmethod
	def of(cls, session_id: str) -> "SessionBusy":
		text = _("Conversation session {0} is busy with another message. Try again in a moment.")
		return cls(text.format(session_id), session_id)


class InvalidSessionData(SessionError):
	http_status_code = 422


class NotPermitted(SessionError):
	http_status_code = 403


class TooManyRequests(SessionError):
	http_status_code = 429
	retry_after = 60


class VerificationLocked(TooManyRequests):
	@classmethod
	def until(cls, text: str, wait: timedelta) -> "VerificationLocked":
		"""With the seconds to wait as Retry-After."""
		error = cls(text)
		error.retry_after = max(ceil(wait.total_seconds()), 1)
		return error


class FlowIsNewer(SessionConflict):
	"""Another worker has the newer code already: send the message again, or end the flow and begin it anew."""

	@classmethod
	def of(cls, flow: str, stored: int, version: int) -> "FlowIsNewer":
		text = _(
			"The flow {0} is stored in version {1}, this code knows {2}. Nothing was changed: try again."
		)
		return cls(text.format(flow, stored, version), field=f"flows.{flow}")


class ResponderFailed(SessionError):
	http_status_code = 500


class FlowNotMigrated(ResponderFailed):
	"""The flow stays as it is stored, whatever becomes of the message."""

	@classmethod
	def for_want_of(cls, hook: str, flow: str, stored: int, version: int) -> "FlowNotMigrated":
		text = _(
			"The flow {0} is stored in version {1}, this code knows {2}, and the hook {3} names no migration. End the"
			" flow (clear_flow), or register one."
		)
		return cls(text.format(flow, stored, version, hook))

	@classmethod
	def because(cls, error: Exception, flow: str, stored: int, version: int) -> "FlowNotMigrated":
		text = _("The migration of the flow {0} from version {1} to {2} failed ({3}). Nothing was changed.")
		return cls(text.format(flow, stored, version, type(error).__name__))


class SessionStoreUnavailable(SessionError):
	http_status_code = 503
	retry_after = 5

	@classmethod
	def of(cls, session_id: str | None = None) -> "SessionStoreUnavailable":
		text = _if_possible(
			lambda: _(
				"Conversation sessions cannot be reached right now. Try again with the same message_id."
			),
			OUT_OF_REACH,
		)
		return cls(text, session_id)

	@classmethod
	def in_doubt(cls) -> "SessionStoreUnavailable":
		"""The database failed while it committed."""
		text = _if_possible(
			lambda: _(
				"It is not known whether this was stored. Try again with the same message_id: it is stored once."
			),
			IN_DOUBT,
		)
		return cls(text)


def _if_possible(translated: Callable[[], str], untranslated: str) -> str:
	"""Frappe looks translations up in the database, which is what is away."""
	try:
		return translated()
	except Exception:
		return untranslated
