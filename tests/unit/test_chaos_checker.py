"""The checker of `make chaos` finds each kind of violation, made by hand, and nothing in a clean log."""

import subprocess
import sys
from copy import deepcopy

import pytest

from chaos import place
from chaos.checker import MISSED, OLD_ROW, check
from chaos.trust import MISSED_END
from tests.conftest import REPOSITORY

RUN = {
	"seed": 1, "longest_answer": 30.0, "longest_read": 10.0, "register_ttl": 5.0, "attempts_allowed": 3,
	"secrets": ["Sunrise"],
}  # fmt: skip
S, M = "session-one", "member-one"
WORKER, ADDRESS, CUT_OFF = 11, "http://one", "http://two"


def call(name, start, end=None, *, session=S, status=200, body=None, **more):
	entry = {
		"client": "somebody", "call": name, "session": session, "message_id": None, "patience": None, "start": start,
		"end": start + 0.1 if end is None else end, "status": status, "failure": None, "retry_after": None,
		"worker": WORKER, "address": ADDRESS, "body": body if status else None,
	}  # fmt: skip
	return {**entry, **more}


def turn(sequence, role, content, reply_to=None):
	return {"sequence": sequence, "role": role, "content": content, "reply_to": reply_to}


def reply_to(number, said):
	text = f"Question {number}: your branch will answer “{said}” today."
	return turn(2 * number, "assistant", text, 2 * number - 1)


def said(number, start, text=None, **more):
	"""An acknowledged message to the bank and what it was answered."""
	text = text or f"message {number}"
	body = {"turns": 2 * number, "authenticated": False, "replies": [reply_to(number, text)]}
	about = {"message_id": f"id {number}", "said": text, "kind": "message"}
	return call("send_message", start, **{**about, "body": body, **more})


def typed(kind, start, outcome, *, sequence=1, authenticated=None, **more):
	"""An acknowledged message with credentials."""
	replies = [turn(sequence + 1, "assistant", outcome, sequence)]
	body = {
		"turns": sequence + 1,
		"replies": replies,
		"verification": {"outcome": outcome},
		"authenticated": outcome == "verified" if authenticated is None else authenticated,
	}
	about = {"message_id": f"{kind} {sequence}", "said": "PEN 1 2", "kind": kind, "session": M}
	return call("send_message", start, **{**about, "body": body, **more})


def resumed(start, turns, *, session=S, authenticated=False, **more):
	body = {"turns": turns, "authenticated": authenticated}
	return call("resume_session", start, session=session, body=body, **more)


def python_read(start, turns, outcome="memory", end=None):
	end = start + 0.01 if end is None else end
	return {
		"read": outcome,
		"session": S,
		"start": start,
		"end": end,
		"turns": turns,
		"authenticated": False,
	}


def stored(name, sequences, **more):
	return [{"session": name, **one} for one in sequences]


class Run:
	"""A log and rows that fit together; tests spoil them."""

	def __init__(self):
		self.log = [
			{"run": RUN},
			call("open_session", 0, body={"session_id": S, "turns": 0, "authenticated": False}),
			said(1, 1),
			resumed(2, 2),
			said(2, 3),
			python_read(4, 4),
			call("open_session", 0, session=M, body={"session_id": M, "turns": 0, "authenticated": False}),
			typed("wrong", 1, "not_matched"),
			typed("right", 2, "verified", sequence=3),
			resumed(3, 4, session=M, authenticated=True),
			call("logout", 4, session=M, body={"turns": 4, "authenticated": False}),
			resumed(5, 4, session=M),
		]
		one, two = turn(1, "user", "message 1"), turn(3, "user", "message 2")
		self.turns = stored(S, [one, reply_to(1, "message 1"), two, reply_to(2, "message 2")])
		asked = [turn(1, "user", "•••"), turn(2, "assistant", "not_matched", 1)]
		self.turns += stored(M, [*asked, turn(3, "user", "•••"), turn(4, "assistant", "verified", 3)])
		row = {"status": "Active", "authenticated": 0, "turn_count": 4}
		self.sessions = [{"name": S, "channel": "Bank", **row}, {"name": M, "channel": "Pension", **row}]

	def check(self):
		return check(self.log, self.sessions, self.turns)

	@property
	def violations(self):
		return "\n".join(self.check().violations)

	def row(self, name):
		return next(row for row in self.sessions if row["name"] == name)

	def stored(self, name, sequence):
		return next(row for row in self.turns if (row["session"], row["sequence"]) == (name, sequence))

	def find(self, name, number=0):
		return [entry for entry in self.log if entry.get("call") == name][number]


@pytest.fixture
def run():
	return Run()


def test_a_clean_run_has_no_violation_and_used_no_exception(run):
	result = run.check()
	assert result.violations == [] and not +result.exceptions
	assert result.figures["turns acknowledged"] == 4 and result.figures["retries"] == 0


def test_an_acknowledged_turn_that_is_not_stored_is_found(run):
	run.turns = [row for row in run.turns if (row["session"], row["sequence"]) not in ((S, 3), (S, 4))]
	run.row(S)["turn_count"] = 2
	assert "acknowledged “message 2” is not stored as turn 3" in run.violations


def test_an_acknowledged_turn_stored_with_another_text_is_found(run):
	run.stored(S, 3)["content"] = "message 3"
	assert "acknowledged “message 2” is not stored" in run.violations
	assert "was never said in this session" in run.violations


def test_a_turn_stored_twice_is_found(run):
	run.turns += stored(S, [turn(5, "user", "message 2"), reply_to(3, "message 2")])
	run.row(S)["turn_count"] = 6
	assert "“message 2” is stored 2 times" in run.violations


def test_a_message_nobody_acknowledged_may_be_stored_once_or_not_at_all(run):
	run.log.append(said(3, 5, status=None))
	assert run.violations == ""
	run.turns += stored(S, [turn(5, "user", "message 3"), reply_to(3, "message 3")])
	run.row(S)["turn_count"] = 6
	assert run.violations == ""
	run.turns += stored(S, [turn(7, "user", "message 3"), reply_to(4, "message 3")])
	run.row(S)["turn_count"] = 8
	assert "is stored 2 times" in run.violations


def test_a_repeated_message_that_was_answered_otherwise_is_found(run):
	again = said(2, 6)
	again["body"] = {**again["body"], "replies": [reply_to(3, "message 2")]}
	run.log.append(again)
	assert "answered differently when it was repeated" in run.violations


def test_a_repeated_message_that_was_answered_the_same_is_right(run):
	run.log.append(said(2, 6))
	assert run.violations == ""
	assert run.check().figures["retries"] == 1


def test_the_longest_silence_after_a_kill_counts_from_the_kill_to_the_acknowledgement(run):
	died = {**said(2, 3, status=None), "failure": "ConnectionError"}
	impatient = {**said(2, 2, status=None), "failure": "ReadTimeout"}
	run.log += [died, impatient, {"fault": "a worker killed", "start": 3.005, "end": 3.01, "address": None}]
	message = next(one for one in run.log if one.get("said") == "message 2" and one["status"] == 200)
	message.update(start=7.0, end=7.5)
	assert run.check().figures["longest silence after a kill"] == pytest.approx(7.5 - 3.005)
	run.log.remove(died)
	assert run.check().figures["longest silence after a kill"] == 0


def test_an_answer_that_is_not_the_stored_one_is_found(run):
	run.stored(S, 4)["content"] = reply_to(2, "else")["content"]
	assert "the answer given as turn 4 is not what is stored there" in run.violations


def test_a_message_acknowledged_without_an_answer_is_found(run):
	run.find("send_message")["body"]["replies"] = []
	assert "without the chatbot's answer" in run.violations


def test_two_messages_given_the_same_place_are_found(run):
	run.find("send_message", 1)["body"]["replies"] = [reply_to(1, "message 1")]
	assert "2 different messages were acknowledged as turn 1" in run.violations


def test_turns_in_the_wrong_order_are_found(run):
	first, second = run.find("send_message"), run.find("send_message", 1)
	for field in ("message_id", "said", "body"):
		first[field], second[field] = second[field], first[field]
	assert "“message 1” stands before a message that had been acknowledged" in run.violations


def test_messages_sent_at_the_same_time_may_stand_in_either_order(run):
	run.log = [entry for entry in run.log if entry.get("call") != "resume_session" or entry["session"] != S]
	run.find("send_message").update(start=1, end=3.5)
	run.find("send_message", 1).update(start=1, end=3.5)
	assert run.violations == ""


def test_a_gap_is_found(run):
	run.turns = [row for row in run.turns if (row["session"], row["sequence"]) != (M, 2)]
	assert f"{M}: the turns are numbered 1, 3, 4, with a gap" in run.violations


def test_a_row_that_counts_wrongly_is_found(run):
	run.row(S)["turn_count"] = 6
	assert "the row counts 6 turns, 4 are stored" in run.violations


def test_a_foreign_turn_is_found(run):
	run.turns += stored(S, [turn(5, "user", "somebody else's"), reply_to(3, "somebody else's")])
	run.row(S)["turn_count"] = 6
	assert "turn 5 was never said in this session" in run.violations


def test_an_answer_to_nothing_is_found(run):
	run.stored(S, 4)["reply_to"] = 9
	assert "turn 4 answers nothing that is stored" in run.violations


def lose_an_update(run):
	lost = reply_to(1, "message 2")["content"]
	run.stored(S, 4)["content"] = lost
	run.find("send_message", 1)["body"]["replies"][0]["content"] = lost


def test_an_answer_to_another_message_is_found(run):
	foreign = reply_to(2, "somebody else's")["content"]
	run.stored(S, 4)["content"] = foreign
	run.find("send_message", 1)["body"]["replies"][0]["content"] = foreign
	assert "turn 4 does not answer turn 3" in run.violations


def test_a_lost_update_of_the_context_is_found(run):
	lose_an_update(run)
	assert "turn 4 counts 1 after 1: an update was lost" in run.violations


def test_a_lost_session_is_found(run):
	run.sessions.pop(0)
	assert f"{S}: the session is not in the database" in run.violations


def test_a_session_nobody_was_told_of_needs_a_lost_answer(run):
	row = {**run.row(S), "name": "orphan", "turn_count": 0}
	run.sessions.append(row)
	assert "1 sessions nobody was told of, 0 calls of open_session without an answer" in run.violations
	run.log.append(call("open_session", 1, session=None, status=None))
	result = run.check()
	assert result.violations == [] and result.exceptions["session opened whose answer got lost"] == 1
	run.turns += stored("orphan", [turn(1, "user", "boo")])
	row["turn_count"] = 1
	assert "orphan: nobody was told of this session, and it has turns" in run.violations


@pytest.mark.parametrize("old", [resumed(6, 2), python_read(6, 2), python_read(6, 2, "database")])
def test_a_read_older_than_an_acknowledged_write_is_found(run, old):
	run.log.append(old)
	assert "showed 2 turns when 4 had been acknowledged" in run.violations


def test_a_page_of_history_without_the_last_turns_is_found(run):
	page = [turn(1, "user", "message 1"), reply_to(1, "message 1")]
	run.log.append(call("get_history", 6, body={"history": page}))
	assert "showed 2 turns when 4 had been acknowledged" in run.violations


def test_a_read_that_began_before_the_acknowledgement_may_be_older(run):
	run.log.append(resumed(3.05, 2))
	assert run.violations == ""


def test_a_read_marked_stale_may_be_older(run):
	run.log.append(python_read(6, 2, "stale"))
	assert run.violations == ""


def test_a_read_that_shows_what_is_not_stored_is_found(run):
	page = [turn(4, "assistant", "never stored", 3)]
	run.log.append(call("get_history", 6, body={"history": page}))
	assert "showed a turn 4 that is not stored" in run.violations


def test_a_read_that_takes_back_what_another_had_shown_is_found(run):
	run.find("send_message", 1)["status"] = None
	run.log += [resumed(6, 4), resumed(7, 2)]
	assert "showed 2 turns after an earlier read had shown 4" in run.violations


def cut_off(run, start, end, *, address=CUT_OFF):
	run.log.append({"fault": "one worker cut off from Redis", "start": start, "end": end, "address": address})
	run.find("send_message", 1)["address"] = run.find("logout")["address"] = CUT_OFF


def test_the_documented_exception_is_counted_and_no_violation(run):
	cut_off(run, 2.5, 4)
	run.log.append(resumed(6, 2))
	result = run.check()
	assert result.violations == [] and result.exceptions[MISSED] == 1


def test_the_exception_ends_with_the_life_of_an_entry(run):
	cut_off(run, 2.5, 4)
	run.log.append(resumed(3.1 + RUN["register_ttl"] + 1, 2))
	assert "showed 2 turns when 4 had been acknowledged" in run.violations


def test_the_exception_is_for_the_worker_that_was_cut_off_alone(run):
	cut_off(run, 2.5, 4, address=ADDRESS)
	run.log.append(resumed(6, 2))
	assert "showed 2 turns when 4 had been acknowledged" in run.violations


def test_the_exception_is_for_writes_made_while_cut_off(run):
	cut_off(run, 7, 9)
	run.log.append(resumed(6, 2))
	assert "showed 2 turns when 4 had been acknowledged" in run.violations


def test_a_counter_raised_twice_to_the_same_value_is_excused_after_a_write_of_a_cut_off_worker(run):
	cut_off(run, 0.5, 4)
	run.find("send_message", 0)["address"] = CUT_OFF
	lose_an_update(run)
	result = run.check()
	assert result.violations == [] and result.exceptions[OLD_ROW] == 1


def test_a_logout_of_a_cut_off_worker_may_be_missed_for_a_while(run):
	cut_off(run, 3.9, 4.5)
	run.log.append(resumed(6, 4, session=M, authenticated=True))
	result = run.check()
	assert result.violations == [] and result.exceptions[MISSED_END] == 1
	run.log.append(resumed(6.5, 4, session=M))
	assert run.violations == ""
	run.log.append(resumed(4.1 + RUN["register_ttl"] + 1, 4, session=M, authenticated=True))
	assert "said “authenticated”, and nobody had proven anything" in run.violations


LOCKED = "There were too many attempts. Please try again in 15 minutes."


def refuse(run, start, sequence, *, reply=LOCKED, **more):
	"""Credentials answered 429, and stored as the turns `sequence` and the next."""
	error = {"error": {"type": "VerificationLocked", "message": LOCKED}}
	about = {"message_id": f"late {sequence}", "said": "PEN 1 2", "kind": "late", "session": M}
	entry = call("submit_credentials", start, status=429, body=error, **{**about, **more})
	run.log.append(entry)
	run.turns += stored(M, [turn(sequence, "user", "•••"), turn(sequence + 1, "assistant", reply, sequence)])
	run.row(M)["turn_count"] = sequence + 1
	return entry


def test_credentials_refused_with_429_are_stored_and_shown(run):
	refuse(run, 6, 5)
	refuse(run, 7, 7)
	run.log.append(resumed(8, 8, session=M))
	assert run.violations == ""


def test_a_429_of_the_cut_off_worker_that_a_read_misses_is_the_documented_exception(run):
	cut_off(run, 5.5, 7)
	refuse(run, 6, 5, address=CUT_OFF)
	run.log += [resumed(6.2, 6, session=M), resumed(6.4, 4, session=M)]
	result = run.check()
	assert result.violations == [] and result.exceptions[MISSED] == 1


@pytest.mark.parametrize(("address", "start"), [(ADDRESS, 6.2), (CUT_OFF, 6.1 + RUN["register_ttl"] + 1)])
def test_a_429_of_another_worker_or_of_long_ago_is_not_missed(run, address, start):
	cut_off(run, 5.5, 7)
	refuse(run, 6, 5, address=address)
	run.log.append(resumed(start, 4, session=M))
	assert (
		run.violations
		== f"{M}: resume_session by worker {WORKER} showed 4 turns when 6 had been acknowledged"
	)


def test_a_200_of_the_cut_off_worker_that_was_not_stored_is_no_exception(run):
	"""What was told to be done is in the database, by a worker cut off or not."""
	cut_off(run, 2.5, 7)
	refuse(run, 6, 5, address=CUT_OFF)
	run.log += [said(3, 6, address=CUT_OFF), resumed(6.4, 4, session=M)]
	assert f"{S}: acknowledged “message 3” is not stored as turn 5" in run.violations


def test_a_200_that_is_missed_beside_an_excused_429_is_found(run):
	cut_off(run, 5.5, 7)
	run.log.append(typed("wrong", 5.6, "not_matched", sequence=5, message_id="elsewhere"))
	run.turns += stored(M, [turn(5, "user", "•••"), turn(6, "assistant", "not_matched", 5)])
	refuse(run, 6, 7, address=CUT_OFF)
	run.log.append(resumed(6.4, 4, session=M))
	assert "showed 4 turns when 8 had been acknowledged" in run.violations


NOT_STORED = f"{M}: a message refused with 429 is not stored masked, with that refusal and nothing else"


@pytest.mark.parametrize("address", [ADDRESS, CUT_OFF])
def test_a_429_that_stored_what_it_must_not_is_found(run, address):
	cut_off(run, 5.5, 7)
	refuse(run, 6, 5, reply="Your fund is called Sunrise.", address=address)
	assert run.violations == NOT_STORED


def test_a_429_that_stored_the_credentials_themselves_is_found(run):
	refuse(run, 6, 5)
	run.stored(M, 5)["content"] = "PEN 1 2"
	assert NOT_STORED in run.violations and "turn 5 was never said in this session" in run.violations


def test_a_429_that_stored_nothing_or_more_than_the_refusal_is_found(run):
	refuse(run, 6, 5)
	kept, run.turns = run.turns, run.turns[:-2]
	assert NOT_STORED in run.violations
	run.turns = [*kept, *stored(M, [turn(7, "assistant", "Welcome back!", 5)])]
	run.row(M)["turn_count"] = 7
	assert run.violations == NOT_STORED


def test_a_429_that_was_stored_twice_is_found(run):
	refuse(run, 6, 5)
	run.turns += stored(M, [turn(7, "user", "•••"), turn(8, "assistant", LOCKED, 7)])
	run.row(M)["turn_count"] = 8
	assert run.violations == f"{M}: 4 messages with credentials are stored, 3 were sent"


def test_a_429_for_what_is_no_credential_is_found(run):
	refuse(run, 6, 5, kind="question", said="•••")
	assert "was refused with 429, and is no credential" in run.violations


def test_a_message_sent_after_a_429_stands_after_it(run):
	refuse(run, 6, 7)
	run.log.append(typed("wrong", 7, "not_matched", sequence=5, message_id="afterwards"))
	run.turns += stored(M, [turn(5, "user", "•••"), turn(6, "assistant", "not_matched", 5)])
	run.turns.sort(key=lambda row: row["sequence"])
	assert "stands before a message that had been acknowledged before it was sent" in run.violations


def test_a_closed_session_that_still_answers_is_found(run):
	run.log += [call("close_session", 6, body={}), resumed(7, 4)]
	assert "answered after the session had been closed" in run.violations


def test_an_authentication_nobody_granted_is_found(run):
	run.log.append(resumed(6, 4, authenticated=True))
	assert (
		f"{S}: resume_session by worker {WORKER} said “authenticated”, and nobody had proven"
		in run.violations
	)


def test_an_authentication_before_the_proof_was_sent_is_found(run):
	run.log.append(resumed(1.5, 2, session=M, authenticated=True))
	assert "said “authenticated”, and nobody had proven anything" in run.violations


def test_an_authentication_that_outlives_the_logout_is_found(run):
	run.log.append(resumed(6, 4, session=M, authenticated=True))
	assert "said “authenticated”, and nobody had proven anything" in run.violations


def test_an_authentication_may_last_while_the_logout_is_not_acknowledged(run):
	run.find("logout")["status"] = None
	run.find("resume_session", 2)["body"]["authenticated"] = True
	assert run.violations == ""


def test_a_row_left_authenticated_after_the_logout_is_found(run):
	run.row(M)["authenticated"] = 1
	assert "the row was left authenticated" in run.violations


def test_a_person_who_was_forgotten_is_found(run):
	run.log.append(resumed(3.5, 4, session=M))
	assert "did not know the person" in run.violations


def test_a_logout_whose_answer_was_lost_may_take_effect_later(run):
	run.log += [call("logout", 2.5, session=M, status=None), resumed(3.5, 4, session=M)]
	assert run.violations == ""


@pytest.mark.parametrize("kind", ["wrong", "late"])
def test_credentials_that_must_not_help_and_did_are_found(run, kind):
	entry = run.find("send_message", 3)
	assert entry["kind"] == "right"
	entry["kind"] = kind
	assert f"credentials that must not help were accepted ({kind})" in run.violations
	assert "said “authenticated”, and nobody had proven anything" in run.violations


def test_more_guesses_than_allowed_are_found(run):
	for sequence in (5, 7, 9):
		run.log.append(typed("wrong", sequence + 1, "not_matched", sequence=sequence))
		asked = [
			turn(sequence, "user", "•••"),
			turn(sequence + 1, "assistant", "not_matched", sequence),
		]
		run.turns += stored(M, asked)
	run.row(M)["turn_count"] = 10
	assert run.violations == f"{M}: 4 guesses were judged, 3 are allowed"


def test_a_persons_data_told_to_nobody_in_particular_is_found(run):
	entry = run.find("send_message", 2)
	entry["body"]["replies"][0]["content"] = run.stored(M, 2)["content"] = "Your fund Sunrise"
	assert "was answered with a person's data" in run.violations


@pytest.mark.parametrize("status", [403, 404, 410, 422, 429, 502])
def test_an_answer_nobody_should_get_is_found(run, status):
	run.log.append(resumed(6, 4, status=status))
	assert f"resume_session was answered {status}" in run.violations


def test_500_is_for_outages_alone(run):
	run.log.append(resumed(6, 4, status=500))
	assert "was answered 500" in run.violations
	run.log.append({"fault": "MariaDB killed", "start": 5, "end": 8, "address": None})
	assert run.violations == ""


def test_410_is_for_sessions_somebody_began_to_close(run):
	run.log += [call("close_session", 6, body={}), resumed(7, 4, status=410)]
	assert run.violations == ""


def test_404_after_two_lost_answers_to_a_proof_is_counted(run):
	run.find("send_message", 3).update(start=2.8)
	for start in (2, 2.4):
		run.log.append(typed("right", start, "verified", sequence=3, status=None))
	run.log.append(resumed(6, 4, session=M, status=404))
	result = run.check()
	assert result.violations == [] and result.exceptions["token lost with two answers in a row"] == 1


def test_503_needs_retry_after(run):
	run.log.append(said(3, 6, status=503))
	assert "503 without Retry-After" in run.violations
	run.log[-1]["retry_after"] = "5"
	assert run.violations == ""


def test_a_call_that_hangs_is_found(run):
	run.log.append(resumed(6, 4, end=6 + RUN["longest_answer"] + 1))
	assert "took 31.0 s, the bound is 30 s" in run.violations


def test_a_python_read_that_hangs_is_found(run):
	run.log.append(python_read(6, 4, end=6 + RUN["longest_read"] + 1))
	assert "sessions.get took 11.0 s, the bound is 10 s" in run.violations


def test_a_python_read_that_raises_what_it_should_not_is_found(run):
	run.log.append(python_read(6, None, "SessionNotFound"))
	assert "sessions.get raised SessionNotFound" in run.violations
	run.log[-1]["read"] = "SessionStoreUnavailable"
	assert run.violations == ""


def test_a_message_never_acknowledged_is_found(run):
	run.log.append({"client": "somebody", "gave_up": "send_message", "session": S, "message_id": "id 9"})
	assert "send_message id 9 was never acknowledged" in run.violations


def test_checking_changes_nothing(run):
	before = deepcopy((run.log, run.sessions, run.turns))
	run.check()
	assert (run.log, run.sessions, run.turns) == before


def test_the_checker_shares_no_code_with_the_app():
	code = "import chaos.checker, sys; print([m for m in sys.modules if m.startswith(('frappe', 'assistant_session'))])"
	done = subprocess.run(
		[sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
	)
	assert done.stdout.strip() == "[]"


def test_chaos_refuses_a_bench_that_is_not_its_own(tmp_path, monkeypatch):
	monkeypatch.setenv("FRAPPE_BENCH", str(tmp_path))
	for require in (place.require_none_named, place.require_pocket_bench):
		with pytest.raises(place.NotOurs, match="Unset FRAPPE_BENCH"):
			require()
