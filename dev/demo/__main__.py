"""`make demo`: play the conversations on real workers and print what happened."""

import os
import secrets
import subprocess
import sys
import traceback

import frappe

from assistant_session import roles
from dev import servers
from dev.harness import cast, users
from dev.harness.client import Failed
from dev.harness.connection import connected
from dev.harness.scene import Scene
from dev.harness.stage import Stage

from . import conversations

LINE = "─" * 78
COLLEAGUE = "colleague@example.com"


def main(arguments: list[str]) -> int:
	bench, site = os.environ["FRAPPE_BENCH"], os.environ["FRAPPE_SITE"]
	stage = Stage(bench, site, assistant_session_responder="assistant_session.demo.respond")
	try:
		with connected(stage.sites, site):
			failed = _play_all(stage)
			if "--serve" in arguments:
				_serve(stage)
		return 1 if failed else 0
	except KeyboardInterrupt:
		return 130
	finally:
		stage.close()


def _play_all(stage: Stage) -> int:
	"""How many conversations failed."""
	keys = cast.prepare()
	stage.start()
	failed = sum(not _play(play, stage, keys) for play in conversations.ALL.values())
	print(f"{LINE}\nconversations: {len(conversations.ALL) - failed} passed, {failed} failed", flush=True)
	return failed


def _play(play, stage: Stage, keys: dict[str, str]) -> bool:
	print(f"{LINE}\n{play.__doc__}\n", flush=True)
	try:
		play(Scene(stage, keys, lambda line: print(line, flush=True)))
	except Exception as error:
		print(f"  FAILED: {error}", flush=True)
		if not isinstance(error, Failed):
			traceback.print_exc(limit=-4, chain=False)
		return False
	print("  passed", flush=True)
	return True


def _serve(stage: Stage) -> None:
	"""Leave the site running until Ctrl-C: Desk with the conversations just played, and background jobs."""
	jobs = _work_in_the_background(stage)
	password = secrets.token_urlsafe(9)
	_make_colleague(password)
	origin = f"http://{stage.site}:{stage.port}"
	print(
		f"\nDesk:   {origin}/app/conversation-session\n"
		f"Login:  {COLLEAGUE} / {password}\n"
		f"HTTP:   curl -si {stage.url}/api/method/assistant_session.api.open_session "
		f"-H 'Host: {stage.site}' -H 'Content-Type: application/json' -d '{{\"channel\": \"Shop\"}}'\n"
		"Ctrl-C stops it.",
		flush=True,
	)
	try:
		if stage.master:
			stage.master.wait()
	finally:
		for job in jobs:
			job.terminate()


def _make_colleague(password: str) -> None:
	users.key_of(COLLEAGUE, roles.ADMINISTRATOR)
	user = frappe.get_doc("User", COLLEAGUE)
	user.new_password = password
	user.save(ignore_permissions=True)
	frappe.db.commit()


def _work_in_the_background(stage: Stage) -> list[subprocess.Popen]:
	"""Frappe's worker and scheduler."""
	helper = [sys.executable, "-m", "frappe.utils.bench_helper", "frappe"]
	quiet = {
		"cwd": stage.sites, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL,
		"preexec_fn": servers.end_with_parent,
	}  # fmt: skip
	frappe.db.set_single_value("System Settings", "enable_scheduler", 1)
	frappe.db.commit()
	return [subprocess.Popen([*helper, *what], **quiet) for what in (("worker", "--quiet"), ("schedule",))]


if __name__ == "__main__":
	sys.exit(main(sys.argv[1:]))
