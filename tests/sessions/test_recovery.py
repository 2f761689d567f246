"""Recovery and consistency, first form: memory and register follow the database, never the other way."""

import pytest


@pytest.fixture
def remembered(sessions, site, opened):
	sessions.get(opened)
	return opened


def by_hand(site, name: str, **values) -> None:
	"""Change a row by SQL, as somebody at the database would: no version, no register."""
	columns = ", ".join(f"{column} = %s" for column in values)
	site.db.sql(f"update `tabConversation Session` set {columns} where name = %s", (*values.values(), name))
	site.db.commit()


def test_a_consistent_session_is_left_alone(sessions, remembered):
	report = sessions.ensure_consistency(remembered)
	assert (report.consistent, report.action_taken, report.differences) == (True, "none", [])
	assert (report.memory_exists, report.database_exists, report.register) == (True, True, "current")


def test_a_row_edited_by_sql_is_found_named_and_read_anew(sessions, site, remembered):
	by_hand(site, remembered, current_state="EDITED")
	report = sessions.ensure_consistency(remembered)
	assert not report.consistent
	assert report.differences == [{"field": "current_state", "memory": None, "database": "EDITED"}]
	assert "memory dropped" in report.action_taken


def test_an_authentication_in_memory_alone_is_reported_and_dropped(sessions, site, remembered):
	sessions.authenticate(remembered, {"name": "Hari"}, method="test")
	site.db.commit()
	by_hand(site, remembered, authenticated=0)
	report = sessions.ensure_consistency(remembered)
	assert (report.memory_authenticated, report.database_authenticated) == (True, False)
	assert not sessions.get(remembered).authenticated
	assert site.db.get_value("Conversation Session", remembered, "authenticated") == 0


def test_a_register_that_is_wrong_is_repaired(sessions, site, remembered):
	from assistant_session.sessions.coherence import register

	here = register.connection()
	here.redis.set(register.key("register", remembered), "99:12345")
	report = sessions.ensure_consistency(remembered)
	assert report.register == "outdated"
	assert "register entry deleted" in report.action_taken
	assert register.read(remembered) is None


def test_in_memory_but_not_in_the_database(sessions, site, remembered):
	site.db.sql("delete from `tabConversation Session` where name = %s", remembered)
	site.db.commit()
	report = sessions.ensure_consistency(remembered)
	assert (report.memory_exists, report.database_exists, report.consistent) == (True, False, False)
	with pytest.raises(sessions.SessionNotFound):
		sessions.get(remembered)


def test_in_the_database_but_not_in_memory(sessions, remembered):
	from assistant_session.sessions.coherence.memory import memory

	memory.clear()
	report = sessions.ensure_consistency(remembered)
	assert (report.memory_exists, report.database_exists, report.consistent) == (False, True, True)


def test_in_neither(sessions):
	report = sessions.recover("nobody-knows-this-one")
	assert (report.memory_exists, report.database_exists, report.origin) == (False, False, "none")


def test_recovering_forgets_memory_and_reads_the_current_row(sessions, site, remembered):
	by_hand(site, remembered, current_state="EDITED")
	assert sessions.get(remembered).current_state is None  # memory and register agree; SQL told nobody
	report = sessions.recover(remembered)
	assert (report.origin, report.action_taken) == ("database", "memory dropped, register entry deleted")
	assert sessions.get(remembered).current_state == "EDITED"


def test_a_report_shows_no_secret(sessions, site, remembered):
	sessions.authenticate(remembered, {"name": "Hari"}, method="test", identity="PEN_0005000168")
	site.db.commit()
	by_hand(site, remembered, user_profile="other", identity_hash="other", token_hash="other")
	shown = str(sessions.ensure_consistency(remembered).as_dict())
	assert "gAAAA" not in shown and "other" not in shown
