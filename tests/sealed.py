"""Whether what is stored fits its seals, looked up in the database after a test."""

import pytest

SESSION = "Conversation Session"


def unfitting(names: list[str]) -> list[tuple[str, str]]:
	"""Of these sessions, what does not fit: session and kind."""
	from assistant_session.sessions.health import diagnosis, findings

	_rows, found = diagnosis.examine(names)
	altered = (findings.ROW_ALTERED, findings.TURN_ALTERED)
	return [(one.session, one.kind) for one in found if one.kind in altered]


def reseal(name: str) -> None:
	"""Seal a row that a test changed by SQL in the place of time, or of a backup; committed, and every worker reads anew."""
	import frappe

	from assistant_session.sessions.coherence import register
	from assistant_session.sessions.coherence.memory import memory
	from assistant_session.sessions.tables import seals, session_rows

	frappe.db.rollback()
	row = seals.sealed(session_rows.select(name))
	frappe.db.sql(f"update `tab{SESSION}` set seal = %s where name = %s", (row.seal, name))
	frappe.db.commit()
	memory.drop(name)
	register.forget([name])


@pytest.fixture(autouse=True)
def every_seal_fits(request):
	"""In a module that imports it: after each test that damages nothing by SQL, all it wrote fits its seals."""
	by_sql = {"damage", "set_row"} & set(request.fixturenames) or request.node.get_closest_marker("by_sql")
	if by_sql or "site" not in request.fixturenames:
		yield
		return
	site = request.getfixturevalue("site")
	from assistant_session.sessions import config

	began = config.now()

	def written() -> set[str]:
		site.db.rollback()
		return set(site.get_all(SESSION, {"modified": (">=", began)}, pluck="name", limit_page_length=0))

	before = written()  # by tests to which it was later
	yield
	names = sorted(written() - before)
	left = unfitting(names) if names else []
	assert not left, f"does not fit its seal: {left}"
