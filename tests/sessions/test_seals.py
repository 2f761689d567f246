"""Seals: what somebody at the database alters without the site's key is noticed, and never believed."""

import itertools
import secrets

import pytest

from dev.harness.caller import TOKEN, Caller
from dev.harness.users import new_user
from tests import in_workers
from tests.conftest import SITE
from tests.damaged import ensured, kinds
from tests.desk.test_desk_edits import another
from tests.sessions.test_doctor import doctor

__all__ = ["doctor"]

SESSION, TURN, EVENT = "Conversation Session", "Conversation Turn", "Session Event"
ROW, TURNS = "row altered", "turn altered"


@pytest.fixture
def anew(sessions):
	"""`anew(name)`: the session as the next reader has it once the register's entry has ended."""

	def read(name: str):
		sessions.recover(name)
		return sessions.get(name)

	return read


@pytest.fixture
def visit(doctor, monkeypatch):
	"""`visit(name, **options)`: the doctor sees this session alone."""

	def run(name: str, **options):
		monkeypatch.setattr(doctor, "_batches", lambda _after: iter([[name]]))
		monkeypatch.setattr(doctor, "_orphans", lambda _doctype: iter(()))
		return doctor.visit(**options)

	return run


@pytest.fixture
def cut_off(sessions, site, told, damage, set_row):
	"""The last three events are gone, and count and head of the row are those of the one before them."""
	for number in range(3):
		sessions.lock_agent(told, f"agent {number}", steal=True)
	site.db.commit()
	last = site.db.get_value(SESSION, told, "event_count")
	damage(f"delete from `tab{EVENT}` where session = %s and sequence > %s", told, last - 3)
	head = site.db.get_value(EVENT, {"session": told, "sequence": last - 3}, "digest")
	set_row(told, event_count=last - 3, event_head=head)
	return told


def test_a_cut_off_trail_is_named_by_report_and_doctor(cut_off, sessions, visit):
	assert kinds(sessions.report(cut_off)) == [ROW]
	seen = visit(cut_off)
	assert seen.counts == {ROW: 1} and not seen.sound
	assert visit(cut_off, deep=False).counts == {ROW: 1}


def test_it_is_mended_on_purpose_and_the_trail_says_so(cut_off, sessions, site, stored):
	report = ensured(sessions, site, cut_off)
	assert (kinds(report), report.consistent) == ([ROW], False)
	assert report.action_taken.endswith("row altered: end the authentication, seal it anew")
	last = site.get_all(EVENT, {"session": cut_off}, ["event", "details"], order_by="sequence")[-2:]
	assert [one.event for one in last] == ["deauthenticated", "repaired"]
	assert "row altered" in last[0].details and "row altered" in last[1].details
	assert (stored(cut_off).authenticated, sessions.report(cut_off).consistent) == (0, True)


def test_the_doctor_mends_it_only_when_told_to(cut_off, visit, stored):
	before = stored(cut_off)
	assert visit(cut_off).findings[0].remedy and stored(cut_off) == before
	assert not visit(cut_off, fix=True, on_purpose=False).sound and stored(cut_off) == before
	assert visit(cut_off, fix=True).sound and visit(cut_off).sound


def test_the_nightly_round_leaves_it_and_calls_somebody(cut_off, site, doctor, stored, monkeypatch):
	from assistant_session.maintenance import sweep

	monkeypatch.setattr(doctor, "_batches", lambda _after: iter([[cut_off]]))
	monkeypatch.setattr(doctor, "_orphans", lambda _doctype: iter(()))
	before = stored(cut_off)
	sweep.sweep()
	site.db.rollback()
	called = site.get_all("Error Log", {"method": sweep.TITLE}, pluck="error", order_by="creation desc")[0]
	assert f"{cut_off}: {ROW}" in called and stored(cut_off) == before


def test_where_the_trail_does_not_fit_the_row_is_left_alone_too(sessions, site, told, damage, stored):
	damage(f"update `tab{SESSION}` set event_count = 9 where name = %s", told)
	before = stored(told)
	report = ensured(sessions, site, told)
	assert [(one["kind"], one["remedy"]) for one in report.findings] == [
		(ROW, None),
		("audit trail broken", None),
	]
	assert stored(told) == before


@pytest.mark.parametrize(
	"column", ["user", "user_profile", "creation", "turn_count", "old_token_until", "authenticated"]
)
def test_a_column_of_each_type_is_covered_as_the_database_gives_it(told, sessions, stored, set_row, column):
	"""Every one of them: tests/unit/test_sealed_values.py."""
	moment = column.endswith("_until") or column == "creation"
	value = "2001-01-01 00:00:00" if moment else another(column, stored(told)[column])
	set_row(told, **{column: value})
	assert ROW in kinds(sessions.report(told))


def test_nothing_and_an_empty_text_are_not_the_same(told, sessions, set_row):
	set_row(told, external_id="")
	assert kinds(sessions.report(told)) == [ROW]


PROVEN = (
	"authenticated", "auth_method", "authenticated_at", "auth_expires_at", "identity_hash", "user_profile",
	"last_activity", "expires_at",
)  # fmt: skip


@pytest.fixture
def forged(sessions, site, told, stored, set_row):
	"""A session of somebody else, into which the proof of `told` was copied."""
	name = sessions.open().id
	site.db.commit()
	set_row(name, **{column: stored(told)[column] for column in PROVEN})
	return name


def test_an_authentication_written_by_sql_is_not_believed(forged, anew, stored, visit, sessions):
	session = anew(forged)
	assert stored(forged).authenticated == 1
	assert (session.authenticated, session.user_profile) == (False, {})
	assert visit(forged).counts == {ROW: 1}
	assert sessions.report(forged).database_authenticated is False


def test_nor_with_the_seal_of_the_session_it_was_copied_from(forged, told, anew, stored, set_row):
	set_row(forged, seal=stored(told).seal, version=stored(told).version, revision=stored(told).revision)
	assert not anew(forged).authenticated


def test_nor_over_http(client, workers, sessions, site, told, stored, set_row):
	caller = Caller(workers.url, SITE).open()
	set_row(caller.session_id, **{column: stored(told)[column] for column in PROVEN})
	sessions.recover(caller.session_id)
	answer = caller.own("resume_session")
	assert answer.status_code == 200 and answer.json()["message"]["authenticated"] is False


def test_one_whose_time_was_stretched_by_sql_is_not_believed(told, anew, set_row):
	assert anew(told).authenticated
	set_row(told, auth_expires_at="2090-01-01 00:00:00")
	assert not anew(told).authenticated


def test_another_persons_profile_is_not_shown(told, sessions, site, anew, stored, set_row):
	other = sessions.open().id
	sessions.authenticate(other, {"name": "Maya"}, method="test", identity="maya")
	site.db.commit()
	set_row(told, user_profile=stored(other).user_profile)
	assert anew(told).user_profile == {}


@pytest.mark.parametrize("fields", [("identity_hash",), ("token_hash",), ("user",), ("party_type", "party")])
def test_somebody_elses_identity_token_or_user_is_named(told, set_row, visit, anew, fields):
	set_row(told, **dict.fromkeys(fields, "User" if "party_type" in fields else "Guest"))
	assert visit(told).counts == {ROW: 1} and not anew(told).authenticated


ALTERED_TURNS = {
	"another text": "update `tabConversation Turn` set content = 'I agree' where session = %s and sequence = 2",
	"another role": "update `tabConversation Turn` set role = 'user' where session = %s and sequence = 2",
	"another place": "update `tabConversation Turn` set sequence = 6 - sequence where session = %s and sequence in (2, 4)",
	"another intent": "update `tabConversation Turn` set intent = 'x' where session = %s and sequence = 2",
	"another state": "update `tabConversation Turn` set state = 'x' where session = %s and sequence = 2",
	"another key": "update `tabConversation Turn` set message_key = 'x' where session = %s and sequence = 2",
	"another question": "update `tabConversation Turn` set reply_to = 3 where session = %s and sequence = 2",
	"other metadata": "update `tabConversation Turn` set metadata = '{}' where session = %s and sequence = 2",
	"another time": "update `tabConversation Turn` set creation = '2020-01-01' where session = %s and sequence = 2",
	"another digest": "update `tabConversation Turn` set message_digest = 'x' where session = %s and sequence = 2",
	"no seal": "update `tabConversation Turn` set seal = null where session = %s and sequence = 2",
}


@pytest.mark.parametrize("what", ALTERED_TURNS)
def test_an_altered_turn_is_named_and_left_alone(told, sessions, site, damage, visit, what):
	damage(ALTERED_TURNS[what], told)
	before = site.get_all(TURN, {"session": told}, ["*"], order_by="name")
	report = ensured(sessions, site, told)
	assert kinds(report) == [TURNS] and report.findings[0]["remedy"] is None
	assert report.findings[0]["detail"] == ("turns 4, 2" if what == "another place" else "turn 2")
	assert site.get_all(TURN, {"session": told}, ["*"], order_by="name") == before
	assert visit(told).counts == {TURNS: 1} and visit(told, deep=False).counts == {}


def test_turns_that_changed_places_are_named(told, sessions, site, damage):
	"""Their rows are whole, sequences and all; only their names, by which a page of history is read, are swapped."""
	from assistant_session.sessions.tables import turns

	one, two = turns.name_of(told, 1), turns.name_of(told, 3)
	for old, new in ((one, "x"), (two, one), ("x", two)):
		damage(f"update `tab{TURN}` set name = %s where name = %s", new, old)
	assert kinds(sessions.report(told)) == [TURNS]


def test_a_turn_of_another_session_is_named(told, sessions, site, damage):
	other = sessions.open().id
	sessions.add_turn(other, "user", "yes, pay him")
	site.db.commit()
	damage(f"delete from `tab{TURN}` where session = %s and sequence = 1", told)
	damage(
		f"update `tab{TURN}` set session = %s, name = %s where session = %s",
		told,
		f"{told}-0000000001",
		other,
	)
	assert kinds(sessions.report(told)) == [TURNS]


def test_many_altered_turns_are_one_finding(told, sessions, site, damage, monkeypatch):
	from assistant_session.sessions.health import turn_diagnosis

	monkeypatch.setattr(turn_diagnosis, "TURNS", 3)  # several pages of one session
	for number in range(8):
		sessions.add_turn(told, "user", f"message {number}")
	site.db.commit()
	assert sessions.report(told).consistent
	damage(f"update `tab{TURN}` set content = 'x' where session = %s", told)
	assert [one["detail"] for one in sessions.report(told).findings] == ["turns 1, 2, 3, 4, 5 and 7 more"]


def turn(sessions, name: str) -> None:
	with sessions.turn(name, "hello") as here:
		here.reply("hi")


WRITES = {
	"a turn": turn,
	"a message": lambda sessions, name: sessions.add_turn(name, "user", "x"),
	"a state": lambda sessions, name: sessions.transition(name, "NEXT"),
	"an agent": lambda sessions, name: sessions.lock_agent(name, "billing", steal=True),
	"a hold": lambda sessions, name: sessions.set_legal_hold(name, "case"),
	"an end": lambda sessions, name: sessions.close(name, "done"),
	"a failed write": lambda sessions, name: fail(sessions, name),
}


def fail(sessions, name: str) -> None:
	from assistant_session.sessions.tables import turns

	with pytest.MonkeyPatch.context() as patch, pytest.raises(RuntimeError):
		patch.setattr(turns, "append", broken)
		sessions.add_turn(name, "user", "x")


def broken(*_arguments, **_more):
	raise RuntimeError


@pytest.mark.parametrize("write", WRITES)
def test_no_write_makes_an_altered_row_fit_again(told, sessions, site, set_row, anew, write):
	set_row(told, user="Guest")
	anew(told)
	for _time in range(2):
		WRITES[write](sessions, told)
		site.db.commit()
		assert ROW in kinds(sessions.report(told)), write
		if write == "an end":
			return
		assert not anew(told).authenticated


def test_a_write_from_memory_over_an_altered_row_does_not_either(told, sessions, site, set_row):
	"""Version and revision still fit: the UPDATE finds the row, and changes what it wants to alone."""
	sessions.get(told)
	set_row(told, identity_hash="k1:somebody", token_hash="x")
	sessions.transition(told, "NEXT")
	site.db.commit()
	assert ROW in kinds(sessions.report(told))


def test_what_ends_with_the_next_write_says_why(told, sessions, site, set_row, anew, stored):
	from tests.checks import events

	set_row(told, user="Guest")
	anew(told)
	turn(sessions, told)
	site.db.commit()
	assert stored(told).authenticated == 0 and events(told)[-1] == "deauthenticated"
	details = site.get_all(EVENT, {"session": told, "event": "deauthenticated"}, pluck="details")
	assert "row altered" in details[-1]


def test_nobody_is_authenticated_in_an_altered_session_until_it_is_mended(
	told, sessions, site, set_row, anew
):
	sessions.deauthenticate(told)
	site.db.commit()
	set_row(told, user="Guest")
	anew(told)
	with pytest.raises(sessions.SessionAltered):
		sessions.authenticate(told, {"name": "Hari"}, method="test")
	site.db.rollback()
	with pytest.raises(sessions.SessionAltered), sessions.turn(told, "it is me") as here:
		here.session.authenticate({"name": "Hari"}, method="test")
	site.db.rollback()
	assert ensured(sessions, site, told).action_taken.endswith("seal it anew")
	sessions.authenticate(told, {"name": "Hari"}, method="test")
	site.db.commit()
	assert anew(told).authenticated and sessions.report(told).consistent


def test_somebody_asked_for_credentials_in_an_altered_session_is_told_to_try_later(
	authentication, sessions, site, set_row, asked, member
):
	"""And no attempt of theirs is counted."""
	set_row(asked, user="Guest")
	sessions.recover(asked)
	before = site.db.count("Verification Attempt")
	outcome = authentication.submit(asked, f"{member.number} {member.national_number}")
	assert outcome.kind == "unavailable" and not outcome.verified
	assert site.db.count("Verification Attempt") == before
	assert ensured(sessions, site, asked).action_taken.endswith("seal it anew")
	assert authentication.submit(asked, f"{member.number} {member.national_number}").verified


def test_a_repair_that_fails_leaves_no_seal_behind(told, sessions, site, set_row, monkeypatch):
	from assistant_session.sessions.tables import events

	set_row(told, user="Guest")
	with monkeypatch.context() as patch, pytest.raises(RuntimeError):
		patch.setattr(events, "store", broken)
		sessions.ensure_consistency(told)
	site.db.commit()  # a caller that goes on
	assert kinds(sessions.report(told)) == [ROW]


def test_a_repair_decides_on_the_row_as_it_is_by_then(told, sessions, site, set_row, stored, monkeypatch):
	"""Somebody put it right between the look and the repair: nothing is written."""
	from assistant_session.sessions.health import repair

	before, original = stored(told), repair.repair
	set_row(told, user="Guest")

	def put_right_first(*arguments):
		set_row(told, user=before.user)
		return original(*arguments)

	monkeypatch.setattr(repair, "repair", put_right_first)
	ensured(sessions, site, told)
	assert stored(told) == before


def test_a_row_without_a_seal_does_not_fit(told, sessions, set_row, anew):
	set_row(told, seal=None)
	assert [one["detail"] for one in sessions.report(told).findings] == ["seal: has none"]
	assert not anew(told).authenticated


def whole(site, name: str) -> dict:
	"""Everything stored of a session, by DocType."""
	site.db.rollback()
	filters = {SESSION: {"name": name}, TURN: {"session": name}, EVENT: {"session": name}}
	return {doctype: site.get_all(doctype, filter, ["*"]) for doctype, filter in filters.items()}


def put_back(damage, stored_then: dict) -> None:
	"""As somebody with the database does."""
	(row,) = stored_then[SESSION]
	for doctype, column in ((SESSION, "name"), (TURN, "session"), (EVENT, "session")):
		damage(f"delete from `tab{doctype}` where {column} = %s", row["name"])
		for values in stored_then[doctype]:
			columns = ", ".join(f"`{name}`" for name in values)
			places = ", ".join(["%s"] * len(values))
			damage(f"insert into `tab{doctype}` ({columns}) values ({places})", *values.values())


def test_a_session_put_back_whole_is_not_noticed_inside_the_database(told, sessions, site, damage):
	"""The limit of every seal: it was true once. See test_anchor.py for who notices."""
	then = whole(site, told)
	turn(sessions, told)
	sessions.deauthenticate(told)
	site.db.commit()
	put_back(damage, then)
	assert kinds(sessions.report(told)) == []


def test_one_that_was_put_back_is_not_authenticated_for_longer_than_it_was(
	told, sessions, site, damage, set_row, anew
):
	then = whole(site, told)
	sessions.deauthenticate(told)
	site.db.commit()
	put_back(damage, then)
	set_row(told, last_activity="2089-12-31 00:00:00", expires_at="2090-01-01 00:00:00")
	assert not anew(told).authenticated


@pytest.fixture
def conf(site, monkeypatch):
	from assistant_session.sessions.secrets import keys

	def configure(**values) -> None:
		monkeypatch.setitem(site.local.conf, keys.CONFIG, values or None)

	configure.now = dict(site.local.conf[keys.CONFIG])
	return configure


def test_after_a_rotation_old_seals_fit_and_new_ones_name_the_new_key(told, sessions, site, conf, stored):
	conf(**{**conf.now, "k9": "ab" * 32, "current": "k9"})
	assert sessions.report(told).consistent and sessions.get(told).authenticated
	turn(sessions, told)
	site.db.commit()
	assert stored(told).seal.startswith("k9:") and sessions.report(told).consistent


def test_without_the_key_nobody_is_authenticated_and_nothing_is_sealed_anew(
	told, sessions, site, conf, stored
):
	before = stored(told)
	conf()
	assert not sessions.get(told).authenticated
	report = sessions.report(told)
	assert ROW not in kinds(report) and {"unreadable"} < set(kinds(report))
	with pytest.raises(Exception, match="make-key"):
		turn(sessions, told)
	site.db.rollback()
	conf(**conf.now)
	assert stored(told) == before and sessions.get(told).authenticated


def test_with_another_key_of_the_same_id_nobody_is(told, sessions, conf):
	conf(**{**conf.now, conf.now["current"]: "cd" * 32})
	assert not sessions.get(told).authenticated
	assert {ROW, TURNS} < set(kinds(sessions.report(told)))


def test_a_rename_of_user_and_party_keeps_the_seal(sessions, site):
	old, new = (f"{secrets.token_hex(6)}@example.com" for _one in range(2))
	new_user(old)
	name = sessions.open(user=old, party=("User", old)).id
	sessions.authenticate(name, {"name": "A"}, method="test")
	site.db.commit()
	site.rename_doc("User", old, new, force=True)
	site.db.commit()
	session = sessions.get(name)
	assert (session.user, session.party, session.authenticated) == (new, new, True)
	assert sessions.report(name).consistent


def test_a_rename_does_not_launder(sessions, site, set_row):
	old, new = (f"{secrets.token_hex(6)}@example.com" for _one in range(2))
	new_user(old)
	name = sessions.open().id
	site.db.commit()
	set_row(name, user=old)
	site.rename_doc("User", old, new, force=True)
	site.db.commit()
	assert kinds(sessions.report(name)) == [ROW]


@pytest.fixture
def sealing(site, monkeypatch):
	"""The migration, on a site that has not noted it, and that notes it here alone."""
	from assistant_session.maintenance import sealing

	monkeypatch.delitem(site.local.conf, sealing.NOTE, raising=False)
	monkeypatch.setattr(sealing, "update_site_config", lambda *_arguments, **_more: None)
	yield sealing
	site.local.conf.pop(sealing.NOTE, None)


@pytest.fixture
def unsealed(told, sessions, site, damage):
	"""As before there were seals: rows and turns without."""
	others = [sessions.open().id for _number in range(3)]
	for name in others:
		sessions.add_turn(name, "user", "hello")
	site.db.commit()
	for name in (told, *others):
		damage(f"update `tab{SESSION}` set seal = null where name = %s", name)
		damage(f"update `tab{TURN}` set seal = null where session = %s", name)
	return told, *others


def test_the_migration_seals_what_is_there_authentications_included(unsealed, sealing, sessions, worker):
	other = worker()
	assert other.run(in_workers.look, unsealed[0], "authenticated") == [False]
	assert sealing.seal_what_is_there() >= 4 + 7
	assert other.run(in_workers.look, unsealed[0], "authenticated") == [True]
	assert all(sessions.report(name).consistent for name in unsealed)


def test_one_that_was_cut_off_is_gone_on_with(unsealed, sealing, sessions, site, monkeypatch):
	monkeypatch.setattr(sealing, "BATCH", 2)
	steps, seal_rows = itertools.count(), sealing._seal_rows

	def cut(names):
		if next(steps) == 1:
			raise KeyboardInterrupt
		return seal_rows(names)

	with monkeypatch.context() as killed, pytest.raises(KeyboardInterrupt):
		killed.setattr(sealing, "_seal_rows", cut)
		sealing.seal_what_is_there()
	site.db.rollback()
	sealing.seal_what_is_there()
	assert all(sessions.report(name).consistent for name in unsealed)


def test_it_is_done_once_and_leaves_what_was_altered_since(unsealed, sealing, sessions, set_row):
	sealing.seal_what_is_there()
	set_row(unsealed[1], user="Guest", seal=None)
	assert sealing.seal_what_is_there() == 0
	assert kinds(sessions.report(unsealed[1])) == [ROW]


def test_it_does_not_touch_what_has_a_seal(told, sealing, stored, set_row):
	set_row(told, user="Guest")
	before = stored(told)
	sealing.seal_what_is_there()
	assert stored(told) == before


def test_a_worker_that_writes_meanwhile_writes_on_the_sealed_row(unsealed, sealing, sessions, worker, site):
	other = worker()
	other.run(in_workers.state, unsealed[1])
	sealing.seal_what_is_there()
	other.run(in_workers.move, unsealed[1], "NEXT")
	assert sessions.report(unsealed[1]).consistent


def test_a_token_that_was_put_in_by_sql_is_named(client, workers, sessions, set_row, visit):
	from hashlib import sha256

	caller = Caller(workers.url, SITE).open()
	set_row(caller.session_id, token_hash=sha256(b"mine").hexdigest())
	assert TOKEN and visit(caller.session_id).counts == {ROW: 1}
