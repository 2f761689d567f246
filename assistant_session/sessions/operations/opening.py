"""Opening, finding, closing and expiring sessions.

A session may be found by its id, or by a key: channel and external id, or device. The key is a unique column of
Active sessions, so a person has at most one per channel whatever happens at the same moment; when a session
ends, its key goes to its successor in the same transaction.
"""

import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import Any

from frappe import _

from ... import compat, database
from ...counters import counters
from .. import addresses, bounds, config, tokens
from ..coherence import figures, reading, repeating, writing
from ..coherence.ledger import leave_doomed_snapshot, ledger, seen
from ..coherence.writing import Write
from ..errors import InvalidSessionData, SessionNotFound
from ..secrets import keys
from ..session import ACTIVE, CLOSED, EXPIRED, Session
from ..tables import events, session_rows
from ..tables.events import Event
from ..tables.row import Row

ID_BYTES = 17  # 136 random bits, of which the choice of the first character takes less than one


@dataclass
class Wanted:
	"""What a caller asks `open` for, checked."""

	session_id: str | None = None
	channel: str = "Web"
	external_id: str | None = None
	device_id: str | None = None
	user: str | None = None
	party: tuple[str, str] | None = None
	ttl: int | None = None
	state: str | None = None
	token_hash: str | None = None
	bound: bool = True  # holds the key of its person or device
	by_key: bool = True  # that key alone may find a session (never for a guest: a device id is no proof)
	key: str | None = field(init=False, default=None)

	def unbind(self) -> None:
		"""Open it without the key, and without the label of a device that somebody else holds."""
		self.bound, self.key, self.device_id = False, None, None

	def claim_device(self) -> None:
		"""The device is only said, not proven: it holds a key of its own kind, by which routers set no lock."""
		if self.device_id is not None:
			self.key = claimed_device_key(self.device_id)

	def __post_init__(self) -> None:
		if self.bound and self.external_id is not None:
			self.key = _key("external", self.channel, self.external_id)
		elif self.bound and self.device_id is not None:
			self.key = device_key(self.device_id)


def wanted(
	session_id: str | None, channel: str, external_id: str | None, device_id: str | None, user: str | None,
	party: tuple[str, str] | None, ttl: int | None, state: str | None,
) -> Wanted:  # fmt: skip
	"""The arguments of `open`, checked; raises InvalidSessionData."""
	if party is not None and (not isinstance(party, tuple | list) or len(party) != 2):
		raise InvalidSessionData(_("party: a pair of DocType and name is needed."))
	return Wanted(
		session_id if session_id is None else bounds.session_id(session_id),
		bounds.label(channel, "channel"),
		bounds.optional_label(external_id, "external_id", length=255),
		device_id if device_id is None else bounds.device_id(device_id),
		user if user is None else bounds.link(user, "user"),
		(bounds.link(party[0], "party"), bounds.link(party[1], "party")) if party else None,
		ttl if ttl is None else bounds.ttl(ttl),
		bounds.optional_label(state, "state"),
	)


def open_session(ask: Wanted) -> Session:
	"""Restore the session asked for, or create one. See `sessions.open` for the rules."""
	return _taken_up(repeating.repeated(ask.session_id or _("of this person"), lambda _first: _open(ask)))


def open_for_device(device_id: str) -> Row:
	"""The active session of a device as a row, created unauthenticated if there is none."""
	ask = Wanted(device_id=device_id)

	def attempt(_first: bool) -> Row:
		return holder(ask) or _create_or_adopt(ask, _active(ask.key))[0]

	return repeating.repeated(_("of this device"), attempt)


def holder(ask: Wanted) -> Row | None:
	"""The live session that holds the key of the person or device asked for."""
	if ask.key is None:
		return None
	row = _active(ask.key)
	return row if row and row.expires_at > config.now() else None


def find(name: str, *, max_age: float = 0) -> Session:
	"""A live session. Raises SessionNotFound, SessionExpired, SessionClosed."""
	already = seen()
	if found := already.live.get(name):
		return Session(*found)
	row, origin = reading.read(name, max_age=max_age, already=already)
	if row.status != ACTIVE or row.expires_at <= config.now():
		writing.require_live(row)
	if name in already.rows:
		already.live[name] = (row, origin)
	return Session(row, origin)


def take_up(name: str) -> Session:
	"""The same, for a page or a bot that comes back to it."""
	return _taken_up(find(name))


def _taken_up(session: Session) -> Session:
	if session.origin != "created":
		counters.count("sessions_restored", session.origin)
	return session


def end(name: str, reason: str, status: str = CLOSED) -> None:
	"""Close a session: it keeps its turns and events, and gives up key, token, locks and authentication."""

	def decide(row: Row) -> Write:
		if row.status == CLOSED:
			return Write(any_status=True)
		return ending(row, reason, status)

	writing.change(name, decide)


def ending(row: Row, reason: str, status: str) -> Write:
	"""The write that ends a session."""
	changes = dict.fromkeys(ENDS_EMPTY)
	changes.update(status=status, closed_at=config.now(), close_reason=reason, authenticated=0)
	event = Event("closed" if status == CLOSED else "expired", {"reason": reason})
	return Write(changes, events=[event], any_status=True, even_untold=True)


ENDS_EMPTY = (
	"active_key", "auth_expires_at", "user_profile", "pending_intent", "pending_message",
	"active_agent", "agent_locked_at", "agent_lock_expires_at", *tokens.REPLACED,
)  # fmt: skip


def new_id() -> str:
	"""An id nobody guesses; it starts with a letter or digit, so that no shell or spreadsheet mistakes it."""
	name = secrets.token_urlsafe(ID_BYTES)
	return name if name[0].isalnum() else new_id()


def device_key(device_id: str) -> str:
	return _key("device", device_id)


def claimed_device_key(device_id: str) -> str:
	"""Of a device that somebody says is theirs over HTTP."""
	return _key("claimed device", device_id)


def _key(*parts: str) -> str:
	return sha256(keys.framed(*parts)).hexdigest()


def _open(ask: Wanted) -> Session:
	if ask.session_id is not None:
		return _open_by_id(ask, ask.session_id)
	if ask.key is None:
		return _created(ask, None)
	return _open_by_key(ask, _active(ask.key))


def _active(key: str | None) -> Row | None:
	"""The holder of a key: this transaction's own, else the one committed by now."""
	if key is None:
		return None
	row = session_rows.select_active(key)
	if row is None or (reading.snapshot_may_be_old() and row.name not in ledger().written):
		committed = session_rows.select_active(key, beside=True) if reading.snapshot_may_be_old() else None
		return committed if committed and committed.name not in ledger().written else row
	return row


def _open_by_id(ask: Wanted, name: str) -> Session:
	try:
		row, origin = reading.look_up(name)
	except SessionNotFound:
		row, created = _create_or_adopt(ask, None)
		if created:
			return Session(row, "created")
		origin = reading.DATABASE
	if row.name != name:
		return _open_by_key(ask, row)
	return _restored_by_id(ask, row, origin)


def _restored_by_id(ask: Wanted, row: Row, origin: str) -> Session:
	if ask.user is not None and row.user and row.user != ask.user:
		raise SessionNotFound.of(ask.session_id)
	if row.status == ACTIVE and row.expires_at > config.now():
		return Session(row, origin)
	if ask.key is None:
		writing.require_live(row)
	ask.session_id = None
	return _open_by_key(ask, _active(ask.key))


def _open_by_key(ask: Wanted, holder: Row | None) -> Session:
	if holder is None or holder.expires_at <= config.now():
		return _created(ask, holder)
	if _is_for(ask, holder):
		return Session(holder, "database")
	if ask.by_key and ask.external_id is None and not (holder.user and holder.user != ask.user):
		addresses.note_forgotten(holder)
	ask.unbind()
	return _created(ask, None)


def _is_for(ask: Wanted, holder: Row) -> bool:
	"""Whether the key alone opens its session: never another user's, and an authenticated one only where the
	provider of the channel vouches for the sender."""
	if not ask.by_key or (holder.user and holder.user != ask.user):
		return False
	if not holder.authenticated:
		return True
	return bool(ask.external_id) and addresses.is_vouched_for(ask.channel)


def _created(ask: Wanted, overdue: Row | None) -> Session:
	row, created = _create_or_adopt(ask, overdue)
	return Session(row, "created") if created else _open_by_key(ask, row)


def _create_or_adopt(ask: Wanted, overdue: Row | None) -> tuple[Row, bool]:
	"""Insert a session (True); if somebody opened the same one a moment earlier, that one (False)."""
	if overdue is not None:
		_expire(overdue.name)
	values, event_records = _first_values(ask)
	db = database.primary()
	untouched, writes = ledger().is_untouched(), db.transaction_writes
	point = f"assistant_session_{secrets.token_hex(4)}"
	db.savepoint(point)
	try:
		ledger().mark(values["name"])
		row = session_rows.create(values, values["last_activity"])
		events.store(event_records)
	except Exception as error:
		if not compat.is_duplicate(error):
			raise
		db.rollback(save_point=point)
		db.transaction_writes = writes  # nothing was written after all
		ledger().unmark_unwritten(values["name"])
		row = _adopt(ask)
		if untouched:
			leave_doomed_snapshot(row)
		return row, False
	ledger().count(row, figures.of_creation(ask.channel))
	ledger().wrote(row.name, row)
	return row, True


def _expire(name: str) -> bool:
	"""End a session if its time is over; says whether it was."""

	def decide(row: Row) -> Write:
		if row.status == ACTIVE and row.expires_at <= config.now():
			return ending(row, "time", EXPIRED)
		return Write(any_status=True)

	return writing.change(name, decide).written


def _adopt(ask: Wanted) -> Row:
	row = session_rows.select(ask.session_id, beside=True) if ask.session_id else None
	row = row or (session_rows.select_active(ask.key, beside=True) if ask.key else None)
	if row is None:
		raise InvalidSessionData(
			_("session_id: this id was used before, or is too like one that was. Choose another.")
		)
	return row


def _first_values(ask: Wanted) -> tuple[dict, list[tuple]]:
	now, settings = config.now(), config.settings()
	name = ask.session_id or new_id()
	ttl = ask.ttl or settings.session_ttl
	values: dict[str, Any] = {
		"name": name, "channel": ask.channel, "external_id": ask.external_id, "device_id": ask.device_id,
		"user": ask.user, "status": ACTIVE, "ttl": ttl, "last_activity": now,
		"expires_at": now + timedelta(seconds=ttl), "current_state": ask.state, "active_key": ask.key,
		"token_hash": ask.token_hash,
	}  # fmt: skip
	if ask.party:
		values["party_type"], values["party"] = ask.party
	nothing: dict[str, Any] = dict.fromkeys(Row._fields)
	empty = Row(**{**nothing, "name": name, "event_count": 0})
	chained, records = events.chain(empty, [Event("created", {"channel": ask.channel})], now)
	return {**values, **chained}, records
