"""Desk in a real browser: Chromium, headless, driven by Playwright.

	def test_the_list_is_drawn(desk, opened):
		page = desk(AGENT).open("conversation-session")
		assert page.shows("Session ID")
		assert page.errors == []

`Desk.page` is Playwright's own page for whatever the few verbs here do not do.
"""

import os
import re
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

import pytest

from dev import packages

WIDE, NARROW = 1400, 390
SCREENSHOTS = Path(__file__).resolve().parent.parent / ".bench" / "screenshots"
QUIET_MILLISECONDS = 150
PATIENCE_MILLISECONDS = 20_000

# Of a socket server, which is cut off here (see `_cut_off_sockets`); and how Frappe's Desk of 2023 leaves out a shortcut of a
# workspace whose DocType the user may not read.
NO_ERRORS = ("socket.io", "Block «shortcut» skipped because of plugins error")

# Desk started, a page of it chosen or a message in the way, no request under way and nothing frozen, for as long as QUIET_MILLISECONDS.
IDLE = """quiet => {
	const drawn = window.frappe?.app && (frappe.container?.page || document.querySelector(".modal.show"));
	const idle = drawn && frappe.request.ajax_count === 0 && !document.querySelector("#freeze");
	window.idle_since = idle ? window.idle_since ?? performance.now() : undefined;
	return performance.now() - window.idle_since > quiet;
}"""


class Desk:
	"""One tab of a user. What goes wrong in it collects in `errors`, what the browser asks in `dialogs`."""

	def __init__(self, context, url: str, width: int):
		self.page, self.url = context.new_page(), url
		_cut_off_sockets(context, self.page)
		self.errors: list[str] = []
		self.dialogs: list[str] = []
		self.agrees = False  # what a confirm() is answered
		self.page.set_default_timeout(PATIENCE_MILLISECONDS)
		self.page.on("pageerror", lambda error: self.errors.append(error.stack or str(error)))
		self.page.on("console", self._note_console)
		self.page.on("dialog", self._answer_dialog)
		self.resize(width)

	def resize(self, width: int, height: int = 900) -> "Desk":
		self.page.set_viewport_size({"width": width, "height": height})
		return self

	def open(self, *route: str, **filters: str) -> "Desk":
		"""Load Desk afresh and wait until it is idle: `open("conversation-turn", "view", "report", session=id)`.

		Frappe keeps a list's `filters` as the user's settings: the next `open` without any shows that list again.
		"""
		path = "/".join(quote(part, safe="") for part in route)
		self.page.goto(f"{self.url}/{path}?{urlencode(filters)}", wait_until="domcontentloaded")
		self.wait()
		assert self.page.evaluate("frappe.boot.setup_complete"), "answer the site's setup wizard first"
		return self

	def wait(self) -> "Desk":
		"""Wait until Desk has done what it was about to do."""
		self.page.evaluate("() => { window.idle_since = undefined }")
		self.page.wait_for_function(IDLE, arg=QUIET_MILLISECONDS)
		return self

	def shows(self, text: str) -> bool:
		"""Whether `text` can be seen, now or within a moment; case and what lies around it do not matter."""
		from playwright.sync_api import TimeoutError

		try:
			found = self.page.get_by_text(re.compile(re.escape(text), re.IGNORECASE)).filter(visible=True)
			found.first.wait_for(timeout=3000)
		except TimeoutError:
			return False
		return True

	def text(self) -> str:
		"""Everything that can be seen, as text."""
		return self.page.inner_text("body")

	def screenshot(self, name: str) -> Path:
		"""A picture of what is seen, below .bench; returns its path. For more of a long page, `resize` it before."""
		SCREENSHOTS.mkdir(parents=True, exist_ok=True)
		file = SCREENSHOTS / f"{name}.png"
		self.page.screenshot(path=file)
		return file

	def _note_console(self, message) -> None:
		said = f"{message.text} {message.location.get('url', '')}"
		if message.type == "error" and not any(known in said for known in NO_ERRORS):
			self.errors.append(said)

	def _answer_dialog(self, dialog) -> None:
		if dialog.type == "beforeunload":  # a form with changes; tests leave as they please
			dialog.accept()
			return
		self.dialogs.append(dialog.message)
		dialog.accept() if self.agrees else dialog.dismiss()


@pytest.fixture(scope="session")
def browser(workers):
	"""Playwright's browser; every name leads to this machine, so that nothing is asked of anybody else."""
	from playwright.sync_api import sync_playwright

	program = packages.find("chromium")
	if not program:
		pytest.fail("A browser is needed: install Debian's package chromium.")
	if not (workers.sites / "assets" / "assets.json").exists():
		pytest.fail("Desk is not built here: `make test` builds it, and so does `python3 -m dev run --desk`.")
	with sync_playwright() as driver:
		options = ["--host-resolver-rules=MAP * 127.0.0.1", "--disable-dev-shm-usage"]
		options += ["--no-sandbox"] if os.geteuid() == 0 else []
		browser = driver.chromium.launch(executable_path=program, args=options)
		yield browser
		browser.close()


@pytest.fixture(scope="module")
def contexts(browser, workers, bench):
	"""Who is logged in, by user: a login serves all tests of a file, and so does the browser's memory of scripts."""
	made: dict[str, object] = {}

	def context_of(user: str):
		if user not in made:
			made[user] = _context(browser, workers, user)
		return made[user]

	yield context_of
	for context in made.values():
		context.close()


@pytest.fixture
def desk(site, contexts, workers):
	"""`desk(user, width=WIDE)` is a new tab of that user, any of tests.callers.ROLES or Administrator."""
	opened = []

	def make(user: str = "Administrator", width: int = WIDE) -> Desk:
		opened.append(Desk(contexts(user), f"{_origin(workers)}{_prefix()}", width))
		return opened[-1]

	yield make
	for tab in opened:
		tab.page.close()


def _context(browser, workers, user: str):
	context = browser.new_context(viewport={"width": WIDE, "height": 900})
	context.add_cookies([{"name": "sid", "value": log_in(user), "url": _origin(workers)}])
	return context


def _cut_off_sockets(context, page) -> None:
	"""No socket server on any bench, as on the pocket bench. (A route of Playwright's would switch off the cache.)"""
	protocol = context.new_cdp_session(page)
	protocol.send("Network.enable")
	protocol.send("Network.setBlockedURLs", {"urls": ["*/socket.io/*"]})


def _origin(workers) -> str:
	return f"http://{workers.site}:{workers.port}"


def _prefix() -> str:
	"""Where Desk lies: /app in Frappe 15, /desk in 16."""
	from frappe.utils import get_url_to_list

	return urlsplit(get_url_to_list("User")).path.rpartition("/")[0]


def log_in(user: str) -> str:
	"""The `sid` of a new session, made as `bench browse --user` makes one: no password is asked or changed."""
	import frappe
	from frappe.auth import CookieManager, LoginManager
	from frappe.utils import set_request

	set_request(path="/")
	frappe.local.cookie_manager = CookieManager()
	frappe.local.login_manager = LoginManager()
	frappe.local.login_manager.login_as(user)
	sid = frappe.session.sid
	frappe.db.commit()
	del frappe.local.login_manager, frappe.local.cookie_manager
	frappe.local.request = None
	frappe.set_user("Administrator")
	return sid
