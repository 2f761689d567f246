"""`make demo`: play the conversations on real workers and print what happened."""

import os
import secrets
import sys
import traceback
from pathlib import Path

import frappe

from . import cast, conversations
from .client import Failed
from .stage import Stage

LINE = "─" * 78


def main(arguments: list[str]) -> int:
	bench, site = os.environ["FRAPPE_BENCH"], os.environ["FRAPPE_SITE"]
	stage = Stage(bench, site, assistant_session_responder="assistant_session.demo.respond")
	os.chdir(stage.sites)
	frappe.init(site, sites_path=".")
	frappe.connect()
	try:
		keys = cast.prepare()
		stage.start()
		failed = sum(not _play(name, play, stage, keys) for name, play in conversations.ALL.items())
		print(f"{LINE}\nconversations: {len(conversations.ALL) - failed} passed, {failed} failed", flush=True)
		if "--serve" in arguments:
			_serve(stage, Path(bench))
		return 1 if failed else 0
	except KeyboardInterrupt:
		return 130
	finally:
		stage.close()
		frappe.destroy()


def _play(name: str, play, stage: Stage, keys: dict[str, str]) -> bool:
	print(f"{LINE}\n{play.__doc__}\n", flush=True)
	try:
		play(conversations.Scene(stage, keys, lambda line: print(line, flush=True)))
	except Exception as error:
		print(f"  FAILED: {error}", flush=True)
		if not isinstance(error, Failed):
			traceback.print_exc(limit=-4, chain=False)
		return False
	print("  passed", flush=True)
	return True


def _serve(stage: Stage, bench: Path) -> None:
	"""Leave the site running until Ctrl-C, with a login for its REST API."""
	password = secrets.token_urlsafe(9)
	user = frappe.get_doc("User", "krishna@example.com")
	user.new_password = password
	user.save(ignore_permissions=True)
	frappe.db.commit()  # nosemgrep: the demo's own set-up
	print(
		f"\nThe site is at {stage.url} (header “Host: {stage.site}”).\n"
		f"Login: krishna@example.com / {password}\n"
		f"Open a session:  curl -si {stage.url}/api/method/assistant_session.api.open_session "
		f"-H 'Host: {stage.site}' -H 'Content-Type: application/json' -d '{{\"channel\": \"Shop\"}}'\n"
		"Ctrl-C stops it.",
		flush=True,
	)
	if stage.master:
		stage.master.wait()


if __name__ == "__main__":
	sys.exit(main(sys.argv[1:]))
