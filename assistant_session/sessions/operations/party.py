"""Which record of the CRM a conversation belongs to."""

import frappe
from frappe import _

from .. import bounds
from ..coherence import writing
from ..coherence.writing import MUST_HAPPEN, Write
from ..errors import InvalidSessionData
from ..session import Session
from ..tables import listing
from ..tables.audit_chain import Event
from ..tables.row import Row


def link_party(session_id: str, party: tuple[str, str] | None) -> Session:
	"""Say that the conversation is this record's, as (DocType, name); None takes the link away. Also of an ended one.

	Raises InvalidSessionData where there is no such record, and what every write raises.
	"""
	name, (doctype, record) = bounds.session_id(session_id), _checked(party)

	def decide(row: Row) -> Write:
		if (row.party_type, row.party) == (doctype, record):
			return Write(kind=MUST_HAPPEN)
		linked = {"party_type": doctype, "party": record}
		event = Event("party_linked", {"doctype": doctype, "name": record})
		return Write(
			{**linked, **listing.of_row(row._replace(party_type=doctype, party=record))},
			events=[event],
			kind=MUST_HAPPEN,
		)

	return Session(writing.change(name, decide).row, "database")


def _checked(party: tuple[str, str] | None) -> tuple[str | None, str | None]:
	if party is None:
		return None, None
	if not isinstance(party, tuple | list) or len(party) != 2:
		raise InvalidSessionData(_("party: a pair of DocType and name is needed."))
	doctype, record = bounds.link(party[0], "party"), bounds.link(party[1], "party")
	if not (frappe.db.exists("DocType", doctype) and frappe.db.exists(doctype, record)):
		raise InvalidSessionData(_("party: there is no such record."))
	return doctype, record
