"""The anchor: what the audit trails looked like, written down every day where nobody reaches who has the database.

Within one database a session that is put back whole to an earlier moment, row, turns and events, fits. So each day one
or more signed documents, JSON, name every session that changed: its id, when it was opened, its version, its turns,
count and head of its trail. They go to a file that only grows, as one line each, to a URL, or to both:

    "assistant_session_anchor_file": "/path/outside/the/site/anchor.jsonl"
    "assistant_session_anchor_url": "https://…"         POST; answers with 2xx
    "assistant_session_anchor_loopback": true           that URL may be http on this very machine

Each document holds the signature of the one before it. `verifying` compares a file of them with the database. Writing
reads in batches, commits nothing but its own place, and goes on from the last document that arrived everywhere; one
whose arrival is uncertain is sent once more.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import frappe
from frappe import _
from frappe.utils.file_lock import LockTimeoutError
from frappe.utils.synchronization import filelock

from ..sessions import config
from ..sessions.secrets import keys
from ..sessions.tables import session_rows
from ..sessions.tables.row import Row
from ..sessions.tables.statements import ask, table
from ..sessions.vantage import COMMITTED
from .destinations import AnchorFailed, File, Url

FILE, URL = "assistant_session_anchor_file", "assistant_session_anchor_url"
STATE = "assistant_session_anchored"  # a global default: the last document, where no file has it
TITLE = "The sessions' anchor was not written"
BATCH = 500  # sessions in one document
OVERLAP = timedelta(
	hours=1
)  # transactions that took longer to be committed than this are seen the next time they write


def daily() -> None:
	"""The scheduler's job: nothing where no place is configured; an entry in the Error Log where it fails."""
	try:
		write()
	except (AnchorFailed, keys.KeyMissing) as error:
		frappe.db.rollback()
		frappe.log_error(title=TITLE, message=str(error))
	frappe.db.commit()


def write() -> dict[str, int] | None:
	"""Anchor what changed since the last time; how many documents and sessions, None if no place is configured.

	Commits. Raises AnchorFailed, KeyMissing.
	"""
	places = _places()
	if not places:
		return None
	try:
		with filelock("assistant_session_anchor", timeout=1):
			return _write(places)
	except LockTimeoutError as error:
		raise AnchorFailed(_("Another anchor is being written.")) from error


def _write(places: list[File | Url]) -> dict[str, int]:
	written = {"documents": 0, "sessions": 0}
	for document in _documents(_last(places)):
		line = json.dumps(document, separators=(",", ":"))
		for place in places:
			place.put(line)
		_remember(document)
		written["documents"] += 1
		written["sessions"] += len(document["sessions"])
	return written


def signature(document: dict[str, Any], *, key_id: str | None = None) -> str:
	signed = {name: value for name, value in document.items() if name != "signature"}
	return keys.digest(keys.ANCHOR, json.dumps(signed, sort_keys=True), key_id=key_id)


def is_genuine(document: dict[str, Any]) -> bool:
	"""Whether this site signed exactly this document."""
	claimed = str(document.get("signature") or "")
	try:
		return claimed == signature(document, key_id=claimed.partition(":")[0] or None)
	except keys.KeyMissing:
		return False


def _places() -> list[File | Url]:
	"""The URL first: what did not arrive there is not in the file either, and comes again."""
	conf = frappe.local.conf
	places: list[File | Url] = [Url(conf[URL])] if conf.get(URL) else []
	return [*places, File(conf[FILE])] if conf.get(FILE) else places


def _documents(last: dict[str, Any] | None) -> Iterator[dict[str, Any]]:
	"""Signed, each upon the one before it; the last one of a run says so, and there is always one."""
	now, since = config.now(), _since(last)
	batches = _changed(since)
	batch = next(batches, [])
	while True:
		following = next(batches, None)
		document = {
			"site": frappe.local.site, "at": str(now), "since": str(since), "number": (last["number"] if last else 0) + 1,
			"previous": last and last["signature"], "last": following is None, "sessions": [_entry(row) for row in batch],
		}  # fmt: skip
		document["signature"] = signature(document)
		yield document
		if following is None:
			return
		last, batch = document, following


def _since(last: dict[str, Any] | None) -> datetime:
	"""A run that was cut off is begun anew."""
	if last is None:
		return datetime(1, 1, 1)
	if not last["last"]:
		return datetime.fromisoformat(last["since"])
	return datetime.fromisoformat(last["at"]) - OVERLAP


def _changed(since: datetime) -> Iterator[list[Row]]:
	sessions, after = table(session_rows.DOCTYPE), ""
	changed = session_rows.select_all().where(sessions.modified >= since).orderby(sessions.name).limit(BATCH)
	while rows := ask(changed.where(sessions.name > after), COMMITTED):
		yield [Row._make(row) for row in rows]
		after = rows[-1][0]


def _entry(row: Row) -> list:
	return [row.name, str(row.creation), row.version, row.turn_count, row.event_count, row.event_head]


def _last(places: list) -> dict[str, Any] | None:
	"""The document to go on from: a file's last line is believed before anything in the database."""
	lasts = (place.last() for place in places if isinstance(place, File))
	if last := next(lasts, None):
		if not is_genuine(last):
			raise AnchorFailed(_("The last line of the anchor file was not signed by this site."))
		return last
	kept = json.loads(frappe.db.get_global(STATE) or "null")
	return {**kept, "signature": kept["signed"]} if kept and is_genuine(kept) else None


def _remember(document: dict[str, Any]) -> None:
	"""Without its sessions, signed once more."""
	kept = {**document, "sessions": [], "signed": document["signature"]}
	kept["signature"] = signature(kept)
	frappe.db.set_global(STATE, json.dumps(kept))
	frappe.db.commit()  # the job, or the command, owns this transaction
