"""One person's data over HTTP: who is meant, and what an administrator gets."""

from collections.abc import Callable
from typing import Any

from frappe import _

from ..privacy import erasing
from ..privacy.person import Person, count_turns, export, held_rows, note_export
from ..sessions.errors import InvalidSessionData

MOST_TURNS = 20_000  # in one answer
SINGLE, PAIRS = ("user", "device", "session"), ("party", "address", "identity")


def named(given: dict[str, Any] | None) -> Person:
	"""The person an endpoint is asked about; raises InvalidSessionData unless it is one, named in one way."""
	given = given or {}
	if unknown := set(given) - set(SINGLE) - set(PAIRS):
		ways = ", ".join((*SINGLE, *PAIRS))
		raise InvalidSessionData(
			_("person: exactly one of {0} is needed ({1} others given).").format(ways, len(unknown))
		)
	for way in PAIRS:
		if way in given and not (isinstance(given[way], list) and len(given[way]) == 2):
			raise InvalidSessionData(_("{0}: a list of two texts is needed.").format(way))
	if any(isinstance(given.get(way), list) for way in SINGLE):
		raise InvalidSessionData(_("{0}: a text is needed.").format(", ".join(SINGLE)))
	return Person.of(**given)


def counted(person: Person) -> dict[str, int]:
	"""How many conversations and messages are held about the person, and how many are under legal hold."""
	rows = list(held_rows(person))
	turns = sum(row.turn_count - row.purged_turns for row in rows)
	return {"sessions": len(rows), "turns": turns, "held": sum(bool(row.legal_hold) for row in rows)}


def exported(person: Person) -> dict[str, Any]:
	"""All sessions of the person, each whole."""
	if count_turns(person) > MOST_TURNS:
		text = _("This person has more than {0} turns. Use: bench --site … assistant-session export")
		raise InvalidSessionData(text.format(MOST_TURNS))
	note_export(person, how="HTTP")
	return {"sessions": list(export(person))}


def erased(person: Person) -> Callable[[], dict[str, Any]]:
	"""The receipt, to be asked for after COMMIT, which signs it."""
	return erasing.erase(person).as_dict
