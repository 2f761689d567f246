"""Concurrent writers: both take effect, or one is told; locks are fenced; flows carry a version."""

import uuid

import pytest

from assistant_session import sessions as api
from dev.harness.worker import WorkerError
from tests import in_workers
from tests.races import race
from tests.sealed import every_seal_fits
from tests.sessions.in_workers import racing, transactions

__all__ = ["every_seal_fits"]


@pytest.fixture
def meanwhile(worker, opened):
	"""Lets another worker change the session in the middle of something."""
	other = worker()
	return lambda change, *arguments, **named: other.write(change, opened, *arguments, **named)


def test_different_fields_of_two_writers_are_both_kept(sessions, site, opened, meanwhile):
	with sessions.turn(opened, "hello") as turn:
		turn.session.transition("MINE")
		meanwhile(api.update, {"pending_intent": "theirs"})
	site.db.commit()
	session = sessions.get(opened)
	assert (session.current_state, session.pending_intent, session.turn_count) == ("MINE", "theirs", 1)


def test_context_and_flows_merge_by_key(sessions, site, opened, meanwhile):
	sessions.update(opened, {"context": {"gone": 1, "kept": 1, "theirs": 1}})
	site.db.commit()
	with sessions.turn(opened, "hello") as turn:
		turn.session.context["mine"] = 2
		del turn.session.context["gone"]
		turn.session.set_flow("order", "first")
		meanwhile(in_workers.add_to_context, theirs=2)
		meanwhile(api.set_flow, "callback", "when")
	site.db.commit()
	session = sessions.get(opened)
	assert session.context == {"kept": 1, "theirs": 2, "mine": 2}
	assert sorted(session.flows) == ["callback", "order"]


@pytest.mark.parametrize(
	("mine", "theirs", "field"),
	[
		(lambda s: s.transition("MINE"), (api.transition, "THEIRS"), "current_state"),
		(
			lambda s: s.context.update(a=1),
			(api.update, {"context": {"a": 2}}),
			"context.a",
		),
		(lambda s: s.set_flow("order", "x"), (api.set_flow, "order", "y"), "flows.order"),
		(lambda s: s.lock_agent("mine"), (api.lock_agent, "theirs"), "active_agent"),
	],
)
def test_a_field_both_changed_differently_is_a_conflict_that_names_it(
	sessions, site, opened, meanwhile, mine, theirs, field
):
	with pytest.raises(sessions.SessionConflict) as raised, sessions.turn(opened, "hello") as turn:
		mine(turn.session)
		meanwhile(*theirs)
	site.db.rollback()
	assert raised.value.field == field
	assert field in str(raised.value)
	assert sessions.history(opened) == []


@pytest.mark.parametrize(
	("mine", "theirs"),
	[
		(lambda s: s.lock_intent("pension_inquiry"), (api.deauthenticate,)),
		(lambda s: s.deauthenticate("logout"), (api.lock_intent, "pension_inquiry")),
	],
)
def test_what_belongs_together_is_not_put_together_from_two_writers(
	sessions, site, opened, meanwhile, mine, theirs
):
	"""An intent locked for a person who has logged out meanwhile would stay for the next one."""
	sessions.authenticate(opened, {"name": "Hari"}, method="test")
	site.db.commit()
	with pytest.raises(sessions.SessionConflict), sessions.turn(opened, "hello") as turn:
		mine(turn.session)
		meanwhile(*theirs)


def test_the_same_change_twice_is_no_conflict(sessions, site, opened, meanwhile):
	with sessions.turn(opened, "hello") as turn:
		turn.session.transition("SAME")
		meanwhile(api.transition, "SAME")
	site.db.commit()
	assert sessions.get(opened).current_state == "SAME"


def test_a_function_is_applied_again_to_the_newer_row(either, opened, sessions):
	race(either, racing.count_up, [{"name": opened}] * 4, rounds=20)
	assert sessions.get(opened).context == {"count": 80}


def test_a_logout_meanwhile_survives_a_turn_that_began_before_it(sessions, site, opened, meanwhile):
	sessions.authenticate(opened, {"name": "Hari"}, method="test")
	site.db.commit()
	with sessions.turn(opened, "hello") as turn:
		turn.session.context["asked"] = True
		meanwhile(api.deauthenticate)
	site.db.commit()
	assert not sessions.get(opened).authenticated


def test_a_session_closed_meanwhile_refuses_the_turn(sessions, site, opened, meanwhile):
	with pytest.raises(sessions.SessionClosed), sessions.turn(opened, "hello"):
		meanwhile(api.close, "over")
	site.db.rollback()
	assert sessions.history(opened) == []


def test_a_transition_from_another_state_than_expected_is_a_conflict(sessions, site, opened):
	sessions.transition(opened, "A")
	with pytest.raises(sessions.SessionConflict):
		sessions.transition(opened, "C", expected="B")
	assert sessions.transition(opened, "B", expected="A").previous_state == "A"


def test_a_mapping_changes_only_known_fields(sessions, opened):
	for field in ("authenticated", "version", "user", "token_hash", "status", "agent_fence", "nonsense"):
		with pytest.raises(sessions.InvalidSessionData):
			sessions.update(opened, {field: 1})


def test_clearing_the_context_is_seen_at_once_in_memory_and_database(sessions, site, opened, worker):
	sessions.update(opened, {"context": {"name": "Krishna", "brief": "moon"}, "state": "PLAN"})
	sessions.set_flow(opened, "order", "first")
	site.db.commit()
	sessions.clear_context(opened, state="ASK", keep=("name",))
	site.db.commit()
	seen = worker().run(in_workers.look, opened, "current_state", "context", "flows", "origin")
	assert seen == ["ASK", {"name": "Krishna"}, {}, "database"]
	session = sessions.get(opened)
	assert (session.current_state, session.context, session.origin) == ("ASK", {"name": "Krishna"}, "memory")


@pytest.mark.parametrize("state", ["", " ", 5, "x" * 141, "<b>"])
def test_clearing_the_context_for_a_state_that_is_none_is_refused_and_clears_nothing(
	sessions, site, opened, state
):
	sessions.update(opened, {"context": {"name": "Krishna"}})
	site.db.commit()
	with pytest.raises(sessions.InvalidSessionData, match="^state: "):
		sessions.clear_context(opened, state=state)
	site.db.commit()
	assert sessions.get(opened).context == {"name": "Krishna"}


def test_an_agent_lock_is_given_to_one_and_fenced(sessions, site, opened):
	first = sessions.lock_agent(opened, "scheduling", ttl=60)
	assert sessions.lock_agent(opened, "billing") is None
	stolen = sessions.lock_agent(opened, "billing", steal=True)
	assert stolen.fence > first.fence
	assert sessions.release_agent(first) is False
	assert sessions.active_agent(opened) == "billing"
	assert sessions.release_agent(stolen) is True
	assert sessions.active_agent(opened) is None


def test_a_write_with_an_outdated_fence_is_refused(sessions, site, opened):
	first = sessions.lock_agent(opened, "scheduling")
	second = sessions.lock_agent(opened, "scheduling")
	for write in (
		lambda: sessions.update(opened, {"context": {"a": 1}}, grant=first),
		lambda: sessions.transition(opened, "LATE", grant=first),
		lambda: turn_with(sessions, opened, first),
	):
		with pytest.raises(sessions.SessionConflict, match="agent_fence"):
			write()
	turn_with(sessions, opened, second)
	assert (sessions.get(opened).context, sessions.get(opened).turn_count) == ({}, 1)


def turn_with(sessions, name, grant):
	with sessions.turn(name, "hello", grant=grant):
		pass


def test_an_agent_lock_ends_when_its_time_is_over(sessions, site, opened, monkeypatch):
	from datetime import timedelta

	from assistant_session.sessions import config

	grant = sessions.lock_agent(opened, "scheduling", ttl=3600)
	site.db.commit()
	later = config.now() + timedelta(seconds=3601)
	monkeypatch.setattr(config, "now", lambda: later)
	assert sessions.active_agent(opened) is None
	assert sessions.cleanup_expired_sessions() >= 1
	assert sessions.release_agent(grant) is False
	assert sessions.lock_agent(opened, "billing").fence == grant.fence + 1


def test_two_workers_that_lock_a_device_at_the_same_moment_name_the_same_winner(either, sessions, site):
	devices = [str(uuid.uuid4()) for _round in range(20)]
	for device in devices:
		sessions.open(device_id=device)
	site.db.commit()
	routers = [{"devices": devices, "who": agent} for agent in ("scheduling", "billing")]
	first, second = race(either, racing.route, routers, rounds=20)
	for (named, won), (also_named, also_won) in zip(first, second, strict=True):
		assert named == also_named and won != also_won


def test_a_flow_of_another_version_is_migrated_or_called_outdated(sessions, site, opened, monkeypatch):
	sessions.set_flow(opened, "order", "contact", {"amount": 11}, version=1)
	assert sessions.get_flow(opened, "order", version=2).outdated
	path = "assistant_session.demo.shop.migrate_bulk_order"
	monkeypatch.setattr(site, "get_hooks", lambda *_names, **_more: {"order": [path]})
	flow = sessions.get_flow(opened, "order", version=2)
	assert (flow.data, flow.version, flow.outdated) == ({"quantity": 11}, 2, False)


def test_a_flow_ends_with_its_own_time(sessions, site, opened, monkeypatch):
	from datetime import timedelta

	from assistant_session.sessions import config

	sessions.set_flow(opened, "order", "contact", {"amount": 11}, ttl=60)
	later = config.now() + timedelta(seconds=61)
	monkeypatch.setattr(config, "now", lambda: later)
	assert sessions.get_flow(opened, "order") is None
	assert sessions.set_flow(opened, "order", "contact").get_flow("order").data == {}


def test_flows_live_side_by_side_and_completed_ones_are_counted(sessions, site, opened):
	before = sessions.counts()["flows_completed"]
	sessions.set_flow(opened, "order", "contact", {"quantity": 11})
	sessions.set_flow(opened, "callback", "when")
	sessions.set_flow(opened, "order", "confirm", {"name": "Hari"})
	assert sessions.get_flow(opened, "order").data == {"quantity": 11, "name": "Hari"}
	assert sessions.clear_flow(opened, "order", completed=True) is True
	assert sessions.clear_flow(opened, "order", completed=True) is False
	assert (sessions.get_flow(opened, "order"), sessions.get_flow(opened, "callback").step) == (None, "when")
	assert sessions.counts()["flows_completed"] == before + 1


def test_a_worker_that_lost_its_lock_is_told_over_processes_too(sessions, site, opened, worker):
	holder = worker()
	holder.run(transactions.lock_agent_and_keep_the_grant, opened, "scheduling")
	sessions.lock_agent(opened, "billing", steal=True)
	site.db.commit()
	with pytest.raises(WorkerError, match="SessionConflict"):
		holder.run(transactions.move_with_the_kept_grant, opened, "LATE")
