"""Which rows are locked as they are read, and who waits for them."""

import pytest

from assistant_session.sessions.tables import session_rows
from assistant_session.sessions.vantage import COMMITTED, HERE, LOCKED


@pytest.fixture
def asked(monkeypatch):
	"""`asked(…)`: the statement by which a row is read."""
	said = []

	def run(_key, build, *_more):
		said.append(build().get_sql())
		return ()

	def select(*arguments, **named) -> str:
		assert session_rows.select("one", *arguments, **named) is None
		return said.pop()

	monkeypatch.setattr(session_rows, "run", run)
	return select


def test_who_does_not_wait_is_told_at_once_that_somebody_else_has_the_row(asked):
	"""The database's own patience is 50 seconds, and its error is the same."""
	assert asked(LOCKED, wait=False).endswith(" FOR UPDATE NOWAIT")
	assert asked(LOCKED).endswith(" FOR UPDATE")


@pytest.mark.parametrize("vantage", [HERE, COMMITTED])
def test_a_reader_locks_nothing(asked, vantage):
	assert "FOR UPDATE" not in asked(vantage) and "FOR UPDATE" not in asked(vantage, wait=False)
