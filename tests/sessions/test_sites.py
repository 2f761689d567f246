"""Sites are islands: one process serves two of them."""

import os

ONE, OTHER = os.environ["FRAPPE_SITE"], os.environ.get("FRAPPE_OTHER_SITE", "")

BOTH = """
def on(site, code):
	frappe.init(site, sites_path=".", force=True)
	frappe.connect()
	names = dict(globals())
	exec(code, names)
	frappe.db.commit()
	frappe.db.close()
	return names.get("answer")
"""


def test_one_id_on_two_sites_is_two_sessions(worker):
	assert OTHER, "set FRAPPE_OTHER_SITE to a second site of the bench with the app installed"
	code = (
		BOTH
		+ """
import uuid
name = uuid.uuid4().hex
for site in (one, other): on(site, f"sessions.open('{name}', state={site!r})")
states = [on(site, f"answer = [sessions.get('{name}').current_state, sessions.get('{name}').origin]") for site in (one, other)]
on(one, f"sessions.transition('{name}', 'MOVED')")
result = [states, on(other, f"answer = sessions.get('{name}').current_state")]
"""
	)
	assert worker().run(code, one=ONE, other=OTHER) == [[[ONE, "memory"], [OTHER, "memory"]], OTHER]


def test_a_session_of_one_site_is_unknown_on_the_other(worker):
	code = (
		BOTH
		+ """
name = on(one, "answer = sessions.open().id")
try: result = on(other, f"answer = sessions.get('{name}').id")
except sessions.SessionNotFound: result = "not found"
"""
	)
	assert worker().run(code, one=ONE, other=OTHER) == "not found"


def test_locks_and_counters_of_one_site_are_not_the_others(worker, device):
	code = (
		BOTH
		+ """
on(one, f"sessions.set_session_lock('{device}', 'scheduling')")
before = on(other, "answer = sessions.counts()")
result = [on(other, f"answer = sessions.get_session_lock('{device}')"), before == on(other, "answer = sessions.counts()")]
"""
	)
	assert worker().run(code, one=ONE, other=OTHER, device=device) == [None, True]
