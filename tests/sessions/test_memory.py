"""Worker memory is bounded in entries and bytes, and safe to share between threads."""

import dataclasses
import threading

import pytest


@pytest.fixture
def bounded(site, monkeypatch):
	from assistant_session.sessions import config

	def bound(**values) -> None:
		changed = dataclasses.replace(config.settings(), **values)
		monkeypatch.setitem(config.settings._kept, site.local.site, (float("inf"), changed))

	return bound


def rows(sessions, number: int, size: int = 0) -> list:
	base = sessions.open().row
	return [base._replace(name=f"row{index}", context="x" * size) for index in range(number)]


def test_the_oldest_unused_entry_goes_first(sessions, bounded):
	from assistant_session.sessions.coherence.memory import memory

	bounded(memory_sessions=3)
	first, second, third, fourth = rows(sessions, 4)
	for row in (first, second, third):
		memory.put(row)
	memory.get(first.name)
	memory.put(fourth)
	assert [memory.get(row.name) is not None for row in (first, second, third, fourth)] == [
		True,
		False,
		True,
		True,
	]


def test_bytes_are_bounded_too_and_a_giant_is_not_kept(sessions, bounded):
	from assistant_session.sessions.coherence.memory import memory

	bounded(memory_sessions=1000, memory_megabytes=1)
	for row in rows(sessions, 20, size=100_000):
		memory.put(row)
	assert 1 <= len(memory) <= 10
	memory.clear()
	memory.put(rows(sessions, 1, size=2_000_000)[0])
	assert len(memory) == 0


def test_threads_share_it_without_harm(sessions, site, bounded):
	from assistant_session.sessions.coherence.memory import memory

	bounded(memory_sessions=50)
	several, conf, errors = rows(sessions, 200), site.local.site, []

	def use() -> None:
		import frappe

		frappe.local.site = conf
		try:
			for row in several:
				memory.put(row)
				memory.get(row.name)
		except Exception as error:
			errors.append(error)

	threads = [threading.Thread(target=use) for _number in range(8)]
	[thread.start() for thread in threads]
	[thread.join() for thread in threads]
	assert errors == []
	assert len(memory) == 50


def test_a_turn_costs_the_same_statements_however_long_the_conversation(sessions, site, opened):
	def statements() -> list[str]:
		seen, sql = [], site.db.sql
		site.db.sql = lambda query, *arguments, **more: seen.append(str(query)) or sql(
			query, *arguments, **more
		)
		try:
			with sessions.turn(opened, "hello", message_id=f"m{sessions.get(opened).turn_count}") as turn:
				turn.reply("hi")
			site.db.commit()
		finally:
			site.db.sql = sql
		return seen

	statements()
	short = statements()
	for _number in range(100):
		with sessions.turn(opened, "hello") as turn:
			turn.reply("hi")
	site.db.commit()
	assert statements() == short
