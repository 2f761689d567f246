"""In which buckets an attempt counts: as a stranger's, or apart because something vouches for who is asking.

Strangers can use up the attempts on somebody's credentials; that must not lock that person out. A device that was
verified before, a provider-verified channel, a logged-in party or an unlock by staff moves the attempt from the
strangers' buckets of its credentials to buckets of its own. The session counts as ever, and the network for all but a
known device, which strangers there must not lock out. Each voucher has a limit for itself, whoever it asks about (all
devices of one person have one together); and all vouchers together have one per credential.

A value that many people share (a PIN, a birth date) is no person: as few attempts as lock a number of one's own would
lock strangers to each other. It counts in a bucket that is much larger, where who tries one PIN on everybody is found.
"""

from collections.abc import Mapping
from ipaddress import ip_interface, ip_network

import frappe

from ..sessions import Session, addresses
from ..sessions.verification import Caller
from . import known_devices, lockout
from .canonical import Secret
from .checks import Check
from .lockout import Bucket

WIDE_IPV6 = 48  # bits: what a provider gives one site, of which each household is a /64


def buckets(
	session: Session, check: Check, given: Mapping[str, Secret], caller: Caller | None
) -> list[Bucket]:
	"""Where this attempt counts. Credentials count by value within the check's namespace."""
	own = Bucket.of(lockout.SESSION, session.id)
	identity = given[check.identity_credential]
	if caller and known_devices.is_known(check, identity, caller.cookie):
		devices = Bucket.of(lockout.KNOWN, "devices", check.namespace, check.name, identity.reveal())
		others = {key: secret for key, secret in given.items() if key != check.identity_credential}
		return [own, devices, *vouched(check, others)]
	found = [own, *_networks(caller)]
	if voucher := _voucher(session):
		return [*found, Bucket.of(lockout.KNOWN, *voucher), *vouched(check, given)]
	return [*found, *strangers(check, given)]


def strangers(check: Check, given: Mapping[str, Secret]) -> list[Bucket]:
	"""The buckets of these credentials for somebody nobody vouches for."""
	return _each(check, given, lockout.STRANGER, lockout.SHARED)


def vouched(check: Check, given: Mapping[str, Secret]) -> list[Bucket]:
	"""Their buckets for all somebody vouches for."""
	return _each(check, given, lockout.VOUCHED, lockout.SHARED_VOUCHED)


def _each(check: Check, given: Mapping[str, Secret], own: str, shared: str) -> list[Bucket]:
	"""A bucket for each credential: of the kind `own` if its value belongs to one person, else of the kind `shared`."""
	kinds = {key: own if check.credential(key).identifying else shared for key in given}
	return [Bucket.of(kinds[key], check.namespace, key, secret.reveal()) for key, secret in given.items()]


def _networks(caller: Caller | None) -> list[Bucket]:
	"""Of an IPv6 network also the wider one: who has a /48 has 65,536 of those."""
	if not (caller and caller.network):
		return []
	found = [Bucket.of(lockout.NETWORK, caller.network)]
	if ":" in caller.network:
		wide = ip_network(f"{ip_interface(caller.network).ip}/{WIDE_IPV6}", strict=False)
		found.append(Bucket.of(lockout.WIDE_NETWORK, str(wide)))
	return found


def _voucher(session: Session) -> tuple[str, ...] | None:
	"""What vouches for the asker besides a device, by a name of its own; None for a stranger."""
	if session.external_id and addresses.is_vouched_for(session.channel):
		return "sender", session.channel, session.external_id
	if session.party and session.user and session.user == frappe.session.user:
		return "party", session.party_type, session.party
	return ("staff", session.id) if lockout.is_unlocked(session.id) else None
