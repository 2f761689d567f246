"""What a site gets when the app is installed, and which site is refused."""

import os
import subprocess
import sys

import pytest

from tests import databases
from tests.conftest import OTHER_SITE
from tests.sessions.in_workers import jobs


def test_a_site_on_another_database_is_refused_before_anything_is_installed(site, monkeypatch):
	monkeypatch.setattr(site.db, "db_type", "sqlite")
	(refuse,) = site.get_hooks("before_install", app_name="assistant_session")
	with pytest.raises(site.ValidationError, match="needs MariaDB or PostgreSQL; this site is on sqlite"):
		site.get_attr(refuse)()


def test_this_site_is_not_refused(site):
	from assistant_session import install

	install.before_install()


@pytest.mark.postgres
def test_an_index_for_which_another_tables_has_its_name_comes_with_the_next_migration(site):
	from assistant_session import install

	install._make_indexes()
	site.db.sql_ddl("drop index session_event_session")
	install._make_indexes()
	site.db.commit()  # as a migration does
	assert ("session",) in databases.indexes("tabSession Event")


def test_every_index_is_there_whatever_others_of_its_name_there_are(site):
	"""On PostgreSQL an index of another table may have its name; then Frappe makes none."""
	from assistant_session import hooks, install

	wanted = {(doctype, *columns) for doctype, lists in install.INDEXES.items() for columns in lists}
	for doctype in hooks._ours:
		fields = site.get_meta(doctype).fields
		wanted |= {(doctype, field.fieldname) for field in fields if field.search_index}
	assert len(wanted) > 15
	there = {doctype: databases.indexes(f"tab{doctype}") for doctype in hooks._ours}
	assert [index for index in sorted(wanted) if index[1:] not in there[index[0]]] == []


# Frappe's own record of what was done, not what is; and who logged in with which name.
RECORDS = {
	"tabError Log",
	"tabVersion",
	"tabPermission Log",
	"tabActivity Log",
	"tabInstalled Application",
	"tabDeleted Document",
}


@pytest.mark.mariadb
def test_uninstalling_leaves_nothing_in_the_database(worker, site):
	from assistant_session import roles, uninstall

	def bench(*arguments: str) -> None:
		sites = os.path.join(os.environ["FRAPPE_BENCH"], "sites")
		command = [
			sys.executable,
			"-m",
			"frappe.utils.bench_helper",
			"frappe",
			"--site",
			OTHER_SITE,
			*arguments,
		]
		done = subprocess.run(command, cwd=sites, capture_output=True, text=True)
		assert done.returncode == 0, done.stdout + done.stderr

	on_disk = worker(OTHER_SITE).run(jobs.use_the_site)
	assert os.path.exists(on_disk)
	try:
		bench("uninstall-app", "assistant_session", "--yes", "--no-backup")
		texts = [*uninstall.doctypes(), *roles.ALL, "assistant_session."]
		left = set(worker(OTHER_SITE).run(jobs.tables_that_hold, texts))
	finally:
		bench("install-app", "assistant_session", "--force")
	assert left - RECORDS == set()
	assert not os.path.exists(on_disk)
