"""A flow's version is registered once; what older code stored is migrated before anything is added to it."""

import pytest

from assistant_session.demo import shop
from assistant_session.sessions import flow_versions
from tests.flow_migrations import migrate_and_fail, migrate_to_no_step, migrate_to_nothing

__all__ = ["migrate_and_fail", "migrate_to_no_step", "migrate_to_nothing"]  # found by their names

STORED = {"treatment": "cleaning"}
HOOKS = (flow_versions.VERSIONS, flow_versions.MIGRATIONS)
calls = []


@pytest.fixture
def register(site, monkeypatch):
	"""`register(version, migration)` for the flow `booking`, as if this app's hooks had them: in the form Frappe gives them."""
	read, registered = site.get_hooks, {}
	calls.clear()

	def get_hooks(hook=None, *more, **named):
		return registered.get(hook, []) if hook in HOOKS else read(hook, *more, **named)

	def put(version=None, migration=None):
		if migration in globals():  # Frappe calls functions of installed apps alone
			monkeypatch.setattr(shop, migration, globals()[migration], raising=False)
		registered.clear()
		for hook, value in zip(HOOKS, (version, migration and f"{shop.__name__}.{migration}"), strict=True):
			if value is not None:
				site.append_hook(registered, hook, {"booking": value})

	monkeypatch.setattr(site, "get_hooks", get_hooks)
	return put


@pytest.fixture
def booking(sessions, opened, register):
	"""A session with a booking that code of version 1 has begun."""
	register(1)
	sessions.set_flow(opened, "booking", "treatment", STORED, ttl=600, public=["treatment"])
	return opened


def migrate(data, from_version, to_version, step):
	calls.append((dict(data), from_version, to_version, step))
	return {"service": data.pop("treatment")}, "service" if step == "treatment" else step


def migrate_data_alone(data, from_version, to_version):
	return {"service": data["treatment"]}


def stored(sessions, name):
	return sessions.get(name).flows["booking"]


def test_what_is_set_is_added_to_the_migrated_data_and_stored_with_its_version(sessions, booking, register):
	register(2, "migrate")
	begun = stored(sessions, booking)
	sessions.set_flow(booking, "booking", "confirm", {"day": "Monday"})
	kept = stored(sessions, booking)
	assert (kept["version"], kept["step"]) == (2, "confirm")
	assert kept["data"] == {"service": "cleaning", "day": "Monday"}
	assert [kept[name] for name in ("started_at", "expires_at", "public")] == [
		begun[name] for name in ("started_at", "expires_at", "public")
	]
	assert calls == [(STORED, 1, 2, "treatment")]
	assert sessions.get_flow(booking, "booking").data == kept["data"] and len(calls) == 1


def test_the_same_with_the_version_said_in_each_call(sessions, opened, register):
	sessions.set_flow(opened, "booking", "treatment", STORED, version=1)
	register(None, "migrate")
	assert sessions.get_flow(opened, "booking", version=2).data == {"service": "cleaning"}
	sessions.set_flow(opened, "booking", "confirm", {"day": "Monday"}, version=2)
	assert stored(sessions, opened)["data"] == {"service": "cleaning", "day": "Monday"}


def test_reading_gives_data_and_step_of_the_registered_version_and_stores_nothing(
	sessions, booking, register
):
	register(2, "migrate")
	flow = sessions.get_flow(booking, "booking")
	assert (flow.version, flow.step, flow.data) == (2, "service", {"service": "cleaning"})
	assert not flow.outdated
	assert (stored(sessions, booking)["version"], stored(sessions, booking)["data"]) == (1, STORED)


def test_in_a_turn_reading_and_setting_agree(sessions, booking, register):
	register(2, "migrate")
	with sessions.turn(booking, "on Monday") as turn:
		service = turn.session.get_flow("booking").data["service"]
		turn.session.set_flow("booking", "confirm", {"day": turn.message})
		turn.reply(f"{service} {turn.session.get_flow('booking').data['day']}")
	assert stored(sessions, booking)["data"] == {"service": "cleaning", "day": "on Monday"}


def test_a_migration_without_the_step_keeps_it(sessions, booking, register):
	register(2, "migrate_data_alone")
	flow = sessions.get_flow(booking, "booking")
	assert (flow.version, flow.step, flow.data) == (2, "treatment", {"service": "cleaning"})


@pytest.mark.parametrize("version", [1, 2, 5])
def test_setting_a_flow_without_a_version_keeps_the_stored_one(sessions, opened, register, version):
	sessions.set_flow(opened, "booking", "treatment", STORED, version=version)
	sessions.set_flow(opened, "booking", "day", {"day": "Monday"})
	assert (stored(sessions, opened)["version"], stored(sessions, opened)["step"]) == (version, "day")
	assert not sessions.get_flow(opened, "booking", version=version).outdated


@pytest.mark.parametrize(
	("migration", "reason"),
	[
		("migrate_and_fail", "KeyError"),
		("migrate_to_nothing", "InvalidSessionData"),
		("migrate_to_no_step", "InvalidSessionData"),
		("there_is_no_such_function", "AttributeError"),
	],
)
def test_a_migration_that_fails_loses_nothing_and_says_so(sessions, booking, register, migration, reason):
	register(2, migration)
	before = stored(sessions, booking)
	for attempt in (
		lambda: sessions.get_flow(booking, "booking"),
		lambda: sessions.set_flow(booking, "booking", "confirm", {"day": "Monday"}),
		lambda: _say(sessions, booking),
	):
		with pytest.raises(sessions.FlowNotMigrated) as refused:
			attempt()
		assert str(refused.value) == (
			f"The migration of the flow booking from version 1 to 2 failed ({reason}). Nothing was changed."
		)
		assert "cleaning" not in str(refused.value) and refused.value.http_status_code == 500
	assert stored(sessions, booking) == before and sessions.get(booking).turn_count == 0


def _say(sessions, name):
	with sessions.turn(name, "on Monday") as turn:
		turn.session.set_flow("booking", "confirm", {"day": turn.message})


def test_without_a_migration_a_flow_is_outdated_and_nothing_is_mixed_into_it(sessions, booking, register):
	register(2)
	flow = sessions.get_flow(booking, "booking")
	assert (flow.outdated, flow.version, flow.data) == (True, 1, STORED)
	with pytest.raises(
		sessions.FlowNotMigrated, match="assistant_session_flow_migrations names no migration"
	):
		sessions.set_flow(booking, "booking", "confirm", {"day": "Monday"})
	assert stored(sessions, booking)["data"] == STORED
	sessions.clear_flow(booking, "booking")
	sessions.set_flow(booking, "booking", "service", {"service": "cleaning"})
	assert stored(sessions, booking)["version"] == 2


def test_an_older_worker_changes_nothing_that_newer_code_has_stored(sessions, booking, register):
	"""A rolling deploy: the message is stored by nobody, and sent again meets a newer worker."""
	register(2, "migrate")
	sessions.set_flow(booking, "booking", "confirm", {"day": "Monday"})
	before = stored(sessions, booking)
	register(1, "migrate")
	calls.clear()
	flow = sessions.get_flow(booking, "booking")
	assert (flow.outdated, flow.version, flow.data) == (True, 2, before["data"])
	for attempt in (
		lambda: sessions.set_flow(booking, "booking", "day", {"day": "Sunday"}),
		lambda: sessions.set_flow(booking, "booking", "day", {"day": "Sunday"}, version=1),
		lambda: _say(sessions, booking),
	):
		with pytest.raises(sessions.FlowIsNewer, match="in version 2, this code knows 1"):
			attempt()
	assert stored(sessions, booking) == before and sessions.get(booking).turn_count == 0 and not calls
	assert sessions.FlowIsNewer.http_status_code == 409


def test_a_worker_that_registers_nothing_sees_that_a_flow_is_newer(sessions, booking, register):
	register(2, "migrate")
	sessions.set_flow(booking, "booking", "confirm")
	register()
	assert sessions.get_flow(booking, "booking").outdated


def test_a_flow_whose_time_is_over_is_not_migrated_but_begun_anew(sessions, booking, register, monkeypatch):
	from datetime import timedelta

	from assistant_session.sessions import config

	later = config.now() + timedelta(seconds=601)
	monkeypatch.setattr(config, "now", lambda: later)
	register(2, "migrate_and_fail")
	assert sessions.get_flow(booking, "booking") is None
	sessions.set_flow(booking, "booking", "service", {"service": "filling"})
	assert (stored(sessions, booking)["version"], stored(sessions, booking)["data"]) == (
		2,
		{"service": "filling"},
	)


@pytest.mark.parametrize("version", ["2", -1, True, 10**7, 1.5])
def test_a_version_that_is_no_whole_number_is_named(sessions, opened, register, version):
	register(version)
	with pytest.raises(sessions.InvalidSessionData, match="assistant_session_flow_versions .* booking"):
		sessions.set_flow(opened, "booking", "treatment")


def test_a_page_is_shown_flows_as_they_are_stored(sessions, booking, register):
	register(2, "migrate_and_fail")
	(flow,) = sessions.get(booking).live_flows()
	assert (flow.version, flow.data) == (1, STORED)
