"""Erasing a person: in every session of theirs, in what the framework keeps about it, in memory and in Redis.

What stays of a session is its shell: id, channel, times, counts, and an audit trail whose details are reduced to what
the chain needs to be verified. Turns are gone. A session under legal hold stays as it is, and the receipt says so.

All rows go in the caller's transaction; this never commits. After COMMIT queued jobs go, and the receipt is signed: one
without a digest proves nothing. Other workers have dropped what they remembered by their next read; a row that nobody reads
any more leaves their memory within `memory.KEPT_SECONDS`.
"""

import json
import re
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import frappe

from .. import database
from ..sessions import config
from ..sessions.coherence import writing
from ..sessions.coherence.writing import ALSO_ENDED, MUST_HAPPEN, Write
from ..sessions.errors import SessionNotFound
from ..sessions.operations import closing
from ..sessions.secrets import keys
from ..sessions.session import ACTIVE, CLOSED
from ..sessions.tables import events, listing, session_rows, turns
from ..sessions.tables.audit_chain import Event
from ..sessions.tables.row import Row
from ..sessions.vantage import COMMITTED
from . import queues, traces
from .person import Person

REASON = "erased"
ALL = 2**31 - 1  # events, also those the row does not count
SHORTEST = 6  # characters; shorter ones are found in everybody's logs
ADDRESS = re.compile(r"@|(?:\d\D?){7}")  # a mail address, a phone number: a nickname is a word like others
# Everything of a session that may say who somebody is or what they wanted.
EMPTIED = (
	*closing.ENDS_EMPTY, "external_id", "device_id", "user", "party_type", "party", "auth_method",
	"authenticated_at", "identity_hash", "locked_intent", "current_state", "previous_state", "context", "flows",
	"token_hash",
)  # fmt: skip


@dataclass
class Receipt:
	"""What was erased, for whom (a keyed digest), by whom and when; `digest` signs the rest, after COMMIT."""

	receipt: str
	site: str
	at: str
	by: str
	person: str
	sessions: list[dict[str, Any]] = field(default_factory=list)  # session, turns, events
	kept: list[dict[str, str]] = field(default_factory=list)  # session, why
	elsewhere: dict[str, int] = field(default_factory=dict)  # rows by DocType
	outside: int = 0  # jobs and waiting log entries
	left: list[str] = field(default_factory=list)  # what could not be reached
	digest: str | None = None

	def as_dict(self) -> dict[str, Any]:
		return asdict(self)


def erase(person: Person, *, on_receipt: Callable[[Receipt], None] | None = None) -> Receipt:
	"""Erase everything about `person` but what is under legal hold. The caller commits, and then has the receipt.

	`on_receipt` is called with the receipt after COMMIT. Raises SessionBusy, SessionConflict (try again),
	SessionStoreUnavailable; nothing is erased then.
	"""
	receipt = Receipt(
		secrets.token_hex(8), frappe.local.site, str(config.now()), frappe.session.user, person.named
	)
	names = sorted(person.sessions())
	known = _known(names)
	log_names = traces.logs(known.person) if names else []  # first: nobody waits for it
	rows = [row for name in names if (row := _erase(name, receipt))]
	urls: list[str] = []
	if rows:
		users = {row.user for row in rows if row.user}
		removed, urls = traces.remove({row.name for row in rows}, users, log_names)
		receipt.elsewhere = dict(removed)
		session_rows.disown([row.name for row in rows])
	database.primary().after_commit.add(lambda: _finish(receipt, known, urls, on_receipt))
	return receipt


@dataclass(frozen=True)
class Known:
	"""How logs and jobs may name the sessions, and the person."""

	sessions: re.Pattern[str]
	person: re.Pattern[str]


def _known(names: list[str]) -> Known:
	"""By names long enough to mean nothing else. While a session of the person is under legal hold, what names the person
	alone may be about that one."""
	rows = [row for name in names if (row := session_rows.select(name, COMMITTED))]
	sessions = {row.name for row in rows if len(row.name) >= SHORTEST and not row.legal_hold}
	held = any(row.legal_hold for row in rows)
	people = set() if held else {text for row in rows for text in _addresses(row)}
	return Known(traces.mentions(sessions), traces.mentions(sessions | people))


def _addresses(row: Row) -> set[str]:
	user = row.user if row.user not in ("Guest", "Administrator") else None
	address = row.external_id if row.external_id and ADDRESS.search(row.external_id) else None
	return {text for text in (user, address, row.device_id) if text}


def is_genuine(receipt: dict[str, Any]) -> bool:
	"""Whether this site signed exactly this receipt."""
	said = str(receipt.get("digest") or "")
	try:
		return secrets.compare_digest(said, _digest(receipt, key_id=said.partition(":")[0] or None))
	except (keys.KeyMissing, TypeError):
		return False


def _erase(name: str, receipt: Receipt) -> Row | None:
	"""Erase one session; the row as it was. None if it is held or gone."""
	before: list[Row] = []

	def decide(row: Row) -> Write:
		before[:] = [row]
		return Write(kind=ALSO_ENDED) if row.legal_hold else _emptying(row, receipt.receipt)

	try:
		result = writing.change(name, decide)
	except SessionNotFound:
		return None
	(row,) = before
	if not result.written:
		receipt.kept.append({"session": name, "why": "legal hold"})
		return None
	trail_fits = result.row.event_count > row.event_count
	events.erase(name, row.event_count if trail_fits else ALL)
	turns.delete(name)
	counts = {"turns": row.turn_count - row.purged_turns, "events": row.event_count - row.purged_events}
	receipt.sessions.append({"session": name, **counts})
	return row


def _emptying(row: Row, receipt: str) -> Write:
	write = closing.ending(row, REASON, CLOSED) if row.status == ACTIVE else Write(kind=ALSO_ENDED)
	changes = {
		**write.changes,
		**dict.fromkeys((*EMPTIED, *listing.COLUMNS)),
		"authenticated": 0,
		"purged_turns": row.turn_count,
	}
	changes.update(close_reason=REASON, hidden_turns=0)
	return Write(
		changes,
		events=[*write.events, Event("erased", {"receipt": receipt})],
		kind=MUST_HAPPEN,
	)


def _finish(
	receipt: Receipt, known: Known, urls: list[str], on_receipt: Callable[[Receipt], None] | None
) -> None:
	"""What cannot be taken back, once the rest is seen to be committed (a rollback to a savepoint may have undone it
	behind our back); then the receipt is signed."""
	try:
		with database.refusable():
			_finished(receipt, known, urls)
	except Exception as error:  # everybody's callbacks wait behind this one: it may not raise
		receipt.left.append(f"not confirmed: {type(error).__name__}")
	if on_receipt:
		on_receipt(receipt)


def _finished(receipt: Receipt, known: Known, urls: list[str]) -> None:
	if undone := [one["session"] for one in receipt.sessions if not _is_erased(one["session"])]:
		receipt.left = [f"{name}: was not erased" for name in undone]
	elif receipt.sessions:
		receipt.outside, receipt.left = queues.remove(known.sessions, known.person)
		receipt.left += traces.remove_contents(urls) + _short(receipt)
	receipt.digest = None if undone else _digest(receipt.as_dict())


def _short(receipt: Receipt) -> list[str]:
	short = [one["session"] for one in receipt.sessions if len(one["session"]) < SHORTEST]
	return [f"{name}: too short to be looked for in logs and jobs" for name in short]


def _is_erased(name: str) -> bool:
	"""Whether nothing of it is left in what is committed."""
	row = session_rows.select(name, COMMITTED)
	left = [] if row is None else [getattr(row, column) for column in EMPTIED]
	emptied = not any((*left, *session_rows.shown(name, COMMITTED)))
	return emptied and not turns.between(name, 1, row.turn_count if row else 1, COMMITTED)


def _digest(receipt: dict[str, Any], *, key_id: str | None = None) -> str:
	said = {name: value for name, value in receipt.items() if name != "digest"}
	text = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
	return keys.digest(keys.AUDIT, "receipt", text, key_id=key_id)
