"""A site that comes from before there were keys is given one by the migration that seals."""

import frappe.installer
import pytest

from assistant_session.maintenance import sealing
from assistant_session.sessions.secrets import keys


def test_the_migration_makes_the_key_it_seals_with(local, monkeypatch):
	del local.conf[keys.CONFIG]
	noted, sealed = {}, []
	save = lambda name, value, **_more: noted.update({name: value})  # noqa: E731
	monkeypatch.setattr(frappe.installer, "update_site_config", save)
	monkeypatch.setattr(sealing, "update_site_config", save)
	monkeypatch.setattr(sealing, "_unsealed", lambda *_place: sealed.append(keys.digest(keys.SEAL, "x")))
	assert sealing.seal_what_is_there() == 0
	assert len(sealed) == 2 and set(noted) == {keys.CONFIG, sealing.NOTE}


def test_one_that_has_a_key_keeps_it(local, monkeypatch):
	before = local.conf[keys.CONFIG]
	monkeypatch.setattr(frappe.installer, "update_site_config", pytest.fail)
	monkeypatch.setattr(sealing, "update_site_config", lambda *_arguments, **_more: None)
	monkeypatch.setattr(sealing, "_unsealed", lambda *_place: [])
	sealing.seal_what_is_there()
	assert local.conf[keys.CONFIG] == before
