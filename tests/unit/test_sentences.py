"""What is said when no translation can be looked up, and the words by which a person leaves a verification."""

import pytest

from assistant_session.authentication import phrases
from assistant_session.sessions import errors
from assistant_session.sessions.errors import SessionStoreUnavailable


@pytest.mark.parametrize(
	("made", "said"),
	[(SessionStoreUnavailable.of, errors.OUT_OF_REACH), (SessionStoreUnavailable.in_doubt, errors.IN_DOUBT)],
)
def test_without_a_database_each_error_says_its_own_sentence(monkeypatch, made, said):
	def away(_text):
		raise ConnectionError

	monkeypatch.setattr(errors, "_", away)
	assert str(made()) == said
	assert errors.OUT_OF_REACH != errors.IN_DOUBT


@pytest.mark.parametrize("text", ["cancel", " Cancel. ", "“cancel”", "„cancel“", "«cancel»", "'stop'"])
def test_a_word_that_was_copied_with_its_quotes_is_understood(monkeypatch, text):
	monkeypatch.setattr(phrases, "_", lambda one: one)
	assert phrases.is_cancel(text) and not phrases.is_help(text)
