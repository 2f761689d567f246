"""What schedulers do, and what an installed app leaves behind on a site."""

import os
import time

import frappe

from assistant_session import sessions
from assistant_session.maintenance import idle
from tests import databases, in_workers

HOOK = "a hook of the tests"


def tell_of_quiet_sessions(round: int = 0) -> list[str]:
	"""The job, with a hook that takes its time and leaves a note; which sessions it was told of."""
	told: list[str] = []

	def hook(session) -> None:
		told.append(session.id)
		time.sleep(0.05)
		in_workers.note(f"quiet {session.id}")

	hooks, attr = frappe.get_hooks, frappe.get_attr
	frappe.get_hooks = lambda name=None, *more, **named: (
		[HOOK] if name == idle.HOOK else hooks(name, *more, **named)
	)
	frappe.get_attr = lambda path: hook if path == HOOK else attr(path)
	idle.notify_idle()
	return told


def open_and_lock_with_every_ttl() -> bool:
	"""Nobody else's lock is in the way. Committed."""
	databases.wait_for_locks(1)
	locked = []
	for ttl in (1, 60, 86400):
		name = sessions.open(ttl=ttl).id
		locked.append(bool(sessions.lock_agent(name, "scheduling", ttl=ttl)))
	frappe.db.commit()
	return all(locked)


def use_the_site() -> str:
	"""A conversation, and whatever staff hang on it in Desk; the path of a file attached to it."""
	with sessions.turn(sessions.open(external_id="+49 7").id, "hello") as turn:
		turn.reply("hi")
	frappe.db.commit()
	_hang_on(turn.session.id)
	attached = {
		"attached_to_doctype": in_workers.SESSION,
		"attached_to_name": turn.session.id,
		"is_private": 1,
	}
	values = {
		"doctype": "File",
		"file_name": f"{turn.session.id}.txt",
		"content": "what was said",
		**attached,
	}
	path = os.path.abspath(frappe.get_doc(values).insert().get_full_path())
	frappe.db.commit()
	return path


def _hang_on(name: str) -> None:
	from frappe.desk.doctype.tag.tag import DocTags
	from frappe.desk.form.assign_to import add

	doctype = in_workers.SESSION
	frappe.get_doc(doctype, name).add_comment("Comment", "looked at")
	DocTags(doctype).add(name, "vip")
	add({"doctype": doctype, "name": name, "assign_to": ["Administrator"], "description": "look"})
	mine = {"doctype": "List Filter", "reference_doctype": doctype, "filter_name": "mine", "filters": "[]"}
	frappe.get_doc(mine).insert()
	frappe.make_property_setter(
		{"doctype": doctype, "fieldname": "channel", "property": "label", "value": "Way"}
	)
	frappe.get_doc("User", "Administrator").add_roles("Assistant Session Auditor")


def tables_that_hold(texts: list[str]) -> list[str]:
	return [table for table, columns in databases.tables() if databases.holds(table, columns, texts)]
