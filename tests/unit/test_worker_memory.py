"""Worker memory is bounded in entries and bytes, and safe to share between threads."""

import frappe
import pytest

from assistant_session.sessions.coherence.memory import memory
from dev.harness.together import together
from tests.unit.made import row


@pytest.fixture(autouse=True)
def empty(local):
	memory.clear()
	yield
	memory.clear()


def rows(number: int, size: int = 0) -> list:
	return [row(name=f"row{index}", context="x" * size) for index in range(number)]


def test_the_oldest_unused_entry_goes_first(configured):
	configured(memory_sessions=3)
	first, second, third, fourth = rows(4)
	for one in (first, second, third):
		memory.put(one)
	memory.get(first.name)
	memory.put(fourth)
	assert [memory.get(one.name) is not None for one in (first, second, third, fourth)] == [
		True,
		False,
		True,
		True,
	]


def test_bytes_are_bounded_too_and_a_giant_is_not_kept(configured):
	configured(memory_sessions=1000, memory_megabytes=1)
	for one in rows(20, size=100_000):
		memory.put(one)
	assert 1 <= len(memory) <= 10
	memory.clear()
	memory.put(rows(1, size=2_000_000)[0])
	assert len(memory) == 0


def test_threads_share_it_without_harm(configured, local):
	configured(memory_sessions=50)
	several, site = rows(200), local.site

	def use() -> None:
		frappe.local.site = site
		for one in several:
			memory.put(one)
			memory.get(one.name)

	together([use] * 8)
	assert len(memory) == 50


def test_where_the_bounds_are_others_what_fits_them_stays_and_what_is_too_large_goes(configured):
	configured(memory_sessions=10, memory_megabytes=4)
	small, large = row(name="small"), row(name="large", context="x" * 2_000_000)
	for one in (small, large):
		memory.put(one)
	configured(memory_sessions=10, memory_megabytes=1)
	memory.put(row(name="new"))
	kept = [memory.get(name) is not None for name in ("small", "large", "new")]
	assert kept == [True, False, True]
