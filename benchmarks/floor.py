"""The floor: the same rows, written by bare driver statements on the same connection.

One SELECT of the columns the app reads, one UPDATE of those it writes (with its check of version and
revision), one INSERT of two turns, COMMIT: four trips to the database. Nobody is asked whether the session
may be used, nothing is merged, marked, published or remembered, and a repeated message is stored twice.
"""

import secrets
from datetime import datetime, timedelta

from assistant_session.sessions import config
from assistant_session.sessions.tables import session_rows, turns
from assistant_session.sessions.tables.row import COLUMNS, Row

from . import driver
from .histories import MESSAGE, REPLY, STATE, TURN_COLUMNS, Conversation

CHANGED = (
	"current_state", "previous_state", "turn_count", "last_activity", "expires_at", "version", "revision",
	"seal", "modified",
)  # fmt: skip
SEAL = "k1:" + "0" * 64  # the floor computes none


class Floor:
	every = 1

	def __init__(self, length: int):
		self.conversation = Conversation(length)
		table = driver.quoted(f"tab{session_rows.DOCTYPE}")
		name, version, revision = map(driver.quoted, ("name", "version", "revision"))
		assignments = ", ".join(f"{driver.quoted(column)} = %s" for column in CHANGED)
		self.select = f"SELECT {driver.columns(COLUMNS)} FROM {table} WHERE {name} = %s"
		self.update = (
			f"UPDATE {table} SET {assignments} WHERE {name} = %s AND {version} = %s AND {revision} = %s"
		)
		self.insert = driver.insert(turns.DOCTYPE, TURN_COLUMNS, 2)

	def rewind(self) -> None:
		self.conversation.rewind()

	def ready(self) -> None:
		self.conversation.publish(in_memory=False)

	def begin(self) -> None:
		"""Nothing but its session has to be ready."""

	def turn(self, message_id: str) -> None:
		name, cursor, now = self.conversation.name, driver.cursor(), config.now()
		cursor.execute(self.select, (name,))
		row = Row._make(cursor.fetchone())
		cursor.execute(self.update, _changes(row, now))
		cursor.execute(self.insert, _turns(row, message_id, now))
		cursor.execute("COMMIT")

	def done(self) -> None:
		"""Nothing of it is kept in this process."""


def _changes(row: Row, now: datetime) -> tuple:
	revision = str(secrets.randbelow(session_rows.REVISION_RANGE))
	expires = now + timedelta(seconds=row.ttl)
	return (
		f"{STATE}_DONE", row.current_state, row.turn_count + 2, now, expires, row.version + 1, revision, SEAL, now,
		row.name, row.version, row.revision,
	)  # fmt: skip


def _turns(row: Row, message_id: str, now: datetime) -> tuple:
	"""The values of two rows in the order of TURN_COLUMNS."""
	asked, answered = row.turn_count + 1, row.turn_count + 2
	key, name, state = turns.key_of(row.name, message_id), row.name, f"{STATE}_DONE"
	digest, tail = turns.digest_of(name, MESSAGE), (SEAL, now, "Administrator", "Administrator", 0, 0)
	return (
		turns.name_of(name, asked), name, asked, turns.USER, MESSAGE, None, state, key, 0, None, now, digest, *tail,
		turns.name_of(name, answered), name, answered, turns.ASSISTANT, REPLY, None, state, None, asked, None, now, None,
		*tail,
	)  # fmt: skip
