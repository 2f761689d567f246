"""Erasing a person: everywhere, with a receipt, and nobody else; what is under legal hold stays."""

import json
import os
import secrets
import sys

import pytest

from assistant_session.demo import directory
from tests import in_workers
from tests.callers import OWNER, traces
from tests.privacy.test_export import person, verified
from tests.sealed import every_seal_fits, reseal
from tests.words import new_word

__all__ = ["every_seal_fits", "person", "verified"]

SECRET = ""


@pytest.fixture(autouse=True)
def another_secret(monkeypatch):
	"""One for each test: what others left on purpose is not found."""
	monkeypatch.setattr(sys.modules[__name__], "SECRET", f"my-cat-is-called-{new_word()}")


@pytest.fixture
def erasing(site):
	from assistant_session.privacy import erasing

	return erasing


@pytest.fixture
def erase(erasing, person, site):
	"""`erase(**named)` erases and commits; the receipt as a dict."""

	def run(**named) -> dict:
		receipt = erasing.erase(person.Person.of(**named))
		assert receipt.digest is None, "before COMMIT it proves nothing"
		site.db.commit()
		return receipt.as_dict()

	return run


@pytest.fixture
def address() -> str:
	return f"+49{secrets.randbelow(10**11):011}"


@pytest.fixture
def talkative(sessions, site, address):
	"""A session that says everything it can about a person; `SECRET` is in each place."""
	name = sessions.open(channel="WhatsApp", external_id=address, user=OWNER, party=("User", OWNER)).id
	with sessions.turn(name, f"Hello, {SECRET}", metadata={"note": SECRET}) as turn:
		turn.reply(f"Nice: {SECRET}")
		turn.session.context["cat"] = SECRET
		turn.session.set_flow("cat", "name", {"name": SECRET})
		turn.session.pending_intent, turn.session.pending_message = "cat", SECRET
		turn.session.transition(SECRET)
	sessions.authenticate(name, {"cat": SECRET}, method="test", identity=SECRET)
	sessions.lock_agent(name, SECRET)
	site.db.commit()
	return name


def test_nothing_of_it_is_left_in_any_table_log_or_redis(
	erase, talkative, address, workers, cache_server, stored
):
	assert traces({SECRET, address}, workers, cache_server), "the search finds what is there"
	events = stored(talkative).event_count
	receipt = erase(session=talkative)
	assert receipt["sessions"] == [{"session": talkative, "turns": 2, "events": events}]
	assert traces({SECRET, address}, workers, cache_server) == [] and not receipt["left"]


def test_the_shell_stays_closed_and_its_trail_is_whole(erase, talkative, sessions, site, stored):
	erase(session=talkative)
	row = stored(talkative)
	assert (row.status, row.close_reason, row.turn_count, row.purged_turns) == ("Closed", "erased", 2, 2)
	assert [row[column] for column in ("user", "party", "external_id", "identity_hash", "token_hash")] == [
		None
	] * 5
	report = sessions.ensure_consistency(talkative)
	assert report.findings == []
	trail = site.get_all(
		"Session Event", {"session": talkative}, ["event", "actor", "salt"], order_by="sequence"
	)
	assert [event.event for event in trail][-2:] == ["closed", "erased"]
	assert {(event.actor, event.salt) for event in trail[:-2]} == {("", None)}
	assert trail[-1].actor == "Administrator" and trail[-1].salt


def test_an_erased_event_that_is_altered_shows(erase, talkative, sessions, damage):
	erase(session=talkative)
	damage(
		"update `tabSession Event` set details = %s where session = %s and sequence = 2",
		json.dumps({"erased": "00" * 32}),
		talkative,
	)
	assert "event 2 was altered" in sessions.report(talkative).findings[0]["detail"]


@pytest.mark.parametrize("state", ["close", "expire"])
def test_an_ended_session_is_erased_as_well(
	erase, talkative, sessions, site, set_row, state, workers, cache_server
):
	if state == "close":
		sessions.close(talkative, SECRET)
	else:
		set_row(talkative, expires_at="2020-01-01 00:00:00")
		reseal(talkative)
		sessions.cleanup_expired()
	site.db.commit()
	erase(session=talkative)
	assert traces(SECRET, workers, cache_server) == []
	assert erase(session=talkative)["sessions"][0]["turns"] == 0, "twice is harmless"
	assert sessions.report(talkative).findings == []


@pytest.mark.by_sql
def test_in_each_way_a_person_is_named_and_nobody_else(
	erase, sessions, site, device, verified, member, address
):
	mine = {
		"user": (OWNER, sessions.open(user=OWNER).id),
		"party": (("Role", "Guest"), sessions.open(party=("Role", "Guest")).id),
		"device": (device, sessions.open(device_id=device).id),
		"address": (("WhatsApp", address), sessions.open(channel="WhatsApp", external_id=address).id),
		"identity": ((directory.CHECK, member.number), verified),
	}
	others = [sessions.open().id, sessions.open(channel="WhatsApp", external_id=f"{address}1").id]
	site.db.commit()
	for way, (value, name) in mine.items():
		receipt = erase(**{way: value})
		assert name in [one["session"] for one in receipt["sessions"]], way
	assert [sessions.get(name).status for name in others] == ["Active"] * 2


def test_every_worker_says_closed_and_shows_nothing(erase, talkative, worker):
	other = worker()
	assert other.run(in_workers.look, talkative, "context") == [{"cat": SECRET}]
	erase(session=talkative)
	assert other.run(in_workers.refusal, talkative) == "SessionClosed"
	assert other.run(in_workers.contents, talkative) == []


def test_a_worker_that_reads_it_no_more_forgets_it_by_itself(sessions, talkative, site):
	from assistant_session.sessions.coherence import memory

	mine, other = memory.Memory(), sessions.open().row
	mine.put(sessions.get(talkative).row)
	mine.put(other)
	mine._rows[site.local.site, talkative].confirmed_at -= memory.KEPT_SECONDS
	mine.forget_old()
	assert len(mine) == 1 and mine.get(other.name).row == other
	mine._rows[site.local.site, other.name].confirmed_at -= memory.KEPT_SECONDS
	mine.forget_old()
	assert len(mine) == 1 and mine.get(other.name) is None and len(mine) == 0, "looked at once a minute"


def test_a_legal_hold_keeps_a_session_and_the_receipt_says_so(erase, talkative, sessions, site):
	other = sessions.open(user=OWNER).id
	sessions.set_legal_hold(talkative, "case 4711")
	site.db.commit()
	receipt = erase(user=OWNER)
	assert {"session": talkative, "why": "legal hold"} in receipt["kept"]
	assert other in [one["session"] for one in receipt["sessions"]]
	assert sessions.get(talkative).context == {"cat": SECRET} and len(sessions.history(talkative)) == 2
	sessions.lift_legal_hold(talkative, "case closed")
	site.db.commit()
	receipt = erase(user=OWNER)
	assert talkative in [one["session"] for one in receipt["sessions"]]
	assert talkative not in [one["session"] for one in receipt["kept"]]


def test_a_receipt_is_signed_and_every_change_of_it_shows(erase, erasing, talkative):
	receipt = json.loads(json.dumps(erase(session=talkative)))
	assert erasing.is_genuine(receipt) and SECRET not in json.dumps(receipt)
	for field, value in (("sessions", []), ("at", "2020-01-01"), ("digest", None), ("digest", "k1:00")):
		assert not erasing.is_genuine({**receipt, field: value})
	assert not erasing.is_genuine({}) and not erasing.is_genuine({**receipt, "more": 1})


def test_what_is_rolled_back_has_no_receipt_and_loses_nothing(erasing, person, talkative, sessions, site):
	queued = _enqueue(site, talkative)
	receipt = erasing.erase(person.Person.by_session(talkative))
	site.db.rollback()
	site.db.commit()
	assert receipt.digest is None and len(sessions.history(talkative)) == 2
	assert sessions.get(talkative).context == {"cat": SECRET}
	assert _is_queued(queued)


def test_nor_has_what_was_rolled_back_to_a_savepoint(erasing, person, talkative, sessions, site):
	queued = _enqueue(site, talkative)
	site.db.savepoint("here")
	receipt = erasing.erase(person.Person.by_session(talkative))
	site.db.rollback(save_point="here")
	site.db.commit()
	assert receipt.digest is None and receipt.left == [f"{talkative}: was not erased"]
	assert sessions.get(talkative).context == {"cat": SECRET} and _is_queued(queued)


def _enqueue(site, name: str, of: str | None = None):
	from frappe.utils.background_jobs import get_queue

	kwargs = {"site": of or site.local.site, "kwargs": {"session": name, "text": SECRET}}
	return get_queue("long").enqueue("builtins.print", kwargs=kwargs)


def _is_queued(job) -> bool:
	from rq.job import Job

	return Job.exists(job.id, connection=job.connection)


def test_queued_and_failed_jobs_go_after_the_commit(erase, talkative, site):
	from frappe.utils.background_jobs import get_queue
	from rq.registry import FailedJobRegistry

	waiting, failed = _enqueue(site, talkative), _enqueue(site, talkative)
	get_queue("long").remove(failed)
	FailedJobRegistry(queue=get_queue("long")).add(failed)
	other = _enqueue(site, "somebody-elses-session")
	assert erase(session=talkative)["outside"] == 2
	assert (_is_queued(waiting), _is_queued(failed), _is_queued(other)) == (False, False, True)
	other.delete()


def test_a_job_that_mentions_the_person_alone_is_another_apps_business(erase, talkative, address, site):
	other = _enqueue(site, address)
	assert erase(session=talkative)["outside"] == 0 and _is_queued(other)
	other.delete()


def test_jobs_of_another_site_stay(erase, talkative, site):
	elsewhere = _enqueue(site, talkative, of="elsewhere.example")
	assert erase(session=talkative)["outside"] == 0 and _is_queued(elsewhere)
	elsewhere.delete()


def test_only_whole_ids_count(erase, sessions, site):
	"""chat_1 is neither chat_10, nor a part of an invoice's number."""
	token = secrets.token_hex(4)
	names = [sessions.open(f"chat_{token}{tail}").id for tail in ("", "0")]
	jobs = [_enqueue(site, name) for name in (names[1], f"INV-{names[0]}", f"{names[0]}.txt")]
	for mentioned in names:
		site.get_doc({"doctype": "Error Log", "method": "x", "error": f"in {mentioned}"}).db_insert()
	site.db.commit()
	receipt = erase(session=names[0])
	assert (receipt["outside"], receipt["elsewhere"]) == (0, {"Error Log": 1})
	assert all(_is_queued(job) for job in jobs)
	for job in jobs:
		job.delete()


def test_a_short_id_is_looked_for_nowhere_and_the_receipt_says_so(erase, sessions, site):
	name = secrets.token_hex(2)
	sessions.open(name)
	site.get_doc({"doctype": "Error Log", "method": "x", "error": f"in {name}"}).db_insert()
	site.db.commit()
	receipt = erase(session=name)
	assert receipt["elsewhere"] == {} and receipt["left"] == [
		f"{name}: too short to be looked for in logs and jobs"
	]


def test_a_nickname_that_is_a_word_costs_nobody_their_logs(erase, sessions, site):
	session = sessions.open(channel="Web", external_id="Traceback").id
	site.get_doc({"doctype": "Error Log", "method": "x", "error": "Traceback (most recent)"}).db_insert()
	site.db.commit()
	before = site.db.count("Error Log")
	assert erase(session=session)["elsewhere"] == {} and site.db.count("Error Log") == before


def test_logs_that_name_the_person_stay_while_another_session_of_theirs_is_held(
	erase, sessions, site, address
):
	held = sessions.open(channel="WhatsApp", external_id=address, user=OWNER).id
	free = sessions.open(channel="Web", user=OWNER).id
	sessions.set_legal_hold(held, "case")
	for text in (address, free):
		site.get_doc({"doctype": "Error Log", "method": "x", "error": f"about {text}"}).db_insert()
	site.db.commit()
	receipt = erase(user=OWNER)
	assert held in [one["session"] for one in receipt["kept"]]
	assert site.db.count("Error Log", {"error": f"about {address}"}) == 1
	assert site.db.count("Error Log", {"error": f"about {free}"}) == 0
	assert "case" not in json.dumps(receipt), "a receipt goes to the person"


def test_a_log_entry_that_waits_in_redis_for_its_table_goes(erase, talkative, site, workers, cache_server):
	from frappe.deferred_insert import deferred_insert

	deferred_insert("Error Log", [{"method": "x", "error": f"in {talkative}: {SECRET}"}])
	deferred_insert("Error Log", [{"method": "x", "error": "in somebody else's session"}])
	waiting = site.cache().make_key("insert_queue_for_Error Log")
	before = cache_server.client().llen(waiting)
	assert erase(session=talkative)["outside"] == 1
	assert cache_server.client().llen(waiting) == before - 1 and traces(SECRET, workers, cache_server) == []
	cache_server.client().delete(waiting)


def test_while_the_queue_is_away_the_receipt_says_what_was_not_looked_at(erase, talkative, site, monkeypatch):
	import redis
	from frappe.utils import background_jobs

	nobody = redis.Redis(port=1)
	monkeypatch.setattr(background_jobs, "get_redis_conn", lambda *_more: nobody)
	receipt = erase(session=talkative)
	assert receipt["left"] == ["queued jobs: Redis does not answer"] and receipt["digest"]


def test_what_frappe_keeps_about_it_goes_and_what_it_keeps_about_others_stays(
	erase, talkative, sessions, site, workers, cache_server
):
	other = sessions.open().id
	for name, text in ((talkative, SECRET), (other, "keep me")):
		_leave_traces(site, name, text)
	site.db.commit()
	receipt = erase(session=talkative)
	assert receipt["elsewhere"] == {
		"Comment": 3, "Version": 1, "ToDo": 1, "Communication": 1, "Error Log": 2, "File": 1, "Deleted Document": 1,
		"View Log": 1, "Access Log": 1,
	}  # fmt: skip
	assert traces(SECRET, workers, cache_server) == []
	assert site.db.count("Comment", {"reference_name": ("like", f"{other}%")}) == 3
	assert site.db.count("Error Log", {"error": ("like", f"%{other}%")}) == 1


def _leave_traces(site, name: str, text: str) -> None:
	pointing = {"reference_doctype": "Conversation Session", "reference_name": name}
	turn = {"reference_doctype": "Conversation Turn", "reference_name": f"{name}-0000000001"}
	rows = (
		{"doctype": "Comment", "comment_type": "Comment", "content": text, **pointing},
		{"doctype": "Comment", "comment_type": "Comment", "content": text, **turn},
		{"doctype": "Version", "ref_doctype": "Conversation Session", "docname": name, "data": text},
		{"doctype": "ToDo", "description": text, "reference_type": pointing["reference_doctype"], "reference_name": name},
		{"doctype": "Communication", "subject": text, "content": text, **pointing},
		{"doctype": "Error Log", "method": "somewhere", "error": f"in {name}: {text}"},
		{"doctype": "Error Log", "method": text, "error": "x", **pointing},
		{
			"doctype": "Deleted Document", "deleted_doctype": "Conversation Session", "deleted_name": name,
			"data": json.dumps({"text": text}),
		},
		{"doctype": "View Log", "viewed_by": "Administrator", **pointing},
		{
			"doctype": "Access Log", "export_from": "Conversation Session", "reference_document": name, "page": text,
		},
	)  # fmt: skip
	for row in rows:
		document = site.get_doc(row)
		document.flags.ignore_links = document.flags.ignore_permissions = True
		document.db_insert()
	site.get_doc(
		{
			"doctype": "File", "file_name": "note.txt", "content": text, "is_private": 1,
			"attached_to_doctype": "Conversation Session", "attached_to_name": name,
		}
	).insert(ignore_permissions=True)  # fmt: skip


def test_what_frappe_keeps_in_the_row_itself_goes(erase, talkative, set_row, workers, cache_server):
	set_row(talkative, owner=SECRET, modified_by=SECRET, _comments=SECRET, _user_tags=SECRET, _assign=SECRET)
	erase(session=talkative)
	assert traces(SECRET, workers, cache_server) == []


def test_logs_about_an_id_that_only_looks_alike_to_the_database_stay(erase, sessions, site):
	name = f"like_this_{secrets.token_hex(6)}"
	sessions.open(name)
	for mentioned in (name, name.replace("_", "-")):
		site.get_doc({"doctype": "Error Log", "method": "x", "error": f"in {mentioned}"}).db_insert()
	site.db.commit()
	assert erase(session=name)["elsewhere"] == {"Error Log": 1}
	assert site.db.count("Error Log", {"error": f"in {name.replace('_', '-')}"}) == 1


def test_files_go_with_their_contents_and_leave_no_comment(erase, talkative, site):
	mail = site.get_doc(
		{
			"doctype": "Communication",
			"subject": "x",
			"reference_doctype": "Conversation Session",
			"reference_name": talkative,
		}
	)
	mail.db_insert()
	files = [
		_attach(site, "Conversation Session", talkative, "passport-maya.txt"),
		_attach(site, "Communication", mail.name, "scan.txt"),
	]
	site.db.commit()
	receipt = erase(session=talkative)
	assert receipt["elsewhere"]["File"] == 2
	assert not any(os.path.exists(path) for path in files)
	assert site.db.count("Comment", {"reference_name": talkative}) == 0


def test_a_link_that_ends_like_another_file_leaves_that_one_alone(erase, talkative, sessions, site):
	other = _attach(site, "Conversation Session", sessions.open().id, "report.txt")
	link = {
		"doctype": "File",
		"file_name": "x",
		"file_url": f"https://example.com/a/{os.path.basename(other)}",
	}
	link.update(attached_to_doctype="Conversation Session", attached_to_name=talkative)
	site.get_doc(link).db_insert()
	site.db.commit()
	assert erase(session=talkative)["elsewhere"]["File"] == 1 and os.path.exists(other)


def test_files_are_there_again_after_a_rollback(erasing, person, talkative, site):
	path = _attach(site, "Conversation Session", talkative, "passport-maya.txt")
	site.db.commit()
	erasing.erase(person.Person.by_session(talkative))
	site.db.rollback()
	site.db.commit()
	assert os.path.exists(path) and site.db.count("File", {"attached_to_name": talkative}) == 1


def test_an_erasure_after_which_a_list_still_shows_something_is_not_confirmed(erase, talkative, monkeypatch):
	from assistant_session.sessions.tables import session_rows

	monkeypatch.setattr(session_rows, "shown", lambda _name, _vantage: ("Visitor", None, "my order", "user"))
	assert erase(session=talkative)["digest"] is None


def test_where_the_database_refuses_something_afterwards_who_comes_next_is_not_refused_as_well(
	erase, talkative, site, monkeypatch
):
	from frappe.utils import file_manager

	_attach(site, "Conversation Session", talkative, "passport-maya.txt")
	site.db.commit()
	monkeypatch.setattr(
		file_manager, "delete_file", lambda _url: site.db.sql("select nothing from `tabNowhere`")
	)
	receipt = erase(session=talkative)
	assert receipt["digest"] is None and receipt["left"][-1].startswith("not confirmed: ")
	assert site.db.exists("User", "Administrator")


def _attach(site, doctype: str, name: str, file_name: str) -> str:
	values = {
		"doctype": "File", "file_name": file_name, "content": SECRET + file_name, "is_private": 1,
		"attached_to_doctype": doctype, "attached_to_name": name,
	}  # fmt: skip
	return site.get_doc(values).insert(ignore_permissions=True).get_full_path()


def test_a_trail_that_has_no_place_for_it_does_not_keep_a_person_from_being_erased(
	erase, talkative, sessions, set_row, workers, cache_server, stored
):
	"""The row is from an older backup: the next event's number is taken."""
	other = sessions.open().id
	set_row(talkative, event_count=1)
	receipt = erase(session=talkative)
	assert [one["session"] for one in receipt["sessions"]] == [talkative] and receipt["digest"]
	assert traces(SECRET, workers, cache_server) == [] and stored(talkative).status == "Closed"
	assert sessions.get(other).status == "Active"


def test_a_reduced_event_that_no_erasing_explains_is_an_altered_one(talkative, sessions, site, damage):
	"""Whoever has the database and not the key blanks who did what: the commitment alone still fits."""
	from assistant_session.sessions.tables import audit_chain

	for name, actor, details, salt in site.db.sql(
		"select name, actor, details, salt from `tabSession Event` where session = %s", talkative
	):
		said = json.dumps({audit_chain.ERASED: audit_chain.commitment(actor, details, salt)})
		damage(
			"update `tabSession Event` set details = %s, actor = '', salt = null where name = %s", said, name
		)
	assert "event 1 was altered" in sessions.report(talkative).findings[0]["detail"]


def test_from_the_shell_only_when_told_to(stage, talkative, sessions, site, erasing, tmp_path):
	done = stage.command("assistant-session", "erase", "--session", talkative)
	assert json.loads(done.stdout)["would_erase"] == [talkative] and len(sessions.history(talkative)) == 2
	path = tmp_path / "receipt.json"
	done = stage.command("assistant-session", "erase", "--session", talkative, "--yes", "--output", str(path))
	receipt = json.loads(path.read_text())
	assert done.returncode == 0 and path.stat().st_mode & 0o777 == 0o600
	assert erasing.is_genuine(receipt) and receipt["by"] == "Administrator"
	site.db.rollback()
	assert sessions.history(talkative) == []
	assert stage.command("assistant-session", "erase", "--session", "nobody", "--yes").returncode == 1
	assert stage.command("assistant-session", "erase").returncode == 2


def test_without_a_place_for_the_receipt_nothing_is_erased(stage, talkative, sessions):
	done = stage.command(
		"assistant-session", "erase", "--session", talkative, "--yes", "--output", "/nowhere/receipt"
	)
	assert done.returncode != 0 and len(sessions.history(talkative)) == 2


def test_a_file_that_is_there_already_is_not_written_over(stage, talkative, sessions, tmp_path):
	path = tmp_path / "receipt.json"
	path.write_text("an earlier receipt")
	done = stage.command("assistant-session", "erase", "--session", talkative, "--yes", "--output", str(path))
	assert done.returncode == 1 and "exists" in done.stderr and "Traceback" not in done.stderr
	assert path.read_text() == "an earlier receipt" and len(sessions.history(talkative)) == 2


def test_however_much_points_at_a_session_all_of_it_goes(erase, talkative, sessions, site, monkeypatch):
	"""It goes in slices, of which the last may be short."""
	from assistant_session.privacy import traces

	about = {"reference_doctype": "Conversation Session", "reference_name": talkative}
	for _number in range(5):
		site.get_doc({"doctype": "Comment", "comment_type": "Comment", "content": SECRET, **about}).insert()
	site.db.commit()
	monkeypatch.setattr(traces, "PAGE", 2)
	erase(session=talkative)
	assert site.db.count("Comment", about) == 0
