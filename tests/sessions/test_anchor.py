"""The anchor outside the database: what is written, what does not fit any more, and where it goes."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.sessions.test_seals import EVENT, SESSION, TURN, put_back, turn, whole


@pytest.fixture
def anchor(site, monkeypatch):
	from assistant_session.anchor import anchoring as anchor
	from assistant_session.sessions import config

	for name in (anchor.FILE, anchor.URL):
		monkeypatch.delitem(site.local.conf, name, raising=False)
	site.db.set_global(anchor.STATE, None)
	site.db.commit()
	began, changed = config.now(), anchor._changed

	def mine(since):
		"""Not what other tests left, some of it damaged."""
		found = ([row for row in batch if began <= row.creation <= config.now()] for batch in changed(since))
		return filter(None, found)

	monkeypatch.setattr(anchor, "_changed", mine)
	yield anchor
	site.db.rollback()
	site.db.set_global(anchor.STATE, None)
	site.db.commit()


@pytest.fixture
def file(anchor, site, monkeypatch, tmp_path):
	path = tmp_path / "anchor.jsonl"
	monkeypatch.setitem(site.local.conf, anchor.FILE, str(path))
	return path


def lines(file) -> list[dict]:
	return [json.loads(line) for line in file.read_text().splitlines()]


@pytest.fixture
def verdict(anchor, file):
	from assistant_session.anchor import verifying

	def read():
		with file.open() as source:
			return verifying.verify(source)

	return read


def said(verdict, name: str) -> list[str]:
	return [text.partition(": ")[2] for text in verdict.problems if text.startswith(name)]


def test_it_names_each_session_with_its_counts_and_head_and_is_signed(anchor, file, told, stored):
	written = anchor.write()
	documents = lines(file)
	assert written["documents"] == len(documents) and file.stat().st_mode & 0o777 == 0o600
	assert [one["number"] for one in documents] == list(range(1, len(documents) + 1))
	(entry,) = [entry for one in documents for entry in one["sessions"] if entry[0] == told]
	row = stored(told)
	assert entry[2:] == [row.version, row.turn_count, row.event_count, row.event_head]
	assert all(map(anchor.is_genuine, documents))
	assert "Hari" not in file.read_text() and "hello" not in file.read_text()


def test_the_next_one_goes_on_from_it_and_names_what_changed_since(
	anchor, file, told, sessions, site, monkeypatch
):
	from datetime import timedelta

	monkeypatch.setattr(anchor, "OVERLAP", timedelta(0))
	other = sessions.open().id
	site.db.commit()
	anchor.write()
	number = len(lines(file))
	turn(sessions, told)
	site.db.commit()
	assert anchor.write()["documents"] == 1
	last = lines(file)[-1]
	assert (last["previous"], last["number"]) == (lines(file)[-2]["signature"], number + 1)
	named = [entry[0] for entry in last["sessions"]]
	assert told in named and other not in named
	assert anchor.write()["documents"] == 1, "also a day without a message is written down"
	assert told not in [entry[0] for entry in lines(file)[-1]["sessions"]]


def test_a_run_is_bounded_documents(anchor, file, told, sessions, site, verdict, monkeypatch):
	from assistant_session.sessions import config

	anchor.write()
	before = len(lines(file))
	monkeypatch.setattr(anchor, "BATCH", 2)
	began = config.now()
	monkeypatch.setattr(anchor, "_since", lambda _last: began)
	for _number in range(4):
		sessions.open()
	site.db.commit()
	anchor.write()
	documents = lines(file)[before:]
	assert max(len(one["sessions"]) for one in documents) <= 2 <= len(documents)
	assert [one["last"] for one in documents] == [False] * (len(documents) - 1) + [True]
	assert verdict().documents == before + len(documents)


def test_a_run_that_was_cut_off_is_begun_anew(anchor, file, told, sessions, site, monkeypatch):
	from datetime import timedelta

	monkeypatch.setattr(anchor, "OVERLAP", timedelta(0))
	anchor.write()
	for _number in range(3):
		turn(sessions, sessions.open().id)
	site.db.commit()
	monkeypatch.setattr(anchor, "BATCH", 1)
	put, calls = anchor.File.put, []

	def full(self, line):
		if calls:
			raise anchor.AnchorFailed("disk full")
		calls.append(put(self, line))

	with monkeypatch.context() as patch, pytest.raises(anchor.AnchorFailed):
		patch.setattr(anchor.File, "put", full)
		anchor.write()
	assert anchor.write()["sessions"] >= 3


def test_a_sound_site_fits(anchor, file, told, sessions, site, verdict):
	anchor.write()
	turn(sessions, told)
	sessions.lock_agent(told, "billing", steal=True)
	site.db.commit()
	found = verdict()
	assert said(found, told) == [] and found.entries >= 1


def test_a_session_put_back_whole_is_noticed(anchor, file, told, sessions, site, damage, verdict):
	then = whole(site, told)
	sessions.deauthenticate(told)
	site.db.commit()
	anchor.write()
	put_back(damage, then)
	assert sessions.report(told).findings == [], "inside the database nothing tells"
	(problem,) = said(verdict(), told)
	assert "when it was anchored" in problem


def test_also_when_only_its_messages_went(anchor, file, told, sessions, site, damage, verdict):
	then = whole(site, told)
	turn(sessions, told)
	site.db.commit()
	anchor.write()
	put_back(damage, then)
	assert len(said(verdict(), told)) == 1


def test_also_when_it_went_on_since(anchor, file, told, sessions, site, damage, verdict):
	then = whole(site, told)
	sessions.deauthenticate(told)
	site.db.commit()
	anchor.write()
	put_back(damage, then)
	sessions.recover(told)
	for number in range(3):
		sessions.lock_agent(told, f"agent {number}", steal=True)
	site.db.commit()
	assert sessions.report(told).consistent
	(problem,) = said(verdict(), told)
	assert problem.endswith("is another one")


def test_an_event_that_is_missing_is_named(anchor, file, told, damage, verdict, site):
	anchor.write()
	(last,) = site.get_all(EVENT, {"session": told}, order_by="sequence desc", limit=1, pluck="name")
	damage(f"delete from `tab{EVENT}` where name = %s", last)
	(problem,) = said(verdict(), told)
	assert problem.endswith("is missing")


def test_what_was_deleted_is_gone_and_no_damage(anchor, file, told, damage, verdict):
	anchor.write()
	gone = verdict().gone
	for doctype, column in ((SESSION, "name"), (TURN, "session"), (EVENT, "session")):
		damage(f"delete from `tab{doctype}` where {column} = %s", told)
	found = verdict()
	assert (found.gone, said(found, told)) == (gone + 1, [])


def test_another_session_of_the_same_name_is_another(anchor, file, told, sessions, site, damage, verdict):
	anchor.write()
	for doctype, column in ((SESSION, "name"), (TURN, "session"), (EVENT, "session")):
		damage(f"delete from `tab{doctype}` where {column} = %s", told)
	sessions.recover(told)
	sessions.open(told)
	site.db.commit()
	assert said(verdict(), told) == []


def test_erasing_leaves_what_was_anchored_fitting(anchor, file, told, site, verdict):
	from assistant_session.privacy import erasing, person

	anchor.write()
	erasing.erase(person.Person.of(session=told))
	site.db.commit()
	assert said(verdict(), told) == []


def test_purged_events_fit_and_forged_ones_do_not(anchor, file, told, site, verdict, damage):
	from assistant_session.maintenance import ageing
	from assistant_session.sessions import config

	anchor.write()
	assert ageing.Aged(EVENT, config.now())._purge(told) == 3
	site.db.commit()
	assert site.db.get_value(SESSION, told, "purged_events") == 3
	assert said(verdict(), told) == []
	damage(f"update `tab{SESSION}` set event_base = concat(event_base, '0') where name = %s", told)
	assert said(verdict(), told) == ["what stands for purged events was altered"]


@pytest.mark.parametrize(
	"alter",
	[
		lambda text: text.replace('"version"', '"x"').replace('"number":1', '"number":7'),
		lambda text: text.replace('"signature":"k1:', '"signature":"k1:0'),
		lambda text: text.replace('"signature":"k1:', '"signature":"zz:'),
		lambda text: text[: len(text) // 2] + "\n",
		lambda _text: "[]\n",
		lambda _text: "5\n",
		lambda text: '{"sessions": [["x"]], "signature": 5}\n',
	],
)
def test_an_altered_line_is_named(anchor, file, told, verdict, alter):
	anchor.write()
	first, *others = file.read_text().splitlines(keepends=True)
	file.write_text(alter(first) + "".join(others))
	assert verdict().problems[0] == "line 1: was not written by this site, or was altered"


def test_a_line_taken_out_is_named(anchor, file, told, verdict):
	for _day in range(3):
		anchor.write()
	kept = file.read_text().splitlines(keepends=True)
	del kept[-2]
	file.write_text("".join(kept))
	assert any("does not follow" in text for text in verdict().problems)


def test_a_file_that_begins_later_is_a_rotated_one(anchor, file, told, verdict, sessions, site):
	anchor.write()
	file.unlink()
	anchor.write()
	assert lines(file)[0]["previous"] is not None, "the chain goes on"
	assert not [text for text in verdict().problems if text.startswith("line")]


def test_a_line_cut_off_by_a_crash_does_not_swallow_the_next(anchor, file, told, verdict):
	anchor.write()
	number = len(lines(file)) + 1
	with file.open("a") as sink:
		sink.write('{"site":')
	anchor.write()
	assert anchor.is_genuine(lines_after_crash(file)[-1])
	assert [text for text in verdict().problems if text.startswith("line")] == [
		f"line {number}: was not written by this site, or was altered"
	]


def lines_after_crash(file) -> list[dict]:
	return [json.loads(line) for line in file.read_text().splitlines() if line.endswith("}")]


def test_a_last_line_somebody_else_wrote_is_not_gone_on_from(anchor, file, told):
	anchor.write()
	with file.open("a") as sink:
		sink.write('{"number": 99, "signature": "k1:00"}\n')
	with pytest.raises(anchor.AnchorFailed, match="not signed by this site"):
		anchor.write()


def test_where_the_last_one_is_forged_in_the_database_it_begins_anew(anchor, site, told, endpoint):
	from frappe.utils import cstr

	anchor.write()
	kept = json.loads(site.db.get_global(anchor.STATE))
	site.db.set_global(anchor.STATE, cstr(json.dumps({**kept, "at": "2090-01-01 00:00:00"})))
	anchor.write()
	assert endpoint.received[-1]["number"] >= 1
	assert any(one["previous"] is None for one in endpoint.received[1:])


class Endpoint:
	"""Somebody who keeps anchors."""

	def __init__(self):
		self.received, self.status, outer = [], 200, self

		class Handler(BaseHTTPRequestHandler):
			def do_POST(self):
				body = self.rfile.read(int(self.headers["Content-Length"]))
				outer.received.append(json.loads(body))
				self.send_response(outer.status)
				self.send_header("Location", "/elsewhere")
				self.send_header("Content-Length", "0")
				self.end_headers()

			def log_message(self, *_arguments):
				"""Says nothing."""

		self.server = HTTPServer(("127.0.0.1", 0), Handler)
		threading.Thread(target=self.server.serve_forever, daemon=True).start()
		self.url = f"http://127.0.0.1:{self.server.server_port}/secret-path"

	def close(self) -> None:
		self.server.shutdown()
		self.server.server_close()


@pytest.fixture
def endpoint(anchor, site, monkeypatch):
	here = Endpoint()
	monkeypatch.setitem(site.local.conf, anchor.URL, here.url)
	monkeypatch.setitem(site.local.conf, "assistant_session_anchor_loopback", True)
	yield here
	here.close()


def test_it_is_posted_and_the_next_one_goes_on_from_it(anchor, endpoint, told):
	anchor.write()
	first = len(endpoint.received)
	anchor.write()
	assert endpoint.received[first]["previous"] == endpoint.received[first - 1]["signature"]
	assert all(map(anchor.is_genuine, endpoint.received))


@pytest.mark.parametrize("status", [302, 404, 500])
def test_what_did_not_arrive_is_not_in_the_file_either_and_comes_again(
	anchor, endpoint, file, told, verdict, status
):
	endpoint.status = status
	with pytest.raises(anchor.AnchorFailed, match=f"127.0.0.1: status {status}"):
		anchor.write()
	assert not file.exists()
	endpoint.status = 200
	anchor.write()
	assert endpoint.received[0]["number"] == endpoint.received[1]["number"] == lines(file)[0]["number"]
	file.write_text("".join(json.dumps(one) + "\n" for one in endpoint.received))
	assert not [text for text in verdict().problems if text.startswith("line")], "sent twice is no damage"


@pytest.mark.parametrize(
	"url", ["http://example.com/", "ftp://127.0.0.1/", "https://", "anchor", "http://localhost.example.com/"]
)
def test_anything_but_https_is_refused(anchor, site, monkeypatch, url):
	monkeypatch.setitem(site.local.conf, anchor.URL, url)
	monkeypatch.setitem(site.local.conf, "assistant_session_anchor_loopback", True)
	with pytest.raises(anchor.AnchorFailed, match="https"):
		anchor.write()


def test_this_very_machine_is_refused_unless_allowed(anchor, endpoint, site, monkeypatch):
	monkeypatch.delitem(site.local.conf, "assistant_session_anchor_loopback")
	with pytest.raises(anchor.AnchorFailed, match="https"):
		anchor.write()
	assert endpoint.received == []


def test_a_path_that_depends_on_where_one_is_is_refused(anchor, site, monkeypatch):
	monkeypatch.setitem(site.local.conf, anchor.FILE, "anchor.jsonl")
	with pytest.raises(anchor.AnchorFailed, match="absolute"):
		anchor.write()


def errors(site, anchor) -> list[str]:
	site.db.rollback()
	return site.get_all("Error Log", {"method": anchor.TITLE}, pluck="error", order_by="creation desc")


def test_the_job_does_nothing_without_a_place_and_calls_somebody_when_it_fails(
	anchor, site, monkeypatch, tmp_path, endpoint
):
	before = len(errors(site, anchor))
	endpoint.close()
	anchor.daily()
	called = errors(site, anchor)
	assert len(called) == before + 1 and called[0].startswith("127.0.0.1: Connect")
	assert "secret-path" not in called[0]
	monkeypatch.delitem(site.local.conf, anchor.URL)
	anchor.daily()
	assert len(errors(site, anchor)) == before + 1
	monkeypatch.setitem(site.local.conf, anchor.FILE, str(tmp_path / "no such folder" / "anchor"))
	anchor.daily()
	assert len(errors(site, anchor)) == before + 2


def test_the_job_is_on_the_schedule(site):
	jobs = [path for paths in site.get_hooks("scheduler_events")["cron"].values() for path in paths]
	assert "assistant_session.anchor.anchoring.daily" in jobs


def test_from_the_shell(stage, told, site, tmp_path, damage, anchor):
	from pathlib import Path

	path, config = tmp_path / "anchor.jsonl", Path(stage.sites) / stage.site / "site_config.json"
	before = config.read_text()
	done = stage.command("assistant-session", "anchor")
	assert done.returncode == 1 and "assistant_session_anchor_file" in done.stderr
	try:
		config.write_text(json.dumps({**json.loads(before), anchor.FILE: str(path)}))
		done = stage.command("assistant-session", "anchor", "--json")
		assert done.returncode == 0 and json.loads(done.stdout)["sessions"] >= 1, done.stderr
	finally:
		config.write_text(before)
	done = stage.command("assistant-session", "anchor", "--verify", str(path))
	assert said_by(done, told) == []
	damage(f"update `tab{SESSION}` set version = version - 1 where name = %s", told)
	done = stage.command("assistant-session", "anchor", "--verify", str(path))
	assert done.returncode == 1 and len(said_by(done, told)) == 1 and "do not fit" in done.stdout


def said_by(done, name: str) -> list[str]:
	return [line for line in done.stdout.splitlines() if line.startswith(name)]
