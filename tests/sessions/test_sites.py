"""Sites are islands: one process serves two of them."""

import os

from tests.sessions.in_workers import sites

ONE, OTHER = os.environ.get("FRAPPE_SITE", ""), os.environ.get("FRAPPE_OTHER_SITE", "")


def test_one_id_on_two_sites_is_two_sessions(worker):
	assert OTHER, "set FRAPPE_OTHER_SITE to a second site of the bench with the app installed"
	assert worker().run(sites.one_id_on_both, ONE, OTHER) == [[[ONE, "memory"], [OTHER, "memory"]], OTHER]


def test_a_session_of_one_site_is_unknown_on_the_other(worker):
	assert worker().run(sites.one_of_the_first_on_the_other, ONE, OTHER) == "not found"


def test_locks_and_counters_of_one_site_are_not_the_others(worker, device):
	assert worker().run(sites.a_lock_of_the_first_on_the_other, ONE, OTHER, device) == [None, True]
