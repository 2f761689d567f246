"""What lists show of a session: who it is and what was said last; kept in step, and gone with the person."""

import pytest

from dev.harness.users import new_user

SHOWN = ("title", "address_digits", "preview", "last_role")


@pytest.fixture
def shown(site):
	def look(name: str):
		site.db.rollback()
		return site.db.get_value("Conversation Session", name, SHOWN, as_dict=True)

	return look


def test_a_visitor_known_by_nothing_is_told_from_others(opened, shown):
	assert shown(opened) == {**dict.fromkeys(SHOWN), "title": f"Visitor {opened[:5]}"}


def test_the_title_is_the_user_or_the_hidden_address(sessions, site, shown):
	by_user = sessions.open(user="Administrator").id
	by_address = sessions.open(channel="Web", external_id="+32470998877").id
	site.db.commit()
	assert shown(by_user).title == site.db.get_value("User", "Administrator", "full_name")
	assert (shown(by_address).title, shown(by_address).address_digits) == ("+32…877", "77889907423")
	sessions.close(by_address, "test")
	site.db.commit()


def test_the_last_thing_said_is_previewed_as_it_is_stored(sessions, site, opened, shown):
	with sessions.turn(opened, "my order\n\n please " + "x" * 500) as turn:
		turn.note("a note")
	site.db.commit()
	assert shown(opened).preview == ("my order please " + "x" * 500)[:140]
	assert shown(opened).last_role == "user"
	with sessions.turn(opened, "hello") as turn:
		turn.reply("<b>Hi</b>")
	site.db.commit()
	assert (shown(opened).preview, shown(opened).last_role) == ("<b>Hi</b>", "assistant")


def test_what_is_rolled_back_is_not_previewed(sessions, site, opened, shown):
	with sessions.turn(opened, "never said"):
		pass
	site.db.rollback()
	assert shown(opened).preview is None


def test_erasing_takes_it(sessions, site, shown):
	from assistant_session.privacy import erasing, person

	name = sessions.open(channel="Web", external_id="+32470998866").id
	sessions.add_turn(name, "user", "my secret")
	site.db.commit()
	erasing.erase(person.Person.of(session=name))
	site.db.commit()
	assert shown(name) == dict.fromkeys(SHOWN)


def test_when_the_last_message_is_past_its_retention_so_is_the_preview(sessions, site, opened, shown):
	from assistant_session.maintenance import ageing
	from assistant_session.sessions import config
	from assistant_session.sessions.tables import turns

	sessions.add_turn(opened, "user", "old news")
	site.db.commit()
	assert shown(opened).preview == "old news"
	from datetime import timedelta

	assert ageing.Aged(turns.DOCTYPE, config.now() + timedelta(days=1))._purge(opened) == 1
	site.db.commit()
	assert (shown(opened).preview, shown(opened).last_role) == (None, None)


def test_a_renamed_user_is_shown_by_the_name_they_have_by_then(sessions, site, shown):
	import frappe

	old, new = (f"listed.{when}@example.com" for when in ("before", "after"))
	for email in (old, new):
		frappe.delete_doc_if_exists("User", email, force=True)
	new_user(old)
	name = sessions.open(user=old).id
	site.db.set_value("User", old, "full_name", "Listed Anew")
	site.db.commit()
	assert shown(name).title == "Listed.Before"
	frappe.rename_doc("User", old, new, force=True)
	site.db.commit()
	assert shown(name).title == "Listed Anew"
	frappe.delete_doc("User", new, force=True)
	site.db.commit()


@pytest.mark.by_sql
def test_sessions_from_before_are_filled(sessions, site, opened, shown, damage):
	from assistant_session.maintenance import listing_backfill

	named = sessions.open(channel="Web", external_id="+32470998855").id
	sessions.add_turn(named, "user", "hello")
	site.db.commit()
	columns = ", ".join(f"{column} = null" for column in SHOWN)
	damage(f"update `tabConversation Session` set {columns} where name = %s", named)
	assert shown(named) == dict.fromkeys(SHOWN)
	assert listing_backfill.fill() >= 1
	assert (shown(named).title, shown(named).preview, shown(named).last_role) == ("+32…855", "hello", "user")
	sessions.close(named, "test")
	site.db.commit()
