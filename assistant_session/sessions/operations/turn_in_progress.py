"""The message being processed, as a bot sees it: what was said, the session to change, and what is answered so far."""

import json
from dataclasses import replace
from typing import Any

from frappe import _

from .. import bounds, config
from ..coherence.ledger import ledger
from ..errors import InvalidSessionData
from ..secrets import masking
from ..session import Session
from ..tables import turns
from ..tables.row import JSON_COLUMNS, Changes, Row, decode
from ..tables.turns import Draft, Turn
from ..vantage import Vantage
from ..verification import Outcome, Verification


class TurnInProgress:
	"""The message being processed: `message`, `intent`, `session` (a Session to change), and what is answered so far.

	`repeated` is true if this `message_id` was stored before: `replies` are then the stored ones, and leaving
	the block writes nothing. What looks like a credential of an Identity Check is masked in `message` and in what is
	stored: a bot that keeps the message in a flow keeps no credential. `raw_message` is what was typed, for reading
	credentials; replies, context and flows do not repeat what is masked in it.
	"""

	def __init__(self, row: Row, origin: str, message: str, intent: str | None, message_key: str | None):
		self.session = Session(row, origin)
		self.raw_message, self.intent, self.message_key = message, intent, message_key
		self.verification = Verification()
		self.repeated = False
		self._patterns = config.settings().credential_patterns
		self._stored_as, self._typed = masking.split(self._patterns, message)
		self.message = self._stored_as
		self._concealed = False
		self.role = turns.USER
		self.stored: list[Turn] = []
		self.drafts: list[Draft] = []

	def repeat(self, stored: tuple[int, str], message: str, vantage: Vantage) -> None:
		"""This message is stored already, as the turn of that sequence and digest: answer it as it was answered. Another
		person's message, from before this one was verified, is no message of this one's. Raises InvalidSessionData."""
		sequence, digest = stored
		name, hidden = self.session.id, sequence <= self.session.hidden_turns
		if hidden or turns.digest_of(name, message, like=digest) != digest:
			raise InvalidSessionData(_("message_id: this id was used for another message of the session."))
		self.repeated = True
		self.stored = turns.exchange(name, sequence, vantage) or turns.exchange(name, sequence)

	@property
	def outcome(self) -> Outcome | None:
		"""What became of the credentials in this message, None if there were none. See authentication.submit."""
		return self.verification.outcome

	@property
	def replies(self) -> list[str]:
		"""What the assistant answers, or answered the first time."""
		if self.repeated:
			return [turn.content for turn in self.stored if turn.role == turns.ASSISTANT]
		return [draft.content for draft in self.drafts if draft.role == turns.ASSISTANT]

	def reply(self, text: str, *, intent: str | None = None, metadata: dict | None = None) -> None:
		"""Answer; may be called several times, up to 50. Ignored while a stored message is repeated."""
		self._add(turns.ASSISTANT, text, intent, metadata)

	def note(self, text: str, *, metadata: dict | None = None) -> None:
		"""Add a turn of the role `system`."""
		self._add(turns.SYSTEM, text, None, metadata)

	def conceal(self, text: str = masking.MASK) -> None:
		"""Store `text`, and show it to the bot, instead of the message, which holds credentials; and nothing of its metadata."""
		self.message = self._stored_as = masking.masked(self._patterns, text)
		self._typed += masking.numbers(self.raw_message)
		self._concealed = True

	def as_stored(self, draft: Draft) -> Draft:
		"""The person's message as it may be kept."""
		if self.role != turns.USER:
			return draft
		metadata = None if self._concealed else draft.metadata
		if self._patterns and metadata:
			metadata = bounds.json_object(masking.masked_json(self._patterns, decode(metadata)), "metadata")
		return replace(draft, content=self._stored_as, metadata=metadata)

	def without_typed(self, changes: Changes) -> dict[str, Any]:
		"""Changed columns in which what is masked in the message is masked as well."""
		return {
			column: self._without_typed(value) if column in JSON_COLUMNS and value else value
			for column, value in changes.items()
		}

	def _without_typed(self, text: str) -> str:
		for typed in self._typed:
			text = text.replace(typed, masking.MASK).replace(json.dumps(typed)[1:-1], masking.MASK)
		return text

	def _add(self, role: str, text: str, intent: str | None, metadata: dict | None) -> None:
		if self.repeated:
			return
		if len(self.drafts) >= turns.MOST_REPLIES:
			raise InvalidSessionData(
				_("reply: at most {0} replies to one message are allowed.").format(turns.MOST_REPLIES)
			)
		text = bounds.message(text, "reply")
		text = masking.masked(config.settings().own_patterns, self._without_typed(text))
		self.drafts.append(draft(role, text, intent, metadata, answers=len(self.drafts) + 1))


def draft(role: str, text: str, intent: str | None, metadata: dict | None, *, answers: int = 0) -> Draft:
	return Draft(
		role,
		bounds.message(text, "message" if role == turns.USER else "reply"),
		bounds.optional_label(intent, "intent"),
		metadata=bounds.json_object(metadata, "metadata") if metadata else None,
		answers=answers,
	)


def running(name: str) -> TurnInProgress | None:
	"""The message of this session that is being processed on this connection."""
	found = ledger().running.get(name)
	return found.turn if found and isinstance(found.turn, TurnInProgress) else None
