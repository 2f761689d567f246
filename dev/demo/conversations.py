"""The conversations, step by step; `restart` kills every worker with SIGKILL in the middle of them.

Each is a function of a Scene and raises Failed where something is not as it should be.
"""

import uuid
from functools import partial

import frappe

from assistant_session import sessions
from dev.harness.client import Client, expect
from dev.harness.scene import Scene
from dev.harness.together import together

from .verification import pension

LOST = "not found"


def clinic(scene: Scene) -> None:
	"""B. Clinic scheduling: a device stays with its agent."""
	device = str(uuid.uuid4())
	page = scene.client(device=device)
	first = page.open(channel="Clinic")["session_id"]
	expect("front desk" in page.say("Hello"), "the front desk greets")
	expect("scheduling" in page.say("I want to schedule"), "the scheduling agent takes over")
	scene.restart()
	answer = page.say("tomorrow at 10")
	expect("[scheduling]" in answer and "reset" not in answer, "it goes straight to scheduling")
	expect(page.session_id == first, "the session is still the same")
	_clinic_router(scene, device)
	_clinic_stranger(scene, device, first)
	_clinic_ttl(scene)
	_clinic_hundred(scene)
	_clinic_race(scene)


def _clinic_router(scene: Scene, device: str) -> None:
	router = scene.client(key=scene.keys["router@example.com"])
	_status, body = router.call("get_session_lock", device_id=device)
	expect(body["lock"]["agent"] == "scheduling", "the router sees who has the device")
	scene.write(f"  router: {device[:8]}… is with {body['lock']['agent']}")
	_status, body = router.call("clear_session_lock", device_id=device)
	_status, after = router.call("get_session_lock", device_id=device)
	expect(body["cleared"] and after["lock"] is None, "the router clears the lock")
	scene.write("  router: lock cleared, now nobody has it")
	status, body = router.call("get_session_lock", device_id="my-phone")
	expect(status == 422, "a device id that is no UUID is refused")


def _clinic_stranger(scene: Scene, device: str, session_id: str) -> None:
	stranger = scene.client(device=device)
	expect(stranger.call("get_session_lock", device_id=device)[0] == 403, "a guest asks for no lock")
	expect(
		stranger.call("resume_session", session_id=session_id)[0] == 404, "an id without its token is nothing"
	)
	opened = stranger.open(channel="Clinic")
	expect(opened["session_id"] != session_id and not opened["authenticated"], "a stranger starts afresh")
	scene.write("  stranger with the same device id: a session of their own, and no lock")


def _clinic_ttl(scene: Scene) -> None:
	router = scene.client(key=scene.keys["router@example.com"])
	while sessions.cleanup_expired_sessions():  # what others left on this site
		frappe.db.commit()
	for seconds in (3600, 86400, 604800):
		device = str(uuid.uuid4())
		status, body = router.call("set_session_lock", device_id=device, agent_key="scheduling", ttl=seconds)
		expect(status == 200 and body["lock"]["won"], "the lock is set")
		_age_lock(scene, device, seconds + 1)
		expect(router.call("get_session_lock", device_id=device)[1]["lock"] is None, "its time is over")
	cleared = sessions.cleanup_expired_sessions()
	frappe.db.commit()
	expect(cleared == 3, f"three overdue locks are cleared, not {cleared}")
	scene.write(f"  locks of 1 hour, 1 day and 1 week expired on time; the job cleared {cleared}")


def _age_lock(scene: Scene, device: str, seconds: int) -> None:
	"""Let time pass for one lock: move its end into the past, behind the app's back."""
	table = frappe.qb.DocType("Conversation Session")
	scene.fresh()
	ends = frappe.db.get_value("Conversation Session", {"device_id": device}, "agent_lock_expires_at")
	past = frappe.utils.add_to_date(ends, seconds=-seconds)
	frappe.qb.update(table).set(table.agent_lock_expires_at, past).where(table.device_id == device).run()
	frappe.db.commit()
	name = frappe.db.get_value("Conversation Session", {"device_id": device})
	sessions.recover(name)


def _clinic_hundred(scene: Scene) -> None:
	quiet = Scene(scene.stage, scene.keys, lambda _line: None)
	clients = [quiet.client(device=str(uuid.uuid4())) for _number in range(100)]
	together([partial(one.open, channel="Clinic") for one in clients])
	expect(len({one.session_id for one in clients}) == 100, "a hundred devices, a hundred sessions")
	scene.write("  a hundred devices at once: a hundred sessions")


def _clinic_race(scene: Scene) -> None:
	device, answers = str(uuid.uuid4()), []
	routers = [scene.client(key=scene.keys["router@example.com"]) for _number in range(2)]

	def lock(router: Client, agent: str) -> None:
		answers.append(router.call("set_session_lock", device_id=device, agent_key=agent)[1]["lock"])

	together([lambda: lock(routers[0], "scheduling"), lambda: lock(routers[1], "billing")])
	winners = {answer["agent"] for answer in answers}
	expect(len(winners) == 1 and sum(answer["won"] for answer in answers) == 1, f"one winner: {answers}")
	scene.write(f"  two workers lock one device at the same moment: both say {winners.pop()}")


def bank(scene: Scene) -> None:
	"""C. Bank: one session id for every service."""
	page = scene.client()
	opened = page.open(channel="Bank")
	sent = page.send("What is my balance?")
	expect(opened["session_id"] == sent["session_id"], "one id for the chat and for the session")
	status, body = page.call("send_message", session_id="made-up-id", message="hello")
	expect(status == 404 and body["error"]["message"], "a made-up id is a 404 with a sentence")
	scene.write(f"  made-up id: {status} {body['error']['message']}")
	for number in range(2, 11):
		page.say(f"Question {number}", message_id=f"q{number}")
		if number == 5:
			scene.restart()
	expect(page.send("Question 10", message_id="q10")["repeated"], "a retry is recognised")
	sequence = [turn["sequence"] for turn in page.history(limit=100)]
	expect(sequence == list(range(1, 21)), f"twenty turns in order, not {sequence}")
	_bank_two_tabs(scene)


def _bank_two_tabs(scene: Scene) -> None:
	customer = scene.client(key=scene.keys["krishna@example.com"])
	customer.open(channel="Bank")
	tabs = [scene.client(key=scene.keys["krishna@example.com"]) for _number in range(2)]
	for tab in tabs:
		tab.session_id = customer.session_id
	together([lambda: tabs[0].say("Pay my rent"), lambda: tabs[1].say("Block my card")])
	history = [turn["content"] for turn in customer.history()]
	expect({"Pay my rent", "Block my card"} < set(history), "both tabs' messages are stored")
	expect("Question 2" in " ".join(history), "neither overwrote the other's count")


def presentation(scene: Scene) -> None:
	"""D. Presentation builder: resume the workflow after a refresh."""
	page = scene.client(key=scene.keys["krishna@example.com"])
	expect(page.open(channel="Presentation")["should_greet"], "a new session is greeted")
	_in_state(page.send("Hello"), "PROVIDE_GREETING")
	_in_state(page.send("Krishna"), "ASK_CLARIFYING_QUESTIONS")
	_in_state(page.send("Children, 10 min"), "CREATE_CONFIRMATION_PLAN")
	scene.restart()
	after = page.resume()
	_in_state(after, "CREATE_CONFIRMATION_PLAN")
	expect([turn["sequence"] for turn in after["history"]] == [1, 2, 3, 4, 5, 6], "six messages, in order")
	expect(not after["should_greet"], "no second greeting")
	_in_state(page.send("Yes, perfect"), "GENERATE_STRAWMAN")
	_in_state(page.send("New topic: the moon"), "ASK_CLARIFYING_QUESTIONS")
	_in_state(page.resume(), "ASK_CLARIFYING_QUESTIONS")
	scene.fresh()
	expect(sessions.get(page.session_id).context == {"name": "Krishna"}, "the context is cleared")
	other = scene.client(key=scene.keys["other.customer@example.com"])
	expect(other.call("resume_session", session_id=page.session_id)[0] == 404, "another user gets nothing")
	_presentation_inspect(scene, page.session_id)


def _presentation_inspect(scene: Scene, session_id: str) -> None:
	done = scene.stage.command("assistant-session", "inspect", session_id)
	expect(done.returncode == 0 and "ASK_CLARIFYING_QUESTIONS" in done.stdout, done.stdout + done.stderr)
	scene.write(f"  $ assistant-session inspect: {done.stdout.strip()}")


def _in_state(body: dict, state: str) -> None:
	expect(body["state"] == state, f"the state is {state}, not {body['state']}")


def shop(scene: Scene) -> None:
	"""E. Spare parts shop: finish a multi-step order."""
	before = _counts(scene)
	page = scene.client()
	first = page.open(channel="Shop")["session_id"]
	expect(
		"name, phone and email" in page.say("Hi so i need to buy 11 remote controls"), "asks for the contact"
	)
	scene.restart()
	answer = page.say("Name is Hari and phone number is 8848850922 and email is hari@example.com")
	expect("pick them up at" in answer and "11 remote controls" in answer, "knows the order")
	expect("deliver" not in answer and page.session_id == first, "no delivery question, no new session")
	page.say("And please call me")
	flows = page.resume()["flows"]
	expect(flows["bulk_order"]["step"] == "confirming", "the order kept its step")
	expect(flows["callback"]["step"] == "collecting_time", "the second flow has its own")
	page.say("Yes")
	expect(list(page.resume()["flows"]) == ["callback"], "the order is complete, the callback is not")
	_shop_combinations(scene, first)
	after = _counts(scene)
	expect(after["flows_completed"] == before["flows_completed"] + 1, "one flow completed")
	expect(
		after["restored"] > before["restored"] and after["expired"] > before["expired"], f"counts: {after}"
	)
	scene.write(f"  counts: {after}")


def _shop_combinations(scene: Scene, living: str) -> None:
	"""In memory or not, in the database or not, expired: each answers as designed."""
	page = scene.client()
	expect(page.call("send_message", session_id="nowhere", message="hello")[0] == 404, "in neither: 404")
	gone = _opened(scene)
	gone.say("hello")
	_behind_the_back(scene, gone.session_id, None)
	status = gone.call("send_message", session_id=gone.session_id, message="hello")[0]
	expect(status == 404, f"in memory, not in the database: {status}")
	expired = _opened(scene)
	expired.say("hello")
	_behind_the_back(scene, expired.session_id, "2020-01-01 00:00:00")
	status = expired.call("send_message", session_id=expired.session_id, message="hello")[0]
	expect(status == 410, f"expired: {status}")
	expect(sessions.cleanup_expired() >= 1, "the job finds the expired one")
	frappe.db.commit()
	expect(sessions.get(living).status == "Active", "in both: found")
	scene.write("  neither: 404 · deleted behind the app's back: 404 · expired: 410 · both: found")


def _opened(scene: Scene) -> Client:
	client = Scene(scene.stage, scene.keys, lambda _line: None).client()
	client.open(channel="Shop")
	return client


def _behind_the_back(scene: Scene, name: str, expires: str | None) -> None:
	"""Change or delete a row by SQL, as an administrator at the database would; no register is told."""
	scene.fresh()
	table = frappe.qb.DocType("Conversation Session")
	if expires is None:
		frappe.qb.from_(table).delete().where(table.name == name).run()
	else:
		frappe.qb.update(table).set(table.expires_at, expires).where(table.name == name).run()
	frappe.db.commit()
	if expires is not None:
		sessions.recover(name)


def _counts(scene: Scene) -> dict[str, int]:
	scene.fresh()
	return sessions.counts()


ALL = {"A": pension, "B": clinic, "C": bank, "D": presentation, "E": shop}
