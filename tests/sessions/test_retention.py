"""What ended long ago goes, children first, in small steps; a legal hold keeps it."""

import json

import pytest

from tests import in_workers
from tests.races import race
from tests.sealed import every_seal_fits
from tests.sessions.in_workers import racing

__all__ = ["every_seal_fits"]

LONG_AGO = "2001-01-01 00:00:00"
DAYS = 9000


@pytest.fixture
def retention(site):
	from assistant_session.maintenance import retention

	site.db.sql("update `tabConversation Session` set legal_hold = 0 where closed_at < '2002-01-01'")
	site.db.commit()
	retention.purge(DAYS)
	return retention


@pytest.fixture
def ended(sessions, site, set_row):
	"""`ended(number, turns)` makes sessions that ended long ago."""

	made = []

	def make(number: int, turns: int = 2, **values) -> list[str]:
		names = []
		for _session in range(number):
			names.append(sessions.open().id)
			for _turn in range(turns):
				sessions.add_turn(names[-1], "user", "hello")
			sessions.close(names[-1], "done")
		site.db.commit()
		for name in names:
			set_row(name, closed_at=LONG_AGO, **values)
		made.extend(names)
		return names

	yield make
	for name in made:
		set_row(name, legal_hold=0)


@pytest.fixture
def left(site):
	"""Rows of a session: itself, turns, events."""

	def count(name: str) -> tuple[int, int, int]:
		site.db.rollback()
		return (
			site.db.count("Conversation Session", {"name": name}),
			site.db.count("Conversation Turn", {"session": name}),
			site.db.count("Session Event", {"session": name}),
		)

	return count


def test_sessions_go_with_all_that_belongs_to_them(retention, ended, left, sessions, site):
	names = ended(3)
	young = sessions.open().id
	sessions.close(young, "done")
	site.db.commit()
	assert retention.count(DAYS) == {"sessions": 3, "held": 0}
	assert retention.purge(DAYS) == 3 * (1 + 2 + 2)
	assert [left(name) for name in names] == [(0, 0, 0)] * 3
	assert left(young) == (1, 0, 2)


def test_every_worker_says_not_found_afterwards(retention, ended, worker):
	(name,) = ended(1)
	other = worker()
	assert len(other.run(in_workers.contents, name)) == 2
	retention.purge(DAYS)
	assert other.run(in_workers.refusal, name) == "SessionNotFound"


def test_a_legal_hold_keeps_them_and_is_counted(retention, ended, left):
	(held,) = ended(1, legal_hold=1)
	(free,) = ended(1)
	assert retention.count(DAYS) == {"sessions": 1, "held": 1}
	retention.purge(DAYS)
	assert left(held) == (1, 2, 2) and left(free) == (0, 0, 0)


def test_a_step_is_bounded_and_turns_go_before_their_session(retention, ended, left, site, monkeypatch):
	(name,) = ended(1, turns=5)
	monkeypatch.setattr(retention, "ROWS", 3)
	ended_before = retention.Ended(retention._before(DAYS))
	assert ended_before.purge() == 3
	site.db.commit()
	assert left(name) == (1, 2, 2)
	monkeypatch.setattr(retention, "ROWS", 2000)
	assert ended_before.purge() == 2 + 2 + 1
	site.db.commit()
	assert left(name) == (0, 0, 0)


def test_two_that_run_at_once_share_the_work(retention, ended, left, worker):
	names = ended(30)
	assert sum(purged for (purged,) in race(worker, racing.purge, [{"days": DAYS}] * 2)) == 30 * 5
	assert all(left(name) == (0, 0, 0) for name in names)


def test_those_somebody_has_locked_do_not_keep_the_later_ones_waiting(
	retention, ended, left, worker, monkeypatch
):
	names = ended(4)
	monkeypatch.setattr(retention, "SESSIONS", 2)
	holder = worker()
	first = sorted(names)[:2]
	holder.run(in_workers.lock_rows, *first)
	assert retention.purge(DAYS) == 2 * 5
	assert [left(name) for name in first] == [(1, 2, 2)] * 2
	holder.rollback()
	assert retention.purge(DAYS) == 2 * 5


def test_frappes_log_settings_clear_them(retention, ended, left, site):
	(name,) = ended(1)
	assert site.get_hooks("default_log_clearing_doctypes")["Conversation Session"] == [365]
	settings = site.get_single("Log Settings")
	settings.set("logs_to_clear", [{"ref_doctype": "Conversation Session", "days": DAYS}])
	settings.remove_unsupported_doctypes()
	assert settings.logs_to_clear, "Log Settings take our DocType"
	settings.clear_logs()
	assert left(name) == (0, 0, 0)
	site.db.rollback()


def test_the_shell_purges_only_when_told_to(stage, retention, ended, left):
	(name,) = ended(1)
	done = stage.command("assistant-session", "purge", "--older-than", str(DAYS))
	assert done.returncode == 0 and "1 sessions" in done.stdout and left(name) == (1, 2, 2)
	done = stage.command("assistant-session", "purge", "--older-than", str(DAYS), "--yes", "--json")
	assert json.loads(done.stdout)["removed_rows"] == 5 and left(name) == (0, 0, 0)
	assert stage.command("assistant-session", "purge", "--older-than", "0", "--yes").returncode == 2


def test_entries_that_are_missing_are_made_and_keep_as_long_as_sessions_are_kept(site):
	"""On a site from before there were any: nothing goes that nobody decided upon."""
	from assistant_session import install

	site.db.delete("Logs To Clear", {"parent": "Log Settings"})
	row = {"ref_doctype": "Conversation Session", "days": 3650, "parent": "Log Settings", "idx": 1}
	row.update(doctype="Logs To Clear", parenttype="Log Settings", parentfield="logs_to_clear")
	site.get_doc(row).db_insert()  # without what newer versions of Frappe add when Log Settings are saved
	install.after_migrate()
	days = {row.ref_doctype: row.days for row in site.get_single("Log Settings").logs_to_clear}
	assert days["Conversation Turn"] == days["Session Event"] == 3650
	assert (days["Conversation Session"], days["Session Metric"]) == (3650, 400)
	site.db.rollback()
