"""Doing a write again when the database threw the transaction away, and what its errors mean to a caller."""

import random
import time
from collections.abc import Callable
from typing import Any

from ... import database, database_errors
from ...counters import counters
from ..errors import SessionBusy, SessionConflict, SessionError, SessionStoreUnavailable
from .ledger import ledger

TRIES = 8  # of a write that the database throws away; PostgreSQL does so each time somebody else was faster
LONGEST_PAUSE = 0.05  # seconds before it is tried again
REFUSALS: dict[type[SessionError], tuple[str, str]] = {
	SessionConflict: ("conflicts", "refused"),
	SessionBusy: ("busy", ""),
}


def repeated(name: str, attempt: Callable[[bool], Any]) -> Any:
	"""What `attempt(is_the_first)` returns, tried again whole when the database threw the transaction away and
	nothing else was written in it; other database errors as `translate` has them."""
	here = ledger()
	for number in range(TRIES):
		clean = not database.primary().transaction_writes
		try:
			return attempt(number == 0)
		except Exception as error:
			here.unmark_unwritten(name)
			lost = database_errors.is_lost_transaction(error)
			translated = translate(error, name)
			if translated is error:
				raise
			if not (lost and clean) or number + 1 == TRIES:
				raise refused(translated) from error
			time.sleep(random.uniform(0, LONGEST_PAUSE) if number else 0)
	raise AssertionError("unreachable")


def refused(error: Exception) -> Exception:
	"""The error, counted once however many callers it passes through, if it refuses somebody for another's sake."""
	kind = next((REFUSALS[kind] for kind in REFUSALS if isinstance(error, kind)), None)
	if kind and isinstance(error, SessionError) and not error.counted:
		error.counted = True
		counters.count(*kind)
	return error


def translate(error: Exception, name: str) -> Exception:
	"""What a database error means to a caller; other errors as they are. After a lost transaction what Frappe and
	the ledger know of it is brought in line."""
	if database_errors.is_connection_lost(error):
		return SessionStoreUnavailable.of(name)
	if database_errors.is_lock_wait(error):
		return SessionBusy.of(name)
	if database_errors.is_lost_transaction(error):
		return _after_lost_transaction(name)
	return refused(error)


def _after_lost_transaction(name: str) -> Exception:
	here = ledger()
	try:
		database.primary().rollback()
	except database_errors.every_kind():  # its connection is closed by now
		return SessionStoreUnavailable.of(name)
	finally:
		here.after_rollback()
	return SessionConflict.on(name, "the transaction")
