"""A session with something of everything, what somebody at the database does to it, and how it is looked at afterwards."""

import pytest

SESSION = "Conversation Session"


@pytest.fixture
def told(sessions, site, opened):
	"""A session with four turns, two events, a lock and an authentication."""
	for number in range(2):
		with sessions.turn(opened, f"hello {number}", metadata={"page": number}) as turn:
			turn.reply("hi")
	sessions.lock_agent(opened, "scheduling")
	sessions.authenticate(opened, {"name": "Hari"}, method="test", identity="hari")
	site.db.commit()
	sessions.get(opened)
	yield opened
	site.db.rollback()
	for doctype, column in (
		(SESSION, "name"),
		("Conversation Turn", "session"),
		("Session Event", "session"),
	):
		site.db.sql(
			f"delete from `tab{doctype}` where {column} = %s", opened
		)  # nobody else is to find the damage
	site.db.commit()


@pytest.fixture
def damage(site):
	"""`damage(statement, *values)`: by SQL, committed, as somebody at the database would."""

	def run(statement: str, *values) -> None:
		site.db.sql(statement, values)
		site.db.commit()

	return run


@pytest.fixture
def set_row(site, damage):
	def run(name: str, **values) -> None:
		columns = ", ".join(f"`{column}` = %s" for column in values)
		damage(f"update `tab{SESSION}` set {columns} where name = %s", *values.values(), name)

	return run


@pytest.fixture
def stored(site):
	def read(name: str) -> dict:
		site.db.rollback()
		return site.db.get_value(SESSION, name, "*", as_dict=True)

	return read


def kinds(report) -> list[str]:
	return sorted(finding["kind"] for finding in report.findings)


def ensured(sessions, site, name: str):
	report = sessions.ensure_consistency(name)
	site.db.commit()
	return report
