"""The audit chain: each event's digest covers what it says and the one before it."""

from datetime import datetime

import pytest

from assistant_session.sessions.secrets import keys
from assistant_session.sessions.tables import audit_chain, events
from assistant_session.sessions.tables.audit_chain import Event
from tests.unit.made import NOON, row


def test_a_digest_depends_on_everything_it_covers():
	given = ["before", "session", 1, "closed", "said", datetime(2026, 1, 1)]
	others = ["other", "other", 2, "opened", "other", datetime(2026, 1, 2)]
	digests = {audit_chain.link(*given)}
	for place, other in enumerate(others):
		digests.add(audit_chain.link(*given[:place], other, *given[place + 1 :]))
	assert len(digests) == 1 + len(others)
	said = [("actor", "{}", "aa"), ("other", "{}", "aa"), ("actor", '{"a":1}', "aa"), ("actor", "{}", "ab")]
	assert len({audit_chain.commitment(*one) for one in said}) == len(said)


def chained(before, *kinds: str) -> tuple:
	"""The row after these events, and the events as they are stored."""
	columns, records = audit_chain.chain(before, [Event(kind, {"why": kind}) for kind in kinds], NOON)
	return before._replace(**columns), [dict(zip(events.COLUMNS, one, strict=False)) for one in records]


def followed(head: str, records: list[dict]) -> str:
	"""The head one comes to by going through stored events."""
	for one in records:
		said = audit_chain.commitment(one["actor"], one["details"], one["salt"])
		head = audit_chain.link(head, one["session"], one["sequence"], one["event"], said, NOON)
	return head


def test_the_row_has_count_and_head_of_the_chain_and_the_next_write_goes_on_from_it():
	once, first = chained(row(), "created", "authenticated")
	twice, second = chained(once, "closed")
	assert (once.event_count, twice.event_count) == (2, 3)
	assert [one["name"] for one in first + second] == ["one-00000001", "one-00000002", "one-00000003"]
	assert followed("", first) == once.event_head and followed("", first + second) == twice.event_head
	assert second[0]["digest"] == twice.event_head


def test_without_events_nothing_changes():
	assert audit_chain.chain(row(), [], NOON) == ({}, [])


@pytest.mark.parametrize("column", ["actor", "details", "event", "sequence", "session", "salt"])
def test_an_altered_event_no_longer_leads_to_the_head(column):
	after, records = chained(row(), "created", "closed")
	records[0][column] = 7 if column == "sequence" else "other"
	assert followed("", records) != after.event_head


def test_a_removed_a_cut_off_and_a_swapped_event_show():
	after, records = chained(row(), "created", "authenticated", "closed")
	for others in (records[1:], records[:-1], records[::-1]):
		assert followed("", others) != after.event_head


def test_an_erased_event_keeps_its_place_in_the_chain_and_says_nothing():
	after, (record,) = chained(row(), "created")
	kept = audit_chain.commitment(record["actor"], record["details"], record["salt"])
	record.update(actor="", salt=None, details=f'{{"{audit_chain.ERASED}": "{kept}"}}')
	assert followed("", [record]) == after.event_head and "created" not in record["details"]


def test_what_was_purged_is_gone_on_from_and_nobody_else_can_say_so():
	purged = row(purged_events=4, event_base=audit_chain.sealed("one", 4, "digest"))
	assert audit_chain.base_of(purged) == "digest"
	for forged in (
		purged._replace(purged_events=5),
		purged._replace(name="two"),
		purged._replace(event_base=purged.event_base.replace("digest", "another")),
		purged._replace(event_base=None),
		row(event_base="digest"),
	):
		assert audit_chain.base_of(forged) is None
	assert audit_chain.base_of(row()) == ""


def test_the_same_event_on_another_site_or_with_another_key_has_another_digest(local):
	given = ("", "one", 1, "created", "said", NOON)
	seen = {audit_chain.link(*given)}
	local.conf[keys.CONFIG] = {"current": "k1", "k1": "ab" * 32}
	seen.add(audit_chain.link(*given))
	local.site = "elsewhere.localhost"
	assert len(seen | {audit_chain.link(*given)}) == 3
