"""Erasing a person: in every session of theirs, in what the framework keeps about it, in memory and in Redis.

What stays of a session is its shell: id, channel, times, counts, and an audit trail whose details are reduced to what
the chain needs to be verified. Turns are gone. A session under legal hold stays as it is, and the receipt says so.

All rows go in the caller's transaction; this never commits. After COMMIT queued jobs go, and the receipt is signed: one
without a digest proves nothing. Other workers have dropped what they remembered by their next read; a row that nobody reads
any more leaves their memory within `memory.KEPT_SECONDS`.
"""

import json
import secrets
from dataclasses import asdict, dataclass, field
from typing import Any

import frappe

from .. import compat
from ..sessions import config, events, keys, lifecycle, store, turns, writing
from ..sessions.errors import SessionNotFound
from ..sessions.events import Event
from ..sessions.rows import Row
from ..sessions.snapshot import ACTIVE, CLOSED
from ..sessions.writing import Write
from . import traces
from .person import Person

REASON = "erased"
# Everything of a session that may say who somebody is or what they wanted.
EMPTIED = (
	*lifecycle.ENDS_EMPTY, "external_id", "device_id", "user", "party_type", "party", "auth_method",
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


def erase(person: Person) -> Receipt:
	"""Erase everything about `person` but what is under legal hold. The caller commits, and then has the receipt.

	Raises SessionBusy, SessionConflict (try again), SessionStoreUnavailable; nothing is erased then.
	"""
	receipt = Receipt(
		secrets.token_hex(8), frappe.local.site, str(config.now()), frappe.session.user, person.named
	)
	terms: set[str] = set()
	for name in sorted(person.sessions()):
		terms.update(_erase(name, receipt))
	names = {one["session"] for one in receipt.sessions}
	mentioned = sorted(terms)
	if names:
		receipt.elsewhere = dict(traces.remove(names, mentioned))
		store.disown(sorted(names))
	compat.database().after_commit.add(lambda: _finish(receipt, mentioned))
	return receipt


def is_genuine(receipt: dict[str, Any]) -> bool:
	"""Whether this site signed exactly this receipt."""
	said = str(receipt.get("digest") or "")
	try:
		return secrets.compare_digest(said, _digest(receipt, key_id=said.partition(":")[0] or None))
	except (keys.KeyMissing, TypeError):
		return False


def _erase(name: str, receipt: Receipt) -> set[str]:
	"""Erase one session; the texts by which logs may know it. Nothing if it is held or gone."""
	before: list[Row] = []

	def decide(row: Row) -> Write:
		before[:] = [row]
		return Write(any_status=True) if row.legal_hold else _emptying(row, receipt.receipt)

	try:
		written = writing.change(name, decide).written
	except SessionNotFound:
		return set()
	(row,) = before
	if not written:
		receipt.kept.append({"session": name, "why": f"legal hold: {row.legal_hold_reason or ''}"})
		return set()
	events.erase(name, row.event_count)
	turns.delete(name)
	counts = {"turns": row.turn_count - row.purged_turns, "events": row.event_count - row.purged_events}
	receipt.sessions.append({"session": name, **counts})
	return _terms(row)


def _emptying(row: Row, receipt: str) -> Write:
	write = lifecycle.ending(row, REASON, CLOSED) if row.status == ACTIVE else Write(any_status=True)
	changes = {**write.changes, **dict.fromkeys(EMPTIED), "authenticated": 0, "purged_turns": row.turn_count}
	changes.update(close_reason=REASON, hidden_turns=0)
	return Write(changes, events=[*write.events, Event("erased", {"receipt": receipt})], any_status=True)


def _terms(row: Row) -> set[str]:
	known = {row.name, row.external_id, row.device_id}
	if row.user not in (None, "", "Guest", "Administrator"):
		known.add(row.user)
	return {text for text in known if text and len(text) >= traces.SHORTEST_TERM}


def _finish(receipt: Receipt, terms: list[str]) -> None:
	"""What cannot be taken back, once the rest is seen to be committed (a rollback to a savepoint may have undone it
	behind our back); then the receipt is signed."""
	try:
		if undone := [one["session"] for one in receipt.sessions if not _is_erased(one["session"])]:
			receipt.left = [f"{name}: was not erased" for name in undone]
			return
		if terms:
			receipt.outside, receipt.left = traces.remove_outside(terms)
		receipt.digest = _digest(receipt.as_dict())
	except Exception as error:  # everybody's callbacks wait behind this one: it may not raise
		receipt.left.append(f"not confirmed: {type(error).__name__}")


def _is_erased(name: str) -> bool:
	"""Whether nothing of it is left in what is committed."""
	row = store.select(name, beside=True)
	emptied = row is None or not any(getattr(row, column) for column in EMPTIED)
	return emptied and not turns.between(name, 1, row.turn_count if row else 1, beside=True)


def _digest(receipt: dict[str, Any], *, key_id: str | None = None) -> str:
	said = {name: value for name, value in receipt.items() if name != "digest"}
	text = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
	return keys.digest(keys.AUDIT, "receipt", text, key_id=key_id)
