"""`make screenshots`: the pictures of README and docs, of a conversation played on real workers and drawn by a real browser."""

import os
from pathlib import Path

import frappe
from playwright.sync_api import sync_playwright

from assistant_session import sessions
from dev import packages
from dev.harness import cast
from dev.harness.connection import connected
from dev.harness.stage import Stage
from tests.browser import WIDE, Desk, log_in

PICTURES = Path(__file__).resolve().parent.parent / "docs" / "pictures"
ADDRESS = "+32 470 11 22 33"
SAID = (
	(
		"Hi, I need 11 remote controls",
		"To confirm your order, please give name, phone and email.",
		"COLLECTING",
	),
	(
		"Hari, 8848850922, hari@example.com",
		"Thank you, Hari. Where shall we send 11 remote controls?",
		"ADDRESS",
	),
	("Kerkstraat 12, Ghent 🙂", "They leave tomorrow. Anything else?", "CONFIRMED"),
)


def main() -> None:
	bench, site = os.environ["FRAPPE_BENCH"], os.environ["FRAPPE_SITE"]
	stage = Stage(bench, site)
	try:
		with connected(stage.sites, site):
			cast.prepare()
			name = _conversation()
			stage.start()
			_draw(stage, name)
			sessions.close(name, "the picture is taken")
			frappe.db.commit()
	finally:
		stage.close()


def _conversation() -> str:
	name = sessions.open(channel="Shop", external_id=ADDRESS).id
	for message, answer, state in SAID:
		with sessions.turn(name, message, intent="bulk_order") as turn:
			turn.session.transition(state)
			turn.session.set_flow("bulk_order", state.lower(), {"quantity": 11})
			turn.reply(answer)
	frappe.db.commit()
	return name


def _draw(stage: Stage, name: str) -> None:
	origin, prefix = f"http://{stage.site}:{stage.port}", "/app"
	with sync_playwright() as driver:
		browser = driver.chromium.launch(
			executable_path=packages.find("chromium"),
			args=["--host-resolver-rules=MAP * 127.0.0.1", "--no-sandbox", "--disable-dev-shm-usage"],
		)
		context = browser.new_context(viewport={"width": WIDE, "height": 900})
		context.add_cookies([{"name": "sid", "value": log_in("Administrator"), "url": origin}])
		desk = Desk(context, f"{origin}{prefix}", WIDE).open("conversation-session", name)
		desk.page.locator(".as-turn", has_text="They leave tomorrow").wait_for()
		PICTURES.mkdir(exist_ok=True)
		desk.page.screenshot(path=PICTURES / "conversation.png")
		browser.close()


if __name__ == "__main__":
	main()
