"""The register while nobody listens: what could not be said is noted, to be made up for."""

import frappe
import pytest

from assistant_session.sessions.coherence import register

ENTRY, LEASE = (lambda: register.key("register", "one")), (lambda: register.key(register.LEASE, "one"))


@pytest.fixture
def here(local, monkeypatch):
	monkeypatch.setitem(frappe.local.conf, "redis_cache", "redis://127.0.0.1:1")  # nobody listens there
	register._connections.clear()
	yield register.connection()
	register._connections.clear()


@pytest.mark.parametrize("entry", ["2:5", ""], ids=["COMMIT", "ROLLBACK"])
def test_who_cannot_tell_how_a_transaction_ended_deletes_the_mark_and_gives_the_lease_back_later(here, entry):
	assert register.leave("one", register.new_mark(), entry=entry, lease_token="7") is False
	assert (set(here.unmarked), here.unreleased) == ({ENTRY()}, {LEASE(): "7"})


def test_without_a_lease_none_is_given_back(here):
	assert register.leave("one", register.new_mark()) is False
	assert (set(here.unmarked), here.unreleased) == ({ENTRY()}, {})


@pytest.mark.parametrize("names", [["one"], ["one", "two"]])
@pytest.mark.parametrize("what", ["mark", "forget"])
def test_what_could_not_be_marked_or_forgotten_is_deleted_later(here, names, what):
	if what == "mark":
		register.mark(names, register.new_mark())
	else:
		register.forget(names)
	assert set(here.unmarked) == {register.key("register", name) for name in names}
