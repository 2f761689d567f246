"""The dialogue from Python: who is asked, what is told, what is stored, and how a conversation goes on."""

import pytest

from assistant_session.demo import directory
from tests import checks, in_workers
from tests.authentication import in_workers as here
from tests.sealed import every_seal_fits, reseal

__all__ = ["every_seal_fits"]

KNOWN_HERE = ("authenticated", "user_profile", "locked_intent")


@pytest.fixture
def verified(authentication, site, asked, member):
	assert authentication.submit(asked, f"{member.number} {member.national_number}").verified
	site.db.commit()
	return asked


def test_an_intent_that_is_not_protected_is_open_to_everybody(authentication, sessions, opened):
	before = sessions.get(opened).version
	for intent in ("opening_hours", None):
		gate = authentication.require(opened, intent, "when do you open?")
		assert gate and gate.open and gate.prompt is None
	assert sessions.get(opened).version == before


def test_a_protected_one_asks_and_remembers_intent_and_question(authentication, sessions, worker, asked):
	session = sessions.get(asked)
	assert (session.pending_intent, session.pending_message) == ("pension_inquiry", checks.QUESTION)
	prompt = authentication.require(asked, "pension_inquiry", checks.QUESTION).prompt
	assert checks.MEMBER_NUMBER in prompt and checks.NATIONAL_NUMBER in prompt
	seen = worker().run(in_workers.look, asked, "pending_intent", "pending_message")
	assert seen == ["pension_inquiry", checks.QUESTION]


def test_the_question_is_kept_unreadable_and_without_credentials(
	authentication, sessions, site, opened, member
):
	authentication.require(opened, "pension_inquiry", f"how is my pension, I am {member.number}")
	stored = site.db.get_value("Conversation Session", opened, "pending_message")
	assert "pension" not in stored and member.number not in stored
	assert sessions.get(opened).pending_message == "how is my pension, I am •••"


def test_credentials_verify_and_hand_the_question_back(authentication, sessions, site, asked, member, worker):
	outcome = authentication.submit(asked, f"{member.national_number}, {member.number.lower()}")
	assert (outcome.kind, outcome.verified) == ("verified", True)
	assert (outcome.intent, outcome.message, outcome.returning) == ("pension_inquiry", checks.QUESTION, False)
	site.db.commit()
	assert worker().run(in_workers.look, asked, *KNOWN_HERE) == [
		True,
		{"name": "Hari", "fund": "Sunrise"} | FULL,
		"pension_inquiry",
	]
	session = sessions.get(asked)
	assert (session.pending_intent, session.pending_message, session.auth_method) == (
		None,
		None,
		directory.CHECK,
	)
	assert checks.events(asked) == ["created", "authenticated", "intent_locked"]


FULL = {"balance": 84250.5, "next_payment": "2026-12-01"}


def test_the_profile_has_the_fields_the_check_names_and_no_others(sessions, verified):
	assert set(sessions.get(verified).user_profile) == {"name", "fund", "balance", "next_payment"}


@pytest.mark.parametrize(
	("given", "absent"), [("number", checks.NATIONAL_NUMBER), ("national_number", checks.MEMBER_NUMBER)]
)
def test_it_is_precise_about_what_is_missing(authentication, sessions, asked, member, given, absent):
	outcome = authentication.submit(asked, getattr(member, given))
	assert (outcome.kind, outcome.missing) == ("missing", (absent,))
	assert f"Your {absent} is still missing" in outcome.text
	assert getattr(member, given) not in outcome.text and not sessions.get(asked).authenticated


def test_nothing_of_it_in_the_text_names_both(authentication, asked):
	outcome = authentication.submit(asked, "I do not know")
	assert outcome.missing == (checks.MEMBER_NUMBER, checks.NATIONAL_NUMBER)


@pytest.mark.parametrize("said", ["help", "HELP!", " Help. ", "?"])
def test_help_explains_and_counts_nothing(authentication, site, asked, said):
	count = site.db.count("Verification Attempt")
	outcome = authentication.submit(asked, said)
	assert outcome.kind == "help" and checks.MEMBER_NUMBER in outcome.text
	site.db.rollback()
	assert site.db.count("Verification Attempt") == count


@pytest.mark.parametrize("said", ["cancel", "Cancel.", "stop"])
def test_cancel_forgets_what_was_asked(authentication, sessions, asked, member, said):
	assert authentication.submit(asked, said).kind == "cancelled"
	session = sessions.get(asked)
	assert (session.pending_intent, session.pending_message) == (None, None)
	outcome = authentication.submit(asked, f"{member.number} {member.national_number}")
	assert outcome.kind == "nothing_asked" and not sessions.get(asked).authenticated


def test_credentials_nobody_asked_for_are_not_judged(authentication, sessions, opened, member):
	assert authentication.submit(opened, f"{member.number} {member.national_number}").kind == "nothing_asked"
	assert not sessions.get(opened).authenticated


def test_a_wrong_reference_and_an_unknown_person_are_told_the_same(authentication, site, sessions, member):
	texts = []
	for number in (member.number, f"PEN_9{directory.national_number().replace('/', '')}"):
		session = sessions.open().id
		authentication.require(session, "pension_inquiry")
		outcome = authentication.submit(session, f"{number} {directory.national_number()}")
		assert outcome.kind == "not_matched"
		texts.append(outcome.text)
		site.db.commit()
		assert checks.events(session) == ["created", "authentication_failed"]
	assert texts[0] == texts[1]


def test_somebody_who_was_verified_before_is_returning(authentication, sessions, site, verified, member):
	again = sessions.open().id
	authentication.require(again, "payment_inquiry", "my payment?")
	outcome = authentication.submit(again, f"{member.number} {member.national_number}")
	assert outcome.returning and outcome.message == "my payment?"
	other = sessions.open().id
	stranger = directory.new_member("Maya")
	authentication.require(other, "payment_inquiry")
	assert not authentication.submit(other, f"{stranger.number} {stranger.national_number}").returning


def test_somebody_who_was_known_before_the_sites_key_was_replaced_is_returning(
	authentication, sessions, site, verified, member, monkeypatch
):
	keys = site.local.conf["assistant_session_keys"]
	monkeypatch.setitem(site.local.conf, "assistant_session_keys", {**keys, "k2": "ab" * 32, "current": "k2"})
	again = sessions.open().id
	authentication.require(again, "pension_inquiry")
	assert authentication.submit(again, f"{member.number} {member.national_number}").returning


def test_who_is_verified_is_served_without_a_prompt_and_another_intent_takes_over(
	authentication, sessions, site, verified
):
	assert authentication.require(verified, "payment_inquiry", "my next payment?").open
	assert authentication.require(verified, "opening_hours", "when do you open?").open
	session = sessions.get(verified)
	assert session.authenticated and session.locked_intent == "opening_hours"
	site.db.commit()
	assert checks.events(verified)[-2:] == ["intent_changed", "intent_changed"]


def test_the_same_intent_again_writes_nothing(authentication, sessions, site, verified):
	before = sessions.get(verified).version
	assert authentication.require(verified, "pension_inquiry", "and now?").open
	assert sessions.get(verified).version == before


def test_a_stronger_check_asks_again_and_then_is_enough_for_the_weaker(
	authentication, sessions, site, verified, member
):
	gate = authentication.require(verified, "change_account", "a new account, please")
	assert not gate.open and "stronger" in gate.prompt
	assert sessions.get(verified).authenticated, "the weaker proof still holds"
	outcome = authentication.submit(verified, f"{member.number} {member.national_number}")
	assert outcome.verified and outcome.intent == "change_account"
	session = sessions.get(verified)
	assert (session.auth_method, session.locked_intent) == (checks.STRONG_CHECK, "change_account")
	assert authentication.require(verified, "pension_inquiry").open


def test_a_check_of_another_register_proves_nothing_here(authentication, verified):
	assert not authentication.require(verified, "other_inquiry", "hello").open


def test_a_method_no_check_stands_for_proves_nothing(authentication, sessions, opened):
	sessions.authenticate(opened, {"name": "Hari"}, method="somebody said so", identity="x")
	assert not authentication.require(opened, "pension_inquiry").open


def test_another_person_in_the_same_session_starts_with_a_clean_context(
	authentication, sessions, site, verified
):
	sessions.update(verified, lambda session: session.context.update(account="of Hari"))
	sessions.set_flow(verified, "transfer", "amount", {"to": "Hari's wife"})
	authentication.logout(verified)
	other = directory.new_member("Maya")
	authentication.require(verified, "pension_inquiry")
	assert authentication.submit(verified, f"{other.number} {other.national_number}").verified
	session = sessions.get(verified)
	assert (session.context, session.flows, session.user_profile["name"]) == ({}, {}, "Maya")
	assert session.hidden_turns == session.turn_count
	site.db.commit()
	assert "context_cleared" in checks.events(verified)


def test_the_same_person_again_goes_on_where_they_were(authentication, sessions, verified, member):
	sessions.update(verified, lambda session: session.context.update(account="of Hari"))
	authentication.logout(verified)
	authentication.require(verified, "pension_inquiry")
	outcome = authentication.submit(verified, f"{member.number} {member.national_number}")
	assert outcome.returning and sessions.get(verified).context == {"account": "of Hari"}


def test_logout_ends_it_on_every_worker_and_forgets_what_was_asked(
	authentication, sessions, site, verified, worker
):
	other = worker()
	assert other.run(in_workers.look, verified, *KNOWN_HERE)[0] is True
	authentication.require(verified, "change_account", "a new account")
	authentication.logout(verified)
	site.db.commit()
	assert other.run(in_workers.look, verified, *KNOWN_HERE) == [False, {}, None]
	assert sessions.get(verified).pending_intent is None
	assert not authentication.require(verified, "pension_inquiry").open


def test_revoking_a_person_ends_all_their_sessions_on_every_worker_and_no_others(
	authentication, sessions, site, worker, member, verified
):
	second, third = sessions.open().id, sessions.open().id
	other = directory.new_member("Maya")
	for session, person in ((second, member), (third, other)):
		authentication.require(session, "pension_inquiry")
		assert authentication.submit(session, f"{person.number} {person.national_number}").verified
	site.db.commit()
	workers = [worker(), worker()]
	for one in workers:
		assert [one.run(in_workers.look, name, *KNOWN_HERE)[0] for name in (verified, second, third)] == [
			True
		] * 3
	assert authentication.revoke(directory.CHECK, member.number.lower(), reason="card lost") == 2
	site.db.commit()
	for one in workers:
		assert [one.run(in_workers.look, name, *KNOWN_HERE)[0] for name in (verified, second, third)] == [
			False,
			False,
			True,
		]
	assert checks.events(verified)[-1] == "deauthenticated"
	assert authentication.revoke(directory.CHECK, member.number) == 0


def test_revoking_sees_what_was_committed_after_the_transactions_snapshot(
	authentication, sessions, site, asked, member, worker
):
	site.db.rollback()
	site.db.get_value("User", "Administrator", "name")  # the snapshot is taken
	worker().run(here.submit, asked, f"{member.number} {member.national_number}")
	assert authentication.revoke(directory.CHECK, member.number) == 1
	site.db.commit()
	assert not sessions.get(asked).authenticated


def test_a_revocation_during_a_turn_is_not_undone_by_it(
	authentication, sessions, site, verified, member, worker
):
	other = worker()
	with sessions.turn(verified, "and my next payment?") as turn:
		assert authentication.require(turn.session, "pension_inquiry", turn.message).open
		other.write(authentication.revoke, directory.CHECK, member.number)
		turn.reply("on Monday")
	site.db.commit()
	assert not sessions.get(verified).authenticated and sessions.get(verified).turn_count == 2


@pytest.fixture
def edited(site):
	"""`edited(statement)` changes configuration by SQL, committed, and puts it back afterwards."""
	from assistant_session.authentication import checks as catalogue

	kept = {
		table: site.db.sql(f"select * from `tab{table}`", as_dict=True)
		for table in ("Identity Check", "Protected Intent")
	}

	def run(statement: str, *values) -> None:
		site.db.sql(statement, values)
		site.db.commit()
		catalogue.forget()

	yield run
	site.db.rollback()
	for table, rows in kept.items():
		site.db.sql(f"delete from `tab{table}`")
		for row in rows:
			columns = ", ".join(f"`{column}`" for column in row)
			places = ", ".join(["%s"] * len(row))
			site.db.sql(f"insert into `tab{table}` ({columns}) values ({places})", list(row.values()))
	site.db.commit()
	catalogue.forget()


DISABLE = "update `tabIdentity Check` set enabled = 0 where name = %s"


def test_a_disabled_check_protects_and_lets_nobody_in(authentication, sessions, site, asked, member, edited):
	edited(DISABLE, directory.CHECK)
	gate = authentication.require(asked, "pension_inquiry")
	assert not gate.open and "cannot check" in gate.prompt
	assert authentication.submit(asked, f"{member.number} {member.national_number}").kind == "unavailable"
	assert not sessions.get(asked).authenticated


def test_a_check_that_was_disabled_closes_for_those_who_passed_it_before(authentication, verified, edited):
	assert authentication.require(verified, "pension_inquiry").open
	edited(DISABLE, directory.CHECK)
	assert not authentication.require(verified, "pension_inquiry").open


def test_a_check_that_is_gone_protects_all_the_same(authentication, opened, verified, edited):
	edited("delete from `tabIdentity Check` where name = %s", directory.CHECK)
	assert not authentication.require(opened, "pension_inquiry").open
	assert not authentication.require(verified, "pension_inquiry").open


def test_an_intent_in_other_letters_is_protected_as_well(authentication, opened):
	for spelled in ("Pension_Inquiry", " pension_inquiry ", "PENSION_INQUIRY"):
		assert not authentication.require(opened, spelled).open


def test_a_job_with_an_old_snapshot_knows_what_was_protected_meanwhile(authentication, site, opened, worker):
	from assistant_session.authentication import checks as catalogue

	site.db.commit()
	site.db.get_value("User", "Administrator", "name")  # the snapshot is taken
	worker().run(here.protect_another_intent, "other_inquiry", "just_protected")
	catalogue.forget()
	try:
		assert not authentication.require(opened, "just_protected").open
	finally:
		site.db.rollback()
		site.db.sql(
			"update `tabProtected Intent` set intent = 'other_inquiry' where intent = 'just_protected'"
		)
		site.db.commit()


def test_an_edit_that_is_rolled_back_protects_nothing_and_opens_nothing(authentication, site, opened):
	settings = site.get_single("Assistant Session Settings")
	settings.set("protected_intents", [])
	settings.append("protected_intents", {"intent": "never_saved", "identity_check": directory.CHECK})
	settings.save()
	assert not authentication.require(opened, "pension_inquiry").open, "not committed yet"
	site.db.rollback()
	assert authentication.require(opened, "never_saved").open
	assert not authentication.require(opened, "pension_inquiry").open


def test_checks_that_cannot_be_read_let_nobody_in(authentication, site, opened, monkeypatch):
	from assistant_session.authentication import checks as catalogue
	from assistant_session.sessions import config

	catalogue.forget()
	config.settings()
	monkeypatch.setattr(config, "rows", _unreadable)
	with pytest.raises(RuntimeError):
		authentication.require(opened, "pension_inquiry")


def _unreadable(*_arguments, **_more):
	raise RuntimeError("the table cannot be read")


def test_a_profile_that_cannot_be_read_is_an_error_and_not_an_empty_one(
	sessions, site, verified, monkeypatch
):
	monkeypatch.setitem(site.local.conf, "encryption_key", "x" * 43 + "=")
	from assistant_session.sessions.secrets.keys import KeyMissing

	with pytest.raises(KeyMissing):
		_profile(sessions, verified)


def _profile(sessions, name: str) -> dict:
	return sessions.get(name).user_profile


def test_without_a_key_nobody_is_verified(authentication, sessions, site, asked, member, monkeypatch):
	monkeypatch.setitem(site.local.conf, "assistant_session_keys", None)
	with pytest.raises(sessions.SessionError, match="make-key"):
		authentication.submit(asked, f"{member.number} {member.national_number}")
	monkeypatch.undo()
	site.db.rollback()
	assert not sessions.get(asked).authenticated


def test_a_logout_while_the_verifier_is_asked_wins(authentication, sessions, site, asked, member, worker):
	"""Within a turn the two meet when it is stored, outside when it is granted."""
	other = worker()
	with (
		pytest.raises(sessions.SessionConflict),
		sessions.turn(asked, f"{member.number} {member.national_number}") as turn,
	):
		assert authentication.submit(turn.session, turn.message).verified
		other.write(authentication.logout, asked)
	site.db.rollback()
	assert not sessions.get(asked).authenticated
	authentication.require(asked, "pension_inquiry")
	site.db.commit()
	from assistant_session.authentication import verifiers

	ask = verifiers.ask
	verifiers.ask = lambda *given: (
		other.write(authentication.logout, asked), ask(*given),
	)[1]  # fmt: skip
	try:
		with pytest.raises(sessions.SessionConflict):
			authentication.submit(asked, f"{member.number} {member.national_number}")
	finally:
		verifiers.ask = ask
	site.db.rollback()
	assert not sessions.get(asked).authenticated


def test_a_revocation_between_the_look_and_the_write_closes_the_gate(
	authentication, sessions, site, verified, member, worker, monkeypatch
):
	from assistant_session.authentication import dialogue

	other, write = worker(), dialogue._Place.write

	def after_revocation(place, change):
		other.write(authentication.revoke, directory.CHECK, member.number)
		write(place, change)

	monkeypatch.setattr(dialogue._Place, "write", after_revocation)
	gate = authentication.require(verified, "payment_inquiry", "my payment?")
	site.db.commit()
	session = sessions.get(verified)
	assert not gate.open and gate.prompt
	assert (session.authenticated, session.locked_intent) == (False, None)


@pytest.mark.parametrize("state", ["closed", "unknown"])
def test_a_session_that_is_over_is_not_verified(authentication, sessions, site, asked, member, state):
	if state == "closed":
		sessions.close(asked, "done")
		site.db.commit()
	name = asked if state == "closed" else "never-heard-of"
	for call in (
		lambda: authentication.submit(name, f"{member.number} {member.national_number}"),
		lambda: authentication.require(name, "pension_inquiry"),
		lambda: authentication.logout(name),
	):
		with pytest.raises((sessions.SessionClosed, sessions.SessionNotFound)):
			call()


@pytest.mark.parametrize("text", [None, "", " ", 5, ["a"], {"a": 1}, "x" * 20_000, "a\x00b", "\ud800"])
def test_what_is_no_message_is_refused(authentication, sessions, asked, text):
	with pytest.raises(sessions.InvalidSessionData):
		authentication.submit(asked, text)


def test_within_a_turn_everything_is_stored_with_it(authentication, sessions, site, opened, member):
	with sessions.turn(opened, checks.QUESTION) as turn:
		gate = authentication.require(turn.session, "pension_inquiry", turn.message)
		turn.reply(gate.prompt)
		assert sessions.get(opened).pending_intent is None
	site.db.commit()
	version = sessions.get(opened).version
	with sessions.turn(opened, f"{member.number} {member.national_number}") as turn:
		outcome = authentication.submit(turn.session, turn.message)
		assert turn.session.authenticated and turn.session.user_profile["name"] == "Hari"
		turn.reply(f"Hello, to your question: {outcome.message}")
	site.db.commit()
	session = sessions.get(opened)
	assert session.authenticated and session.version == version + 1
	assert [turn.content for turn in sessions.history(opened)][2] == "•••"


def test_a_turn_that_fails_verifies_nobody_and_the_attempt_counts(
	authentication, sessions, site, asked, member
):
	with (
		pytest.raises(ZeroDivisionError),
		sessions.turn(asked, f"{member.number} {directory.national_number()}") as turn,
	):
		authentication.submit(turn.session, turn.message)
		1 / 0  # noqa: B018
	site.db.rollback()
	with (
		pytest.raises(ZeroDivisionError),
		sessions.turn(asked, f"{member.number} {member.national_number}") as turn,
	):
		assert authentication.submit(turn.session, turn.message).verified
		1 / 0  # noqa: B018
	site.db.rollback()
	assert not sessions.get(asked).authenticated


def test_an_idle_session_is_known_from_the_moment_it_verified(authentication, sessions, site, asked, member):
	table = site.qb.DocType("Conversation Session")
	long_ago = site.utils.add_to_date(None, hours=-2)
	site.qb.update(table).set(table.last_activity, long_ago).where(table.name == asked).run()
	site.db.commit()
	reseal(asked)
	assert authentication.submit(asked, f"{member.number} {member.national_number}").verified
	assert sessions.get(asked).authenticated


def test_the_gate_answers_what_belongs_to_the_verification_and_lets_the_rest_through(
	authentication, sessions, site, asked, member
):
	def say(text: str):
		with sessions.turn(asked, text) as turn:
			passed = authentication.gate(turn)
			if passed:
				turn.reply(f"[bot] {turn.intent}: {turn.message}")
		site.db.commit()
		return turn.replies[-1]

	assert say("what are your opening hours?") == "[bot] None: what are your opening hours?"
	assert say(member.number).startswith("Thank you. Your national")
	assert say("help").startswith("I need your")
	assert say(f"{member.number} {member.national_number}") == f"[bot] pension_inquiry: {checks.QUESTION}"
	assert say("thanks").endswith("thanks")
	assert [turn.content for turn in sessions.history(asked) if turn.role == "user"] == [
		"what are your opening hours?", "•••", "help", "•••", "thanks",
	]  # fmt: skip


def test_what_may_be_a_mistyped_credential_is_not_stored_while_one_is_asked_for(
	authentication, sessions, site, asked
):
	with sessions.turn(asked, "it is PEN_00050001 and 2285, or so") as turn:
		assert authentication.gate(turn)
		assert (turn.message, turn.raw_message) == (
			"it is ••• and ••• or so",
			"it is PEN_00050001 and 2285, or so",
		)
	site.db.commit()
	assert sessions.history(asked)[0].content == "it is ••• and ••• or so"


def test_a_repeated_message_is_not_judged_again(authentication, sessions, site, asked, member):
	text = f"{member.number} {directory.national_number()}"
	for _time in range(5):
		with sessions.turn(asked, text, message_id="one") as turn:
			if authentication.gate(turn):
				raise AssertionError("a credential is not for the bot")
		site.db.commit()
	assert checks.events(asked).count("authentication_failed") == 1 and turn.repeated
	assert "could not find" in turn.replies[0]


def test_with_a_hook_that_knows_intents_the_bot_is_not_even_asked(
	authentication, sessions, site, opened, member, monkeypatch
):
	monkeypatch.setitem(
		site.local.conf, "assistant_session_intent", "assistant_session.demo.pension.intent_of"
	)
	with sessions.turn(opened, checks.QUESTION) as turn:
		assert not authentication.gate(turn)
	site.db.commit()
	assert checks.MEMBER_NUMBER in turn.replies[0]
	with sessions.turn(opened, f"{member.number} {member.national_number}") as turn:
		assert authentication.gate(turn)
	assert (turn.intent, turn.message) == ("pension_inquiry", checks.QUESTION)
	site.db.commit()
	with sessions.turn(opened, "when is my next payment?") as turn:
		assert authentication.gate(turn) and turn.intent == "payment_inquiry"
	assert turn.stored[0].intent == "payment_inquiry"


def test_what_is_submitted_when_nothing_is_asked_is_not_kept_either(authentication, sessions, site, opened):
	with sessions.turn(opened, "PEN_61259735437 450379/31/2x", metadata={"typed": "PEN_61259735437"}) as turn:
		assert authentication.submit(turn.session, turn.message).kind == "nothing_asked"
	site.db.commit()
	stored = sessions.history(opened)[0]
	assert (stored.content, stored.metadata) == ("•••", {})


def test_metadata_of_a_message_with_credentials_is_not_kept(authentication, sessions, site, asked):
	for text in ("PEN_77037920397 is it", "228597/62/1"):
		with sessions.turn(asked, text, metadata={"typed": text}) as turn:
			authentication.gate(turn)
		site.db.commit()
		assert sessions.history(asked, limit=10)[-2 if turn.drafts else -1].metadata == {}
