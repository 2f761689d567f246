"""Dates as credentials: however they are written, day first or ISO, they match a Date field; what is ambiguous is not guessed."""

import copy

import pytest

from tests import checks

REGISTER = "Register of Births"
PATTERN = r"\d{1,2}[ ./-]{1,2}\d{1,2}[ ./-]{1,2}\d{4}|\d{4}[./-]\d{1,2}[./-]\d{1,2}|\d{8}|\d{1,2}(?:th)?\.? [a-z]+ \d{4}"
BIRTH = {"key": "birth", "label": "date of birth", "pattern": PATTERN, "normalisation": "Date"}

SPELLINGS = [
	"17/05/1984",
	"17th MAY 1984",
	"1984-05-17",
	"１７/０５/１９８４",
]  # all of them: tests/unit/test_dates.py


@pytest.fixture
def check(site, bench):
	"""`check(example=…, field=…, normalisation=…)`: who has this date of birth and this number."""

	def make(example: str = "17/05/1984", *, field: str = "birth", normalisation: str = "Date"):
		number = {"key": "number", "label": "number", "pattern": "NR[0-9]{10}", "example": "NR0000000001"}
		birth = {**BIRTH, "example": example, "normalisation": normalisation}
		compared = [{"kind": "Credential", "key": "number", "field": "number"}]
		compared.append({"kind": "Credential", "key": "birth", "field": field})
		values = checks.values(f"Births {site.generate_hash(length=8)}", verify_doctype=REGISTER)
		values.update(credentials=copy.deepcopy([number, birth]), fields=compared)
		return site.get_doc(values).insert()

	_make_register(site)
	return make


def _make_register(site) -> None:
	if not site.db.exists("DocType", REGISTER):
		kinds = {"number": "Data", "birth": "Date", "written": "Data"}
		fields = [{"fieldname": name, "fieldtype": kind, "label": name} for name, kind in kinds.items()]
		values = {"doctype": "DocType", "name": REGISTER, "module": "Assistant Session", "custom": 1}
		site.get_doc(
			{**values, "fields": fields, "permissions": [{"role": "System Manager", "read": 1}]}
		).insert()
	site.db.delete(REGISTER)
	person = {"number": "NR0000000001", "birth": "1984-05-17", "written": "17/05/1984"}
	site.get_doc({"doctype": REGISTER, **person}).insert()


def judged(document, text: str) -> str:
	"""What a person is told who types this date."""
	from assistant_session.authentication import checks as catalogue
	from assistant_session.authentication import credential_reading, verifiers

	found = catalogue.of(document)
	given = credential_reading.read(found.credentials, f"NR0000000001, born {text}!")
	return verifiers.ask(found, given).outcome if len(given) == 2 else "missing"


@pytest.mark.parametrize("spelled", SPELLINGS)
@pytest.mark.parametrize("field", ["birth", "written"])
def test_a_date_is_found_however_it_is_written(check, spelled, field):
	assert judged(check(field=field), spelled) == "verified"


@pytest.mark.parametrize("spelled", ["18/05/1984", "1985-05-17"])
def test_another_date_is_not_matched(check, spelled):
	assert judged(check(), spelled) == "not_matched"


@pytest.mark.parametrize("spelled", ["05/17/1984", "17 mayo 1984"])
def test_what_is_no_date_is_asked_for_again_and_nobody_guesses(check, spelled):
	assert judged(check(), spelled) == "missing"


def test_an_example_that_is_no_date_is_not_saved(check, site):
	with pytest.raises(site.ValidationError, match="year of four digits"):
		check(example="17/05/1884/1")


def test_whoever_compares_a_date_without_its_normalisation_is_warned_when_saving(check, site):
	site.clear_messages()
	check(normalisation="Letters and digits")
	assert any("choose its normalisation Date" in str(message) for message in site.get_message_log())
	site.clear_messages()
	check()
	check(field="written", normalisation="Letters and digits")
	assert not any("normalisation Date" in str(message) for message in site.get_message_log())


def test_a_date_of_birth_is_many_peoples_whatever_its_pattern_allows(check):
	from assistant_session.authentication import checks as catalogue

	assert not catalogue.of(check()).credential("birth").identifying
