"""What the site's figures say, to whom, and that Prometheus can read them; and the same in Desk."""

import json
import os
import re
import uuid

import pytest
from prometheus_client.parser import text_string_to_metric_families

from dev.harness.caller import PREFIX as API
from dev.harness.caller import Caller
from tests.callers import AGENT, AUDITOR, MONITOR, OWNER, SERVICE, STAFF_ADMINISTRATOR, SUPERUSER, VISITOR
from tests.conftest import REPOSITORY, SITE
from tests.doors import ask
from tests.metrics.test_metrics import answered, configured, counted, label, total

__all__ = ["ask", "configured", "counted", "label", "total"]

PREFIX = "assistant_session_"
MODULE = REPOSITORY / "assistant_session" / "assistant_session"
CARD = "frappe.desk.doctype.number_card.number_card.get_result"
CHART = "frappe.desk.doctype.dashboard_chart.dashboard_chart.get"


def samples(text: str) -> dict:
	"""{(name, labels): value}, as Prometheus' own parser reads them."""
	return {
		(sample.name, tuple(sorted(sample.labels.items()))): sample.value
		for family in text_string_to_metric_families(text)
		for sample in family.samples
	}


@pytest.fixture
def shown(site):
	"""The figures as this process would answer."""
	from assistant_session.metrics import exposition

	return lambda: samples(exposition.text().decode())


@pytest.mark.parametrize("user", [None, VISITOR, OWNER, SERVICE, AGENT, AUDITOR])
def test_everybody_else_is_refused_in_the_usual_form(ask, user):
	answer = ask(user, f"{API}metrics", verb="GET")
	assert answer.status_code == 403
	assert answer.json()["error"]["type"] == "NotPermitted" and PREFIX not in answer.text


@pytest.mark.parametrize("user", [MONITOR, STAFF_ADMINISTRATOR, SUPERUSER])
def test_the_monitoring_role_and_administrators_get_text_that_parses(ask, user):
	answer = ask(user, f"{API}metrics", verb="GET")
	assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/plain; version=")
	found = samples(answer.text)
	assert len(found) > 40 and all(name.startswith(PREFIX) for name, _labels in found)
	for family in text_string_to_metric_families(answer.text):
		assert family.documentation and family.type in ("counter", "gauge", "histogram"), family.name


def test_the_monitoring_role_may_do_nothing_else(ask, site):
	from frappe.permissions import get_doctypes_with_read

	site.set_user(MONITOR)
	assert not [doctype for doctype in get_doctypes_with_read() if "Session" in doctype or "Turn" in doctype]
	site.set_user("Administrator")
	assert not site.db.get_value("Role", "Assistant Session Monitoring", "desk_access")
	assert ask(MONITOR, f"{API}session_report", session_id="x").status_code == 403
	assert ask(MONITOR, "frappe.client.get_count", doctype="Session Metric").status_code == 403


@pytest.fixture
def grown(ask):
	"""`grown(before, wanted)`: whether these figures grew by as much. Each of the two workers flushes what it has when
	it is asked itself, so they are asked until both have been."""

	def scrape() -> dict:
		return samples(ask(MONITOR, f"{API}metrics", verb="GET").text)

	def look(before: dict, wanted: dict) -> bool:
		for _scrape in range(200):
			now = scrape()
			if all(now.get(key, 0) - before.get(key, 0) >= amount for key, amount in wanted.items()):
				return True
		return False

	look.scrape = scrape
	return look


def named(metric: str, **labels: str) -> tuple:
	return (PREFIX + metric, tuple(sorted(labels.items())))


def restored(figures: dict) -> float:
	return sum(figures[named("sessions_restored_total", source=source)] for source in ("memory", "database"))


def test_what_happens_over_http_is_shown_by_the_next_scrapes(ask, grown, workers):
	workers.restart()  # what they had counted for others, and not yet brought, goes with them
	before = grown.scrape()
	page = Caller(workers.url, SITE).open()
	page.own("send_message", message="hello")
	page.own("resume_session")
	page.own("open_session")
	ask(None, f"{API}resume_session", session_id=f"unknown-{uuid.uuid4().hex}")
	ask(None, f"{API}resume_session", session_id=page.session_id)
	assert grown(
		before,
		{
			named("sessions_created_total", channel="Web"): 1,
			named("turns_total", role="user"): 1,
			named("turn_duration_seconds_count"): 1,
			named("sessions_not_found_total", why="unknown"): 1,
			named("sessions_not_found_total", why="refused"): 1,
		},
	)
	scrapes = (restored(grown.scrape()) - restored(before) for _scrape in range(200))
	next(grown_by for grown_by in scrapes if grown_by >= 3)  # the message, resuming, opening again
	assert next(scrapes) == 3  # not the opening


def test_a_server_that_is_told_to_stop_brings_what_it_has(site, cache_server, sessions):
	"""Its first request flushes at once, those of the minute after it only here, at the end."""
	from assistant_session.sessions.tables import totals
	from dev.harness.stage import Stage

	key, stage = ("sessions_not_found", "unknown"), Stage(os.environ["FRAPPE_BENCH"], SITE)
	try:
		stage.start(workers=1)
		before = totals.read().get(key, 0)
		for _call in range(3):
			Caller(stage.url, SITE).call("resume_session", session_id=f"unknown-{uuid.uuid4().hex}")
		while_running = totals.read()[key]
		stage.master.terminate()
		assert stage.master.wait(60) == 0
	finally:
		stage.close()
	assert (while_running - before, totals.read()[key] - before) == (1, 3)


def test_a_wrong_token_is_told_apart_from_an_unknown_id_here_alone(site, opened, counted, monkeypatch):
	from werkzeug.test import EnvironBuilder
	from werkzeug.wrappers import Request

	from assistant_session import sessions
	from assistant_session.web import access

	site.local.request = Request(EnvironBuilder(headers={access.TOKEN_HEADER: "x" * 43}).get_environ())
	monkeypatch.setattr(site.session, "user", "Guest")
	for name in (opened, f"unknown-{uuid.uuid4().hex}"):
		with pytest.raises(sessions.SessionNotFound):
			access.admitted(name)
	now_counted = counted()
	assert (now_counted["sessions_not_found", "refused"], now_counted["sessions_not_found", "unknown"]) == (
		1,
		1,
	)


def test_a_turn_is_in_exactly_one_bucket_and_its_time_in_the_sum(sessions, site, opened, shown):
	from assistant_session.metrics import after_requests

	name = f"{PREFIX}turn_duration_seconds"
	after_requests.flush()
	before = shown()
	answered(sessions, opened)
	site.db.commit()
	after_requests.flush()
	after = shown()
	everything = (f"{name}_bucket", (("le", "+Inf"),))
	assert (
		after[everything] - before[everything]
		== after[f"{name}_count", ()] - before[f"{name}_count", ()]
		== 1
	)
	assert after[f"{name}_sum", ()] > before[f"{name}_sum", ()]
	buckets = [value for (of, _labels), value in after.items() if of == f"{name}_bucket"]
	assert buckets == sorted(buckets) and len(buckets) == 14


def test_counters_never_go_down_when_old_hours_are_purged(site, label, shown):
	from assistant_session.maintenance import metric_retention
	from assistant_session.sessions.tables import totals

	totals.add({0: {("turns", label): 4, ("conflicts", "merged"): 2}})
	before = shown()
	assert metric_retention.purge(400) >= 2
	after = shown()
	counters = [key for key in before if key[0].endswith(("_total", "_bucket", "_sum", "_count"))]
	assert [key for key in counters if after[key] < before[key]] == []
	assert after[f"{PREFIX}turns_total", (("role", label),)] == 4


def test_gauges_say_what_is_so_now(sessions, site, opened, shown):
	before = shown()
	sessions.lock_agent(opened, "scheduling")
	long_ago = site.utils.add_to_date(sessions.get(opened).row.agent_locked_at, days=-10)
	site.db.sql(
		"update `tabConversation Session` set agent_locked_at = %s where name = %s", (long_ago, opened)
	)
	sessions.open(channel=f"not in Settings {uuid.uuid4().hex}")
	late = sessions.open().id
	site.db.sql("update `tabConversation Session` set expires_at = '2020-01-01' where name = %s", late)
	site.db.commit()
	after = shown()

	def grew(name: str, *labels: tuple[str, str]) -> float:
		return after[f"{PREFIX}{name}", labels] - before.get((f"{PREFIX}{name}", labels), 0)

	assert grew("agent_locks_held") == 1 and after[f"{PREFIX}agent_lock_oldest_seconds", ()] >= 10 * 86400
	assert grew("sessions_active", ("channel", "Web")) == 1
	assert grew("sessions_active", ("channel", "other")) == 1
	assert grew("overdue", ("kind", "sessions")) == 1
	sessions.close(opened, "done")
	sessions.close(late, "done")
	site.db.commit()


@pytest.mark.mariadb  # it says which indexes it might use
def test_gauges_are_answered_from_an_index(site, shown):
	asked, sql = [], site.db.sql
	from assistant_session import second_connection

	second = second_connection.connection()
	original = second.sql

	def listening(query, *more, **named):
		asked.append((query, more))
		return original(query, *more, **named)

	second.sql = listening
	try:
		shown()
	finally:
		second.sql = original
	questions = [(query, more) for query, more in asked if "Conversation Session" in str(query)]
	assert len(questions) >= 5
	for query, more in questions:
		plan = sql(f"explain {query}", *more, as_dict=True)[0]
		assert plan["possible_keys"], query  # of a small table the server may still prefer to read all


HOSTILE = ['Wéb "one" \\ 漢', 'a\nb{le="1"} 99', "# HELP x", "other", "x" * 140, "‮drow"]


def test_hostile_names_are_escaped_and_stay_one_label_each(site, shown, configured):
	from assistant_session.sessions import config
	from assistant_session.sessions.config import Channel
	from assistant_session.sessions.tables import totals

	configured(channels={**config.settings().channels, **{name: Channel(name) for name in HOSTILE}})
	totals.add({0: {("sessions_created", name): 1 for name in HOSTILE}})
	found = shown()
	for name in HOSTILE:
		assert found[f"{PREFIX}sessions_created_total", (("channel", name),)] >= 1
		assert found[f"{PREFIX}sessions_active", (("channel", name),)] >= 0
	assert all(of.startswith(PREFIX) for of, _labels in found)


def test_names_the_database_takes_for_equal_are_counted_apart(site, total):
	from assistant_session.sessions.tables import totals

	some = uuid.uuid4().hex
	names = [f"web{some}", f"WEB{some}", f"wéb{some}", f"web{some} "]
	totals.add({0: {("turns", name): number for number, name in enumerate(names, 1)}})
	assert [total(name) for name in names] == [1, 2, 3, 4]


def test_without_redis_the_figures_of_workers_alone_are_missing(site, shown, cache_server):
	whole = shown()
	assert whole[f"{PREFIX}redis_up", ()] == 1
	cache_server.stop()
	try:
		found = shown()
	finally:
		cache_server.start()
	assert found[f"{PREFIX}redis_up", ()] == 0
	missing = {name for name, _labels in whole.keys() - found.keys()}
	assert all(name.startswith(f"{PREFIX}worker_memory_") for name in missing)


def test_while_the_database_is_away_a_scrape_is_told_so_and_keeps_the_counts(
	site, counted, monkeypatch, cache_server
):
	"""And nothing is left of a connection, also where Frappe has to look translations up: its own end would fail on it."""
	from werkzeug.test import EnvironBuilder
	from werkzeug.wrappers import Request

	from assistant_session import api, database
	from assistant_session.counters import counters

	counters.count("busy")
	site.local.request = Request(EnvironBuilder(path="/").get_environ())
	connection = site.local.db
	cache_server.flush()
	site.local.cache.clear()
	with monkeypatch.context() as away:
		away.setattr(database.primary(), database.SECOND, None, raising=False)
		away.setitem(site.local.conf, "db_port", 1)
		answer = api.metrics()
	left, site.local.db = site.local.db, connection
	assert left is None
	assert answer.status_code == 503 and counted()["busy", ""] == 1


def test_every_figure_is_explained_to_operators(shown):
	guide = (REPOSITORY / "docs" / "operating.md").read_text()
	names = {re.sub(r"_(bucket|sum|count)$", "", name) for name, _labels in shown() if "duration" in name} | {
		name for name, _labels in shown() if "duration" not in name
	}
	assert len(names) > 20
	assert [name for name in sorted(names) if f"`{name.removeprefix(PREFIX)}`" not in guide] == []


STANDARD = {"number_card": "Number Card", "dashboard_chart": "Dashboard Chart", "workspace": "Workspace"}


def files(folder: str) -> list[dict]:
	return [json.loads(path.read_text()) for path in sorted(MODULE.glob(f"{folder}/*/*.json"))]


@pytest.mark.parametrize("folder", STANDARD)
def test_what_desk_shows_was_imported_by_migrate(site, folder):
	found = files(folder)
	assert found and all(site.db.exists(STANDARD[folder], one["name"]) for one in found)


def test_the_workspace_shows_every_card_and_chart_to_our_roles_alone(site):
	(workspace,) = files("workspace")
	cards, charts = ({one["name"] for one in files(folder)} for folder in ("number_card", "dashboard_chart"))
	blocks = json.loads(workspace["content"])
	named = {
		kind: {b["data"][f"{kind}_name"] for b in blocks if b["type"] == kind}
		for kind in ("number_card", "chart", "shortcut")
	}
	assert (named["number_card"], named["chart"]) == (cards, charts)
	assert named["shortcut"] == {row["label"] for row in workspace["shortcuts"]}
	assert all(site.db.exists("DocType", row["link_to"]) for row in workspace["shortcuts"])
	staff = {f"Assistant Session {role}" for role in ("Administrator", "Agent", "Auditor")}
	icon = json.loads((REPOSITORY / "assistant_session/desktop_icon/assistant_session.json").read_text())
	for shown in (workspace, icon, *files("dashboard_chart")):
		assert {row["role"] for row in shown["roles"]} == staff


def test_filters_have_four_elements(site):
	for one in (*files("number_card"), *files("dashboard_chart")):
		assert all(len(condition) == 4 for condition in json.loads(one["filters_json"])), one["name"]


@pytest.mark.parametrize("user", [AGENT, AUDITOR, STAFF_ADMINISTRATOR])
def test_cards_and_charts_answer_staff(ask, sessions, opened, site, user):
	from assistant_session.metrics import after_requests

	answered(sessions, opened)
	site.db.commit()
	after_requests.flush()
	for card in files("number_card"):
		answer = ask(user, CARD, doc=json.dumps(card), filters=card["filters_json"])
		assert answer.status_code == 200 and answer.json()["message"] >= 0, answer.text
	for chart in files("dashboard_chart"):
		answer = ask(user, CHART, chart_name=chart["name"], refresh=1)
		assert answer.status_code == 200, answer.text
		assert len(answer.json()["message"]["datasets"][0]["values"]) > 28
	answer = ask(user, CHART, chart_name="Conversation Messages per Day", refresh=1)
	hours = site.get_all(
		"Session Metric", {"metric": "turns", "label": "user", "hour": [">", "2026-01-01"]}, pluck="value"
	)
	assert sum(answer.json()["message"]["datasets"][0]["values"]) <= sum(hours)
	assert answer.json()["message"]["datasets"][0]["values"][-1] >= 1


@pytest.mark.parametrize("user", [None, VISITOR, OWNER, SERVICE, MONITOR])
def test_cards_and_charts_tell_others_nothing_also_from_the_cache_all_users_share(ask, user):
	for chart in files("dashboard_chart"):
		assert ask(AUDITOR, CHART, chart_name=chart["name"]).status_code == 200  # it is in the cache now
		only = {"name": chart["name"]}
		for named in ({"chart_name": chart["name"]}, {"chart": json.dumps(only)}, {"chart": only}):
			answer = ask(user, CHART, **named)
			assert answer.status_code in (401, 403) and "datasets" not in answer.text
	for card in files("number_card"):
		answer = ask(user, CARD, doc=json.dumps(card), filters=card["filters_json"])
		assert answer.status_code in (401, 403), answer.text
