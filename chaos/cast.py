"""What the people need on the copied site: channels, members with numbers, and limits out of the way."""

import os

import frappe

from assistant_session.demo import cast, register
from assistant_session.sessions import config

from . import bounds
from .people import Credentials
from .theatre import Theatre

MEMBERS = 66
MANY = 1_000_000
PER_NETWORK = (  # all conversations come from one machine
	"messages_per_minute_network", "reads_per_minute", "reads_per_minute_network", "refusals_per_minute_network",
	"megabytes_per_hour_network",
)  # fmt: skip


def prepare(theatre: Theatre) -> list[Credentials]:
	"""Make what is missing; this process leaves the site again."""
	here = os.getcwd()
	os.chdir(theatre.together.sites)
	try:
		frappe.init(theatre.site, sites_path=".")
		frappe.connect()
		cast.prepare()
		_set_limits()
		return [_member(f"Member {number}") for number in range(MEMBERS)]
	finally:
		frappe.destroy()
		os.chdir(here)


def _set_limits() -> None:
	settings = frappe.get_single(config.DOCTYPE)
	settings.hold_wait, settings.attempts_allowed = bounds.HOLD_WAIT, bounds.ATTEMPTS_ALLOWED
	settings.opens_per_minute = settings.messages_per_minute = MANY
	settings.update(dict.fromkeys(PER_NETWORK, MANY))
	settings.save(ignore_permissions=True)
	frappe.db.commit()  # nosemgrep: the run's own set-up


def _member(name: str) -> Credentials:
	made = register.new_member(name)
	return Credentials(made.number, made.national_number)
