"""What the people need on the copied site: channels, members with numbers, and limits out of the way."""

import frappe

from assistant_session.demo import directory
from assistant_session.sessions import config
from dev.harness import cast
from dev.harness.connection import connected

from . import bounds
from .people import Credentials
from .theatre import Theatre

MEMBERS = 66
MANY = 1_000_000


def prepare(theatre: Theatre) -> list[Credentials]:
	"""Make what is missing; this process leaves the site again."""
	with connected(theatre.together.sites, theatre.site):
		cast.prepare()
		_set_limits()
		return [_member(f"Member {number}") for number in range(MEMBERS)]


def _set_limits() -> None:
	settings = frappe.get_single(config.DOCTYPE)
	settings.hold_wait, settings.attempts_allowed = bounds.HOLD_WAIT, bounds.ATTEMPTS_ALLOWED
	settings.opens_per_minute = settings.messages_per_minute = MANY
	settings.update(dict.fromkeys(cast.PER_NETWORK, MANY))
	settings.save(ignore_permissions=True)
	frappe.db.commit()


def _member(name: str) -> Credentials:
	made = directory.new_member(name)
	return Credentials(made.number, made.national_number)
