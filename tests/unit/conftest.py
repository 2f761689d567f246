"""A `frappe.local` of their own for tests that need no server: a site's configuration, its language, its flags.

Whoever reaches for the database or for Redis here finds that nobody listens.
"""

import json

import pytest

from dev.harness.connection import connect

SITE = "unit.localhost"
KEYS = {"current": "k1", "k1": "0123456789abcdef" * 4}
NO_REDIS = "redis://127.0.0.1:1"
NO_DATABASE = {
	"db_type": "mariadb",
	"db_host": "127.0.0.1",
	"db_port": 1,
	"db_name": "none",
	"db_password": "none",
}


@pytest.fixture(scope="session")
def sites(tmp_path_factory):
	"""A sites folder with one site, which is a configuration and nothing else."""
	folder = tmp_path_factory.mktemp("bench") / "sites"
	(folder / SITE / "logs").mkdir(parents=True)
	(folder.parent / "logs").mkdir()
	(folder / "apps.txt").write_text("frappe\nassistant_session\n")
	(folder / "common_site_config.json").write_text(json.dumps({"redis_cache": NO_REDIS}))
	own = {"assistant_session_keys": KEYS, "encryption_key": "A" * 43 + "=", **NO_DATABASE}
	(folder / SITE / "site_config.json").write_text(json.dumps(own))
	return folder


@pytest.fixture(autouse=True)
def local(sites, monkeypatch):
	"""Frappe as it is before its first statement; what another test has there comes back afterwards."""
	import frappe

	before = dict(iter(frappe.local))
	frappe.release_local(frappe.local)
	monkeypatch.setattr(frappe, "cache", None)
	monkeypatch.chdir(sites)
	connect(SITE)
	yield frappe.local
	frappe.release_local(frappe.local)
	for name, value in before.items():
		setattr(frappe.local, name, value)


@pytest.fixture(autouse=True)
def configured(local, monkeypatch):
	"""Settings as they are where nobody saved any; `configured(ttl=…)` gives other ones."""
	from assistant_session.sessions import config

	def settings(**values):
		monkeypatch.setitem(config.settings._kept, SITE, (float("inf"), config.Settings(**values)))

	settings()
	return settings


@pytest.fixture
def at(monkeypatch):
	"""`at(moment)`: what the site's clock says."""
	from assistant_session.sessions import config

	return lambda moment: monkeypatch.setattr(config, "now", lambda: moment)
