"""Flows and their versions: what is begun, merged, migrated, refused as newer, and over."""

from datetime import timedelta

import frappe
import pytest

from assistant_session.sessions import flow_versions, flows
from assistant_session.sessions.errors import FlowIsNewer, FlowNotMigrated, InvalidSessionData
from tests.flow_migrations import migrate_and_fail, migrate_to_no_step, migrate_to_nothing
from tests.unit.made import NOON

__all__ = ["migrate_and_fail", "migrate_to_no_step", "migrate_to_nothing"]  # found by their names

HOOKS = (flow_versions.VERSIONS, flow_versions.MIGRATIONS)
OLD = {"treatment": "cleaning"}


@pytest.fixture(autouse=True)
def register(local, monkeypatch, at):
	"""`register(version, migration)` for the flow `booking`, as the hooks of installed apps would have them."""
	registered: dict = {}
	monkeypatch.setattr(frappe, "get_hooks", lambda hook=None, *_more, **_named: registered.get(hook, {}))
	local.flags.in_install = "assistant_session"  # Frappe calls functions of installed apps alone
	at(NOON)

	def put(version=None, migration=None) -> None:
		registered.clear()
		for hook, value in zip(HOOKS, (version, migration and f"{__name__}.{migration}"), strict=True):
			if value is not None:
				registered[hook] = {"booking": [value]}

	return put


@pytest.fixture
def stored(register):
	"""Flows of a session in which code of version 1 has begun a booking."""
	register(1)
	found: dict = {}
	flows.put(found, "booking", "treatment", OLD, version=None, ttl=600, public=["treatment"])
	return found


def migrate(data, from_version, to_version, step):
	return {"service": data.pop("treatment")}, "service"


def migrate_data_alone(data, from_version, to_version):
	return {"service": f"{data['treatment']} {from_version} {to_version}"}


def put(stored, step="confirm", data=None, version=None, **more):
	return flows.put(stored, "booking", step, data, version=version, ttl=None, **more)


def take(stored, version=None):
	return flows.take(stored, "booking", version=version)


def test_a_flow_begins_with_its_start_its_version_and_its_end(stored):
	assert stored["booking"] == {
		"step": "treatment", "data": OLD, "version": 1, "public": ["treatment"],
		"started_at": NOON.isoformat(), "expires_at": (NOON + timedelta(seconds=600)).isoformat(),
	}  # fmt: skip


def test_setting_it_again_adds_to_its_data_and_keeps_the_rest(stored):
	before = dict(stored["booking"])
	put(stored, "day", {"day": "Monday"})
	assert stored["booking"] == {**before, "step": "day", "data": {**OLD, "day": "Monday"}}


def test_what_is_read_is_a_copy(stored):
	take(stored).data["day"] = "Monday"
	assert stored["booking"]["data"] == OLD


def test_reading_migrates_the_copy_and_stores_nothing(stored, register):
	register(2, "migrate")
	flow = take(stored)
	assert (flow.version, flow.step, flow.data, flow.outdated) == (
		2,
		"service",
		{"service": "cleaning"},
		False,
	)
	assert (stored["booking"]["version"], stored["booking"]["data"]) == (1, OLD)


def test_setting_migrates_before_anything_is_added(stored, register):
	register(2, "migrate")
	put(stored, "confirm", {"day": "Monday"})
	assert (stored["booking"]["version"], stored["booking"]["step"]) == (2, "confirm")
	assert stored["booking"]["data"] == {"service": "cleaning", "day": "Monday"}


def test_a_migration_of_three_arguments_keeps_the_step(stored, register):
	register(3, "migrate_data_alone")
	assert (take(stored).step, take(stored).data) == ("treatment", {"service": "cleaning 1 3"})


@pytest.mark.parametrize(
	("migration", "reason"),
	[
		("migrate_and_fail", "KeyError"), ("migrate_to_nothing", "InvalidSessionData"),
		("migrate_to_no_step", "InvalidSessionData"), ("there_is_none", "AttributeError"),
	],
)  # fmt: skip
def test_a_migration_that_fails_changes_nothing_and_shows_no_data(stored, register, migration, reason):
	register(2, migration)
	before = dict(stored["booking"])
	for attempt in (take, put):
		with pytest.raises(FlowNotMigrated, match=rf"version 1 to 2 failed \({reason}\)") as refused:
			attempt(stored)
		assert "cleaning" not in str(refused.value)
	assert stored["booking"] == before


def test_where_no_migration_is_registered_it_is_read_outdated_and_not_written(stored, register):
	register(2)
	flow = take(stored)
	assert (flow.outdated, flow.version, flow.data) == (True, 1, OLD)
	with pytest.raises(FlowNotMigrated, match=flow_versions.MIGRATIONS):
		put(stored)


def test_what_newer_code_stored_is_read_as_it_is_and_written_by_nobody_older(stored, register):
	register(2, "migrate")
	put(stored)
	register(1, "migrate")
	assert (take(stored).outdated, take(stored).version) == (True, 2)
	with pytest.raises(FlowIsNewer, match="in version 2, this code knows 1"):
		put(stored)
	register()
	assert take(stored).outdated
	put(stored, "day")  # who says no version keeps the stored one
	assert stored["booking"]["version"] == 2


def test_a_version_said_in_the_call_counts_more_than_a_registered_one(stored, register):
	register(1, "migrate")
	assert take(stored, version=2).data == {"service": "cleaning"}


def test_past_its_time_it_is_gone_and_begins_anew_without_a_migration(stored, register, at):
	at(NOON + timedelta(seconds=600))
	register(2, "migrate_and_fail")
	assert take(stored) is None and flows.as_stored(stored, "booking") is None
	put(stored, "service", {"service": "filling"})
	assert (stored["booking"]["version"], stored["booking"]["data"]) == (2, {"service": "filling"})


@pytest.mark.parametrize("version", ["2", -1, True, 10**7, 1.5])
def test_a_version_that_is_no_whole_number_is_named(stored, register, version):
	register(version)
	with pytest.raises(InvalidSessionData, match=f"{flow_versions.VERSIONS} .* booking"):
		put(stored)


@pytest.mark.parametrize(
	"broken",
	[
		{"step": None}, {"data": []}, {"version": "1"}, {"version": None}, {"public": "treatment"},
		{"public": [1]}, {"expires_at": "tomorrow"},
	],
)  # fmt: skip
def test_what_no_put_has_written_is_refused(stored, broken):
	flows.check(stored)
	stored["booking"].update(broken)
	with pytest.raises(InvalidSessionData):
		flows.check(stored)


def test_a_flow_without_its_fields_is_refused():
	for empty in ({}, {"step": "a", "data": {}}, {"step": "a", "version": 1}):
		with pytest.raises(InvalidSessionData):
			flows.check({"booking": empty})
