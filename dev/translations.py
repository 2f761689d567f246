"""`make translations`: every text a person reads, as Frappe finds it, into the catalogues that translators work on.

    assistant_session/locale/main.pot      the texts
    assistant_session/locale/de.po …       their translations: the source. A new language: `msginit`, or copy one and empty it
    assistant_session/translations/de.csv  made from it: what Frappe 15 and 16 read without compiling anything

A Frappe that knows gettext (15.40 and later) also compiles the .po files to .mo by itself (`bench build`, `bench migrate`).
"""

import csv
import json
import os
import re
from collections.abc import Iterator
from datetime import datetime, timezone
from functools import lru_cache
from pathlib import Path

import frappe
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from frappe.translate import get_messages_for_app

APP = Path(__file__).resolve().parent.parent / "assistant_session"
LOCALE, TABLES = APP / "locale", APP / "translations"
FRAPPES = Path(__file__).with_name("words_of_frappe.json")  # kept, because Frappe 16 has other tables
CREATED = datetime(
	2026, 11, 24, tzinfo=timezone.utc
)  # no moment of each run: nothing changes where no text does
# Of the pages Frappe draws from files its search for texts passes over.
DRAWN = {"workspace": ("label", "title"), "number_card": ("label",), "dashboard_chart": ("chart_name",)}
OURS = re.compile(r"(.*/)?assistant_session/|DocType: ")


def messages() -> frozenset[tuple[str, str | None]]:
	"""Each text with its context, without words that Frappe translates itself: ours would stand in their place in all of Desk."""
	frappes = set(json.loads(FRAPPES.read_text()))
	return frozenset(one for one in _found() if one[0] not in frappes)


@lru_cache
def _found() -> frozenset[tuple[str, str | None]]:
	"""What Frappe's search finds, once: it hands out its own menu too and what somebody made on the site, and the second
	time less."""
	made_here = {f"DocType: {name}" for name in frappe.get_all("DocType", {"custom": 1}, pluck="name")}
	found = {
		(text.strip(), context or None)
		for path, text, context, *_line in map(_padded, get_messages_for_app("assistant_session"))
		if text and text.strip() and OURS.match(str(path)) and path not in made_here
	}
	return frozenset(found | {(text, None) for text in _drawn()})


def _note_what_frappe_translates() -> None:
	"""Words of ours for which Frappe has its own in all our languages."""
	tables = Path(frappe.get_app_path("frappe", "translations"))
	known = [{row[0] for row in csv.reader((tables / f"{one}.csv").open()) if row} for one in languages()]
	words = {text for text, _context in _found()}.intersection(*known)
	FRAPPES.write_text(json.dumps(sorted(words), indent=1, ensure_ascii=False) + "\n")


def _padded(message: tuple) -> tuple:
	return (*message, None, None)


def _drawn() -> Iterator[str]:
	for kind, fields in DRAWN.items():
		for path in sorted((APP / "assistant_session" / kind).glob("*/*.json")):
			document = json.loads(path.read_text())
			yield from (document[field] for field in fields if document.get(field))
			for table in ("links", "shortcuts", "number_cards", "charts"):
				yield from (row["label"] for row in document.get(table, ()) if row.get("label"))
			for block in json.loads(document.get("content") or "[]"):
				yield from filter(None, [re.sub(r"<[^>]+>", "", block["data"].get("text", "")).strip()])


def catalogue(language: str | None = None) -> Catalog:
	"""Of all texts; with what is translated to `language` so far."""
	made = Catalog(
		locale=language, project="Assistant Session", creation_date=CREATED, revision_date=CREATED, fuzzy=False,
		msgid_bugs_address="assistant-session@example.com", last_translator="Assistant Session contributors",
	)  # fmt: skip
	known = read(language) if language else None
	for text, context in sorted(messages(), key=lambda one: (one[0], one[1] or "")):
		before = known.get(text, context) if known else None
		made.add(text, string=before.string if before else "", context=context)
	return made


def languages() -> list[str]:
	return sorted(path.stem for path in LOCALE.glob("*.po"))


def read(language: str) -> Catalog:
	with (LOCALE / f"{language}.po").open("rb") as source:
		return read_po(source, locale=language)


def rows(translated: Catalog) -> list[list[str]]:
	"""The lines of a CSV file: text, translation, and the context where there is one."""
	return [
		[one.id, one.string, *([one.context] if one.context else [])]
		for one in translated
		if one.id and one.string
	]


def main() -> None:
	LOCALE.mkdir(exist_ok=True)
	TABLES.mkdir(exist_ok=True)
	_note_what_frappe_translates()
	for name, made in [("main.pot", catalogue()), *((f"{one}.po", catalogue(one)) for one in languages())]:
		with (LOCALE / name).open("wb") as target:
			write_po(target, made, width=0)
	for language in languages():
		with (TABLES / f"{language}.csv").open("w", newline="") as target:
			csv.writer(target, lineterminator="\n").writerows(rows(read(language)))
		missing = [one.id for one in read(language) if one.id and not one.string]
		print(f"{language}: {len(missing)} texts are not translated")


if __name__ == "__main__":
	frappe.init(os.environ["FRAPPE_SITE"], sites_path=os.path.join(os.environ["FRAPPE_BENCH"], "sites"))
	frappe.connect()
	main()
