"""Dates as people write them: day first, or ISO; with a year of four digits, so that nothing has to be guessed.

	17/05/1984, 17.5.1984, 17-05-1984, 17 05 1984, 17051984    day, month, year
	17 May 1984, 17th of May 1984, 17-MAY-1984, May 17, 1984    English names of months, or three letters and more of them
	1984-05-17, 1984/05/17, 19840517                           year, month, day

What could be read in two ways is read day first: 05/06/1984 is the fifth of June. 05/17/1984 is no date.
"""

import re
from datetime import date

MONTHS = (
	"january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
	"december",
)  # fmt: skip
YEARS = range(1800, 2200)
DAY, MONTH, YEAR = r"(?P<day>\d{1,2})", r"(?P<month>\d{1,2}|[a-z]{3,9})", r"(?P<year>\d{4})"
BETWEEN = r"[\s./,-]{1,3}"
FORMS = tuple(
	re.compile(form, re.IGNORECASE | re.ASCII)
	for form in (
		rf"{DAY}(?:st|nd|rd|th)?(?:\s+of)?{BETWEEN}{MONTH}{BETWEEN}{YEAR}",
		rf"(?P<month>[a-z]{{3,9}}){BETWEEN}{DAY}(?:st|nd|rd|th)?{BETWEEN}{YEAR}",
		rf"{YEAR}{BETWEEN}{MONTH}{BETWEEN}{DAY}",
		r"(?P<day>\d\d)(?P<month>\d\d)(?P<year>\d{4})",
		r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)",
	)
)


def iso(text: str) -> str:
	"""The date in `text` as 1984-05-17; empty if it is none."""
	found = _found(text)
	return found[1].isoformat() if found else ""


def written_like(example: str, iso_date: str) -> str:
	"""An ISO date as `example` writes dates; as it is if the example is none."""
	found, value = _found(example), date.fromisoformat(iso_date)
	if found is None:
		return iso_date
	form, text = found[0], found[0].string
	for part in sorted(("day", "month", "year"), key=form.start, reverse=True):
		start, end = form.span(part)
		text = text[:start] + _like(form[part], getattr(value, part)) + text[end:]
	return text


def _found(text: str) -> "tuple[re.Match[str], date] | None":
	"""The first form that fits a date there is, and the date."""
	for form in FORMS:
		match = form.fullmatch(text.strip())
		if match and (value := _date(match)):
			return match, value
	return None


def _date(match: "re.Match[str]") -> date | None:
	year, month, day = int(match["year"]), _month(match["month"]), int(match["day"])
	if year not in YEARS or month is None:
		return None
	try:
		return date(year, month, day)
	except ValueError:
		return None


def _month(text: str) -> int | None:
	"""A number, or an English name or its beginning."""
	if text.isdigit():
		return int(text)
	found = [name for name in MONTHS if name.startswith(text.lower())]
	return MONTHS.index(found[0]) + 1 if found else None


def _like(sample: str, number: int) -> str:
	"""A day, month or year as the sample of one is written."""
	if sample.isdigit():
		return str(number).zfill(len(sample))
	name = MONTHS[number - 1]
	name = name if len(sample) > 3 or sample.lower() == "may" else name[:3]
	return name.upper() if sample.isupper() else name.title() if sample.istitle() else name
