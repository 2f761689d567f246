"""What a site gets when the app is installed, and which site is refused."""

import pytest

from tests import databases


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
