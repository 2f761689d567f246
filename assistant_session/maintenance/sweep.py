"""The doctor on his nightly round: looks at all sessions, mends what has one right answer, and calls for somebody if
anything is left.

A round is bounded in time; what it does not reach the next one begins with. What was mended is in each session's audit
trail; an entry in the Error Log names what somebody must look at.
"""

import time

import frappe
from frappe import _

from ..sessions.health.findings import ON_PURPOSE
from . import LONGEST_SECONDS, doctor

PLACE = "assistant_session_swept_until"  # a global default: where the next round begins
TITLE = "Conversation sessions need somebody"
MOST_NAMED = 20


def sweep() -> doctor.Visit:
	"""One round, from where the last one ended. A job: commits."""
	ends = time.monotonic() + LONGEST_SECONDS
	after = frappe.db.get_global(PLACE) or ""
	seen = doctor.visit(fix=True, on_purpose=False, after=after, go_on=lambda: time.monotonic() < ends)
	frappe.db.set_global(PLACE, seen.last)
	around = doctor.surroundings()
	if around or not seen.sound:
		frappe.log_error(title=TITLE, message=_call(seen, around))
	frappe.db.commit()
	return seen


def _call(seen: doctor.Visit, around: list[str]) -> str:
	left = [one for one in seen.findings if not one.remedy or one.kind in ON_PURPOSE]
	counts = [f"{kind}: {number}" for kind, number in sorted((seen.counts - seen.repaired).items())]
	named = [f"{one.session}: {one.kind}: {one.detail}" for one in left[:MOST_NAMED]]
	way = _("For all of them: bench --site {0} assistant-session doctor").format(frappe.local.site)
	return "\n".join([*around, *counts, *named, *seen.failed[:MOST_NAMED], way])
