"""Opening a session: restored or created, by its id or by a key.

A key is an address on a channel, or a device (see `active_keys`). It is a unique column of Active sessions, so a person
has at most one per channel whatever happens at the same moment; when a session ends, its key goes to its successor in
the same transaction.
"""

import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from typing import Any

from frappe import _

from ... import database, database_errors
from .. import addresses, bounds, config
from ..coherence import figures, reading, repeating, writing
from ..coherence.ledger import leave_doomed_snapshot, ledger
from ..errors import InvalidSessionData, SessionNotFound
from ..session import ACTIVE, Session
from ..tables import audit_chain, events, session_rows
from ..tables.audit_chain import Event
from ..tables.row import Row
from ..vantage import COMMITTED, HERE
from . import active_keys, closing, finding

ID_BYTES = 17  # 136 random bits, of which the choice of the first character takes less than one


@dataclass(frozen=True, kw_only=True)
class OpenRequest:
	"""What a caller asks `open` for, checked; see `sessions.open` for the fields a caller names."""

	session_id: str | None = None
	channel: str = "Web"
	external_id: str | None = None
	device_id: str | None = None
	user: str | None = None
	party: tuple[str, str] | None = None
	ttl: int | None = None  # seconds
	state: str | None = None
	token_hash: str | None = None
	device_is_proven: bool = True  # not so over HTTP, where anybody may say they are on it
	opens_by_key: bool = True  # the key alone finds a session (never for a guest: a device id is no proof)
	has_key: bool = True

	@cached_property
	def key(self) -> str | None:
		"""The key of the person or device."""
		if not self.has_key:
			return None
		if self.external_id is not None:
			return active_keys.of_address(self.channel, self.external_id)
		if self.device_id is None:
			return None
		of_device = active_keys.of_device if self.device_is_proven else active_keys.of_claimed_device
		return of_device(self.device_id)

	def without_key(self) -> "OpenRequest":
		"""The same without the key, and without the label of a device that somebody else holds."""
		return replace(self, has_key=False, device_id=None)


def checked(
	*,
	session_id: Any = None,
	channel: Any = "Web",
	external_id: Any = None,
	device_id: Any = None,
	user: Any = None,
	party: Any = None,
	ttl: Any = None,
	state: Any = None,
) -> OpenRequest:
	"""The arguments of `open`; raises InvalidSessionData."""
	if party is not None and (not isinstance(party, tuple | list) or len(party) != 2):
		raise InvalidSessionData(_("party: a pair of DocType and name is needed."))
	return OpenRequest(
		session_id=session_id if session_id is None else bounds.session_id(session_id),
		channel=bounds.label(channel, "channel"),
		external_id=bounds.optional_label(external_id, "external_id", length=255),
		device_id=device_id if device_id is None else bounds.device_id(device_id),
		user=user if user is None else bounds.link(user, "user"),
		party=(bounds.link(party[0], "party"), bounds.link(party[1], "party")) if party else None,
		ttl=ttl if ttl is None else bounds.ttl(ttl),
		state=bounds.optional_label(state, "state"),
	)


def open(
	session_id: str | None = None,
	*,
	channel: str = "Web",
	external_id: str | None = None,
	device_id: str | None = None,
	user: str | None = None,
	party: tuple[str, str] | None = None,
	ttl: int | None = None,
	state: str | None = None,
) -> Session:
	"""Restore a session or create one; `.origin` of the result says which ("created", "memory", "database").

	By `session_id`: an active one is restored, an unknown one created under that id (an HTTP guest may not),
	an expired or closed one raises SessionExpired or SessionClosed, unless a person or device is named too:
	then a new session is opened and takes over their key. By person (`channel` and `external_id`) or `device_id`
	(a UUID): their one active session, or a new one. Such a key never opens an authenticated session, unless
	Settings say that the channel's provider verifies its senders; a fresh session without the key is opened
	instead. `ttl` in seconds, `party` as (DocType, name), `state` for a new session.

	Raises SessionNotFound (the session belongs to another `user`), SessionExpired, SessionClosed,
	InvalidSessionData, SessionConflict, SessionBusy, SessionStoreUnavailable.
	"""
	return open_session(
		checked(
			session_id=session_id,
			channel=channel,
			external_id=external_id,
			device_id=device_id,
			user=user,
			party=party,
			ttl=ttl,
			state=state,
		)  # fmt: skip
	)


def open_session(request: OpenRequest) -> Session:
	"""Restore the session asked for, or create one."""
	name = request.session_id or _("of this person")
	return finding.counted(repeating.repeated(name, lambda _first: _open(request)))


def open_for_device(device_id: str) -> Row:
	"""The active session of a device as a row, created unauthenticated if there is none."""
	request = OpenRequest(device_id=device_id)

	def attempt(_first: bool) -> Row:
		return holder(request) or _create_or_adopt(request, _active(request.key))[0]

	return repeating.repeated(_("of this device"), attempt)


def holder(request: OpenRequest) -> Row | None:
	"""The live session that holds the key of the person or device asked for."""
	row = _active(request.key)
	return row if row and row.expires_at > config.now() else None


def new_id() -> str:
	"""An id nobody guesses; it starts with a letter or digit, so that no shell or spreadsheet mistakes it."""
	name = secrets.token_urlsafe(ID_BYTES)
	return name if name[0].isalnum() else new_id()


def _open(request: OpenRequest) -> Session:
	if request.session_id is not None:
		return _open_by_id(request, request.session_id)
	if request.key is None:
		return _created(request, None)
	return _open_by_key(request, _active(request.key))


def _active(key: str | None) -> Row | None:
	"""The holder of a key: this transaction's own, else the one committed by now."""
	if key is None:
		return None
	here = ledger()
	row = session_rows.select_active(key)
	if here.vantage(row.name if row else None) is HERE:
		return row
	committed = session_rows.select_active(key, COMMITTED)
	return committed if committed and committed.name not in here.written else row


def _open_by_id(request: OpenRequest, name: str) -> Session:
	try:
		row, origin = reading.look_up(name)
	except SessionNotFound:
		row, created = _create_or_adopt(request, None)
		if created:
			return Session(row, "created")
		origin = reading.DATABASE
	if row.name != name:
		return _open_by_key(request, row)
	return _restored_by_id(request, row, origin)


def _restored_by_id(request: OpenRequest, row: Row, origin: str) -> Session:
	if request.user is not None and row.user and row.user != request.user:
		raise SessionNotFound.of(request.session_id)
	if row.status == ACTIVE and row.expires_at > config.now():
		return Session(row, origin)
	if request.key is None:
		writing.require_live(row)
	return _open_by_key(replace(request, session_id=None), _active(request.key))


def _open_by_key(request: OpenRequest, holder: Row | None) -> Session:
	if holder is None or holder.expires_at <= config.now():
		return _created(request, holder)
	if _is_for(request, holder):
		return Session(holder, "database")
	foreign = holder.user and holder.user != request.user
	if request.opens_by_key and request.external_id is None and not foreign:
		addresses.note_forgotten(holder)
	return _created(request.without_key(), None)


def _is_for(request: OpenRequest, holder: Row) -> bool:
	"""Whether the key alone opens its session: never another user's, and an authenticated one only where the
	provider of the channel vouches for the sender."""
	if not request.opens_by_key or (holder.user and holder.user != request.user):
		return False
	if not holder.authenticated:
		return True
	return bool(request.external_id) and addresses.is_vouched_for(request.channel)


def _created(request: OpenRequest, overdue: Row | None) -> Session:
	row, created = _create_or_adopt(request, overdue)
	return Session(row, "created") if created else _open_by_key(request, row)


def _create_or_adopt(request: OpenRequest, overdue: Row | None) -> tuple[Row, bool]:
	"""Insert a session (True); if somebody opened the same one a moment earlier, that one (False)."""
	if overdue is not None:
		closing.expire(overdue.name)
	values, records = _first_values(request)
	db = database.primary()
	untouched, writes = ledger().is_untouched(), db.transaction_writes
	point = f"assistant_session_{secrets.token_hex(4)}"
	db.savepoint(point)
	try:
		ledger().mark(values["name"])
		row = session_rows.create(values, values["last_activity"])
		events.store(records)
	except Exception as error:
		if not database_errors.is_duplicate(error):
			raise
		db.rollback(save_point=point)
		db.transaction_writes = writes  # nothing was written after all
		ledger().unmark_unwritten(values["name"])
		row = _adopt(request)
		if untouched:
			leave_doomed_snapshot(row)
		return row, False
	ledger().count(row, figures.of_creation(request.channel))
	ledger().wrote(row.name, row)
	return row, True


def _adopt(request: OpenRequest) -> Row:
	row = session_rows.select(request.session_id, COMMITTED) if request.session_id else None
	row = row or (session_rows.select_active(request.key, COMMITTED) if request.key else None)
	if row is None:
		raise InvalidSessionData(
			_("session_id: this id was used before, or is too like one that was. Choose another.")
		)
	return row


def _first_values(request: OpenRequest) -> tuple[dict[str, Any], list[tuple]]:
	now = config.now()
	name, ttl = request.session_id or new_id(), request.ttl or config.settings().session_ttl
	values: dict[str, Any] = {
		"name": name, "channel": request.channel, "external_id": request.external_id, "device_id": request.device_id,
		"user": request.user, "status": ACTIVE, "ttl": ttl, "last_activity": now,
		"expires_at": now + timedelta(seconds=ttl), "current_state": request.state, "active_key": request.key,
		"token_hash": request.token_hash,
	}  # fmt: skip
	if request.party:
		values["party_type"], values["party"] = request.party
	nothing: dict[str, Any] = dict.fromkeys(Row._fields)
	empty = Row(**{**nothing, "name": name, "event_count": 0})
	chained, records = audit_chain.chain(empty, [Event("created", {"channel": request.channel})], now)
	return {**values, **chained}, records
