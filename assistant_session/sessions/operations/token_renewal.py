"""A token that was replaced: who repeats the message whose answer replaced it gets a new one, once."""

from .. import config, tokens
from ..coherence import writing
from ..coherence.writing import Write
from ..errors import SessionNotFound
from ..tables.row import Row


def renew(name: str, old_token: str, message_key: str) -> str:
	"""The token for who repeats a message whose answer replaced theirs; once. Raises SessionNotFound."""
	made = []

	def decide(row: Row) -> Write:
		if not tokens.fits_to_repeat(row, old_token, message_key):
			raise SessionNotFound.of()
		token, changes = tokens.rotated(row, None, config.now())
		made.append(token)
		return Write(changes)

	writing.change(name, decide)
	return made[-1]


def end_replaced(name: str) -> None:
	"""The replaced token is good for nothing any more."""
	writing.change(name, lambda row: Write(dict.fromkeys(tokens.REPLACED) if row.old_token_hash else {}))
