"""The frame around every endpoint: check the arguments' types, call, commit, and answer in one form.

An endpoint never raises into Frappe, which would log every frame's variables (messages, tokens), show guests
a traceback on 15, and drop the text of a 404. A success is {"message": {…}}, an error {"error": {"type",
"message"}} with the status of the error's class.
"""

import functools
import inspect
import json
import re
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, get_args

import frappe
from frappe import _
from werkzeug.wrappers import Response

from .. import database, database_errors
from ..frappe_guards import request_bodies
from ..sessions import config
from ..sessions.coherence.ledger import ledger
from ..sessions.errors import (
	InvalidSessionData,
	SessionError,
	SessionGone,
	SessionNotFound,
	SessionStoreUnavailable,
)
from . import access, cookies
from .cookies import Cookie

FRAPPES_OWN = frozenset({"cmd", "csrf_token", "sid", "_", "_lang"})  # what Frappe puts there, or reads itself
NAME = re.compile(r"[A-Za-z0-9_.-]{1,60}\Z")
WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}\Z")


@dataclass
class Answer:
	"""What an endpoint returns: the body (or a `text` of its own type), headers to add, cookies to set."""

	body: dict[str, Any] | Callable[[], dict[str, Any]] = field(
		default_factory=dict
	)  # a function is asked after COMMIT
	headers: dict[str, str] = field(default_factory=dict)
	cookies: list[Cookie] = field(default_factory=list)
	wrote: str | None = None  # the session whose single write came last: its COMMIT needs no second look
	refused: SessionError | None = None  # what is stored stays stored, but the caller is told this
	text: bytes | None = None
	content_type: str = "application/json"


def endpoint(*, methods: tuple[str, ...] = ("POST",)) -> Callable:
	"""Make a function callable over HTTP. Permission is its own business, so that a refusal has our form too.

	Guests' texts come through unescaped (`xss_safe`): they are stored as typed, and escaped where shown.
	"""

	def decorate(function: Callable) -> Callable:
		@functools.wraps(function)
		def answer(**arguments: Any) -> Response:
			with ledger().own():
				return _answer(function, arguments)

		vars(answer)["__signature__"] = _with_unknown(function)
		answer.__annotations__ = {}  # checked in _answer, so that a wrong type is answered in our form
		return frappe.whitelist(allow_guest=True, xss_safe=True, methods=list(methods))(answer)

	return decorate


def _with_unknown(function: Callable) -> inspect.Signature:
	"""Its signature, and that it takes others too: Frappe would drop what is not in it before we could refuse it."""
	signature = inspect.signature(function)
	others = inspect.Parameter("others", inspect.Parameter.VAR_KEYWORD)
	return signature.replace(parameters=[*signature.parameters.values(), others])


def moment(value: datetime | None) -> str | None:
	"""A stored time as ISO 8601 with the site's offset."""
	return value.replace(tzinfo=config.settings().time_zone).isoformat() if value else None


def _answer(function: Callable, arguments: dict[str, Any]) -> Response:
	try:
		if request_bodies.is_unreadable():
			raise InvalidSessionData(_("The body of the request is not a JSON object that can be read."))
		access.require_own_page_of_login()
		answer = function(**_typed(function, arguments))
		_commit(answer)
	except SessionError as error:
		refusal = error
		return _undone(lambda: refusal, broken=isinstance(error, SessionStoreUnavailable))
	except Exception as error:
		if database_errors.is_connection_lost(error) or database_errors.is_lost_transaction(error):
			return _undone(SessionStoreUnavailable.of, broken=True)
		log(function.__name__, error)
		return _undone(_on_our_side)
	return _told(function, answer)


def _told(function: Callable, answer: Answer) -> Response:
	"""The answer to what is in the database by now."""
	if answer.refused:
		return _refusal(answer.refused)
	try:
		return _success(answer)
	except Exception as error:
		log(f"{function.__name__}, after COMMIT", error)
		return _refusal(SessionStoreUnavailable.in_doubt())


def _on_our_side() -> SessionError:
	return SessionError(_("Something went wrong on our side. Nothing was stored."))


def _typed(function: Callable, arguments: dict[str, Any]) -> dict[str, Any]:
	"""The arguments `function` knows, of the types it says; null is the same as not given. One it does not know is
	refused: misspelt, it would be passed over in silence."""
	if others := arguments.keys() - function.__annotations__.keys() - FRAPPES_OWN:
		_refuse_unknown(function, arguments, min(others))
	return {
		name: _of_type(name, arguments[name], (get_args(annotation) or (annotation,))[0])
		for name, annotation in function.__annotations__.items()
		if arguments.get(name) is not None
	}


def _refuse_unknown(function: Callable, arguments: dict[str, Any], other: str) -> None:
	"""A page that may not use its cookie at all is told that first."""
	if isinstance(session := arguments.get("session_id"), str) and session.isascii():
		access.token(session)
	if not NAME.match(other) and not frappe.request.is_json:
		raise InvalidSessionData(_("The body is to be JSON, sent with Content-Type: application/json."))
	shown = other if NAME.match(other) else _("(a name of other signs)")
	known = ", ".join(function.__annotations__) or _("none")
	text = _("{0}: there is no such argument. Those of {1} are: {2}.")
	raise InvalidSessionData(text.format(shown, function.__name__, known))


def _of_type(name: str, value: Any, kind: type) -> Any:
	if kind is int and isinstance(value, str) and WHOLE_NUMBER.match(value):
		return int(value)  # in a URL everything is text
	if isinstance(value, bool) or not isinstance(value, kind):
		raise InvalidSessionData(_("{0}: {1} is needed.").format(name, _in_words(kind)))
	return value


def _in_words(kind: type) -> str:
	if kind is int:
		return _("a whole number")
	return _("a JSON object") if kind is dict else _("a text")


def _commit(answer: Answer) -> None:
	"""The one sanctioned commit: what is reported as done is in the database before the answer leaves."""
	if frappe.request.method == "GET":
		return
	if answer.wrote:
		ledger().trust(answer.wrote)
	db = database.primary()
	done = database.note_commit(db)
	try:
		db.commit()
	except Exception as error:
		if not done:
			raise _not_committed(error) from error
		log("after COMMIT", error)


def _not_committed(error: Exception) -> Exception:
	"""What is to be said of a COMMIT that raised: whose fate is unknown, that was refused, or that was never sent."""
	if database_errors.is_lost_transaction(error):
		return SessionStoreUnavailable.of()
	return SessionStoreUnavailable.in_doubt() if isinstance(error, database_errors.every_kind()) else error


def _undone(refusal: Callable[[], SessionError], broken: bool = False) -> Response:
	"""Whatever happens, the transaction is over and the session free (see `database.watch_rollbacks`); then `refusal()` is
	the answer. Its text is translated before the connection is left: Frappe would make another one for that."""
	db = database.primary()
	broken = not _is_rolled_back(db) or broken
	answer = _refusal(refusal())
	if broken:
		_leave_database(db)
	return answer


def _is_rolled_back(db) -> bool:
	here = ledger()
	try:
		db.rollback()
	except Exception as error:
		log("ROLLBACK", error)
		return False
	finally:
		here.after_rollback()
	return True


def _leave_database(db) -> None:
	"""Without a connection Frappe ends the request with our answer; on a broken one it would fail again."""
	database.hang_up(db)
	frappe.local.db = frappe.local.session_obj = None
	if getattr(frappe.local, "primary_db", None):
		frappe.local.primary_db = None


def _success(answer: Answer) -> Response:
	body = answer.body() if callable(answer.body) else answer.body
	return _response({"message": body}, 200, answer)


def _refusal(error: SessionError) -> Response:
	body = {"error": {"type": type(error).__name__, "message": str(error)}}
	headers = {"Retry-After": str(error.retry_after)} if error.retry_after else {}
	gone = isinstance(error, SessionNotFound | SessionGone)
	return _response(body, error.http_status_code, Answer({}, headers, _useless_cookies() if gone else []))


def _useless_cookies() -> list[Cookie]:
	"""The cookie of a session that is gone for this caller is taken back."""
	name = frappe.form_dict.get("session_id")
	return cookies.taken_back(name) if isinstance(name, str) else []


def _response(body: dict, status: int, answer: Answer) -> Response:
	text = answer.text or json.dumps(body, ensure_ascii=False, separators=(",", ":"))
	response = Response(text, status=status, content_type=answer.content_type)
	response.headers.extend({"Cache-Control": "no-store", **answer.headers})
	for cookie in answer.cookies:
		response.set_cookie(
			cookie.name,
			cookie.value,
			max_age=cookie.max_age,
			secure=cookie.name.startswith("__Host-"),
			httponly=True,
			samesite="Strict",
			path="/",
		)
	return response


def log(name: str, error: Exception) -> None:
	"""What happened and where, without the error's text or any variable: they may hold what a person typed."""
	frames = traceback.extract_tb(error.__traceback__)[-8:]
	where = " < ".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in reversed(frames))
	frappe.logger("assistant_session").error(f"{name}: {type(error).__name__} at {where}")
