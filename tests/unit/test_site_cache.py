"""What is read for a site is kept for a few seconds, for that site alone, and for longer while the database is away."""

import itertools
from types import SimpleNamespace

import pytest


class Away(Exception):
	"""What stands for a connection that is lost."""


@pytest.fixture
def local(monkeypatch):
	"""What stands for Frappe's, without a site to connect to."""
	from assistant_session import site_cache

	local = SimpleNamespace(site="one.localhost")
	monkeypatch.setattr(site_cache, "frappe", SimpleNamespace(local=local))
	monkeypatch.setattr(
		site_cache.database_errors, "is_connection_lost", lambda error: isinstance(error, Away)
	)
	return local


@pytest.fixture
def clock(monkeypatch):
	from assistant_session import site_cache

	now = [100.0]
	monkeypatch.setattr(site_cache.time, "monotonic", lambda: now[0])
	return now


@pytest.fixture
def numbered(local, clock):
	"""Says the how manieth reading it is."""
	from assistant_session.site_cache import SiteCache

	return SiteCache(itertools.count(1).__next__)


def away() -> int:
	raise Away


def test_it_is_read_anew_when_it_is_old(numbered, clock):
	from assistant_session.site_cache import FRESH_SECONDS

	seen = [numbered()]
	for seconds in (FRESH_SECONDS - 0.1, 0.1, FRESH_SECONDS):
		clock[0] += seconds
		seen.append(numbered())
	assert seen == [1, 1, 2, 3]


def test_another_site_has_its_own(numbered, local):
	assert numbered() == 1
	local.site = "other.localhost"
	assert (numbered(), numbered()) == (2, 2)
	numbered.forget()
	local.site = "one.localhost"
	assert numbered() == 1


def test_what_was_saved_here_shows_at_once(numbered):
	assert numbered() == 1
	numbered.forget()
	assert numbered() == 2


def test_while_the_database_is_away_what_was_read_goes_on(numbered, clock, monkeypatch):
	assert numbered() == 1
	monkeypatch.setattr(numbered, "_read", away)
	clock[0] += 60
	assert numbered() == 1


def test_what_was_never_read_or_fails_for_another_reason_is_an_error(numbered, clock, monkeypatch):
	monkeypatch.setattr(numbered, "_read", away)
	with pytest.raises(Away):
		numbered()
	numbered.keep(7)
	clock[0] += 60
	monkeypatch.setattr(numbered, "_read", lambda: 1 // 0)
	with pytest.raises(ZeroDivisionError):
		numbered()
