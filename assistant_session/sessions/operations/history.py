"""Reading a page of the conversation."""

from .. import bounds, config
from ..coherence import reading
from ..coherence.ledger import ledger
from ..tables import turns
from ..tables.turns import Turn
from .turn_in_progress import running


def history(
	session_id: str, *, before: int | None = None, after: int | None = None, limit: int = 50
) -> list[Turn]:
	"""At most `limit` turns in order: the last ones, those before sequence `before`, or those after `after`.

	Costs the same however long the conversation is. Also for closed sessions. Turns from before somebody else was
	verified in the session are another person's, and not given. Raises SessionNotFound.
	"""
	name = bounds.session_id(session_id)
	bounds.number(limit, "limit", 1, config.settings().history_page)
	for value, text in ((before, "before"), (after, "after")):
		if value is not None:
			bounds.number(value, text, 0, 2**31)
	row, _origin = reading.read(name)
	last = min(row.turn_count, (before - 1) if before is not None else row.turn_count)
	turn, vantage = running(name), ledger().vantage(name)
	gone = max(row.purged_turns, row.hidden_turns, turn.session.hidden_turns if turn else 0)
	if after is not None:
		after = max(after, gone)
		return turns.between(name, after + 1, min(after + limit, last), vantage)
	return turns.between(name, max(last - limit, gone) + 1, last, vantage)
