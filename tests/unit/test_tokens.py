"""Session tokens: only a digest is stored, a replaced one is good for one thing and for a minute."""

from datetime import timedelta

import pytest

from assistant_session.sessions import tokens
from tests.unit.made import NOON, row


@pytest.fixture
def replaced(at):
	"""A row whose token was replaced at noon by the answer to the message `key`; it and both tokens."""
	at(NOON)
	old, hashed = tokens.new()
	new, columns = tokens.rotated(row(token_hash=hashed), "key", NOON)
	return row(**columns), old, new


def test_a_token_is_long_new_each_time_and_not_in_what_is_stored():
	(one, stored), (other, _stored) = tokens.new(), tokens.new()
	assert one != other and len(one) >= 43 and one not in stored
	assert tokens.hash_of(one) == stored and len(stored) == 64


def test_a_token_opens_its_own_session_alone():
	token, stored = tokens.new()
	assert tokens.fits(row(token_hash=stored), token)
	for strange in ("", stored, token[:-1], token + "x", "\ud800"):
		assert not tokens.fits(row(token_hash=stored), strange)


def test_where_there_is_no_token_none_fits():
	for nobody in (None, row()):
		assert not any(
			tokens.fits(nobody, token) for token in ("", "None", tokens.NOBODY, "no session has this token")
		)


def test_after_a_replacement_the_new_one_opens_and_the_old_one_does_not(replaced):
	after, old, new = replaced
	assert tokens.fits(after, new) and not tokens.fits(after, old)


def test_the_old_one_asks_once_more_for_the_answer_that_replaced_it_for_a_minute(replaced, at):
	after, old, new = replaced
	assert tokens.fits_to_repeat(after, old, "key")
	assert not tokens.fits_to_repeat(after, new, "key")
	assert not tokens.fits_to_repeat(after, old, "another message")
	assert not tokens.fits_to_repeat(after, old, None)
	at(NOON + timedelta(seconds=tokens.REPEAT_SECONDS - 1))
	assert tokens.fits_to_repeat(after, old, "key")
	at(NOON + timedelta(seconds=tokens.REPEAT_SECONDS))
	assert not tokens.fits_to_repeat(after, old, "key")


def test_a_replacement_without_a_message_leaves_the_old_one_good_for_nothing(replaced):
	after, _old, new = replaced
	_newest, columns = tokens.rotated(after, None, NOON)
	again = after._replace(**columns)
	assert not tokens.fits_to_repeat(again, new, None) and not tokens.fits_to_repeat(again, new, "key")
	assert [getattr(again, column) for column in tokens.REPLACED] == [None] * 3


def test_without_a_row_or_the_time_until_when_a_replaced_token_is_good_for_nothing(replaced):
	after, old, _new = replaced
	assert not tokens.fits_to_repeat(after._replace(old_token_until=None), old, "key")
	assert not tokens.fits_to_repeat(None, old, "key")
