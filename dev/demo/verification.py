"""Conversation A: who is on the other side is found out in the chat, and survives everything."""

import frappe

from assistant_session import sessions
from assistant_session.demo import directory
from dev.harness.client import Client, expect
from dev.harness.scene import Scene


def pension(scene: Scene) -> None:
	"""A. Pension fund: verify in the chat, then answer."""
	scene.fresh()
	member = directory.new_member("Hari")
	page = scene.client()
	first = page.open(channel="Pension")["session_id"]
	_asked_who_they_are(scene, page, member)
	answers = page.answers(f"{member.number.lower()} {member.national_number}")
	expect("Welcome, Hari" in answers[0] and "Sunrise" in answers[1], f"verified and answered: {answers}")
	_still_known(scene, page, first)
	_closed(scene, page)
	_next_day(scene, member)
	_locked(scene)


def _asked_who_they_are(scene: Scene, page: Client, member: directory.Member) -> None:
	prompt = page.say("Hi can i get an update on my pension fund?")
	expect("membership number" in prompt and "national registration number" in prompt, "both are asked for")
	scene.fresh()
	session = sessions.get(page.session_id)
	expect(session.pending_intent == "pension_inquiry" and session.pending_message, "the question is kept")
	scene.restart()
	answer = page.say(member.number)
	expect("national registration number is still missing" in answer, "says what is missing")
	expect("could not find" not in answer, "and not that anything is wrong")


def _still_known(scene: Scene, page: Client, first: str) -> None:
	scene.restart()
	expect(
		"2026-12-01" in page.say("and when is my next payment?"), "answered by another worker, no new prompt"
	)
	expect("9 to 17" in page.say("something else, what are your opening hours?"), "another subject")
	seen = page.resume()
	expect(seen["authenticated"] and page.session_id == first, "the same session, still authenticated")
	said = [turn["content"] for turn in seen["history"]]
	expect(not any("not found" in text for text in said), "nobody said that the session was not found")
	expect(
		[text for text in said if text == "•••"] == ["•••"] * 2, "what was typed as credentials is not stored"
	)


def _closed(scene: Scene, page: Client) -> None:
	expect(page.call("close_session", session_id=page.session_id)[0] == 200, "closed")
	status = page.call("send_message", session_id=page.session_id, message="hello")[0]
	expect(status == 410, f"a closed id can no longer be used: {status}")
	scene.fresh()
	row = frappe.db.get_value(
		"Conversation Session", page.session_id, ["status", "authenticated", "user_profile"], as_dict=True
	)
	expect(
		(row.status, row.authenticated, row.user_profile) == ("Closed", 0, None),
		"the row stays, not the profile",
	)
	events = frappe.get_all("Session Event", {"session": page.session_id}, pluck="event", order_by="sequence")
	expect(
		events[0] == "created" and "authenticated" in events and events[-1] == "closed", f"events: {events}"
	)
	scene.write(f"  closed: {status} afterwards; events: {', '.join(events)}")


def _next_day(scene: Scene, member: directory.Member) -> None:
	page = scene.client()
	page.open(channel="Pension")
	page.say("my pension, please")
	answers = page.answers(f"{member.national_number.replace('/', '')} and {member.number.replace('_', '-')}")
	expect("Welcome back, Hari" in answers[0], f"welcomed as returning: {answers}")


def _locked(scene: Scene) -> None:
	member = directory.new_member("Krishna")
	thief = scene.client()
	thief.open(channel="Pension")
	thief.say("my pension, please")
	for _attempt in range(3):
		answer = thief.say(f"{member.number} {directory.national_number()}")
		expect("could not find anybody" in answer, f"wrong: {answer}")
	expect("try again in 15 minutes" in answer, f"the third locks: {answer}")
	scene.restart()
	answer = thief.say(f"{member.number} {member.national_number}")
	expect("too many attempts" in answer and not thief.resume()["authenticated"], "locked, on every worker")
	other = scene.client()
	other.open(channel="Pension")
	other.say("my pension, please")
	stranger = directory.new_member("Maya")
	answers = other.answers(f"{stranger.number} {stranger.national_number}")
	expect("Welcome, Maya" in answers[0], f"another person is not affected: {answers}")
