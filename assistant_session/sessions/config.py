"""Limits and times: one immutable snapshot of Settings per site, at most five seconds old.

Settings come from the DocType Assistant Session Settings; what an operator tunes per site and nobody edits
in Desk comes from site_config.json:

    assistant_session_register_ttl   seconds a register entry lives past its last write (120)
    assistant_session_hold_ttl       seconds a lease outlives its worker (8, and always less than others wait)
    assistant_session_hold_longest   seconds a lease is renewed at the most (600)
    assistant_session_redis_timeout  seconds one Redis command may take (0.5)
    assistant_session_metrics_interval  seconds between two flushes of a process's figures (60)
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import frappe

from .. import second_connection
from ..site_cache import SiteCache
from . import pattern_sizes

DOCTYPE = "Assistant Session Settings"
SHORTEST_LEASE = 0.5  # seconds; also where nobody waits


@dataclass(frozen=True)
class Channel:
	name: str
	guests: bool = False  # a guest may open sessions on it over HTTP
	verified_by_provider: bool = False  # its external ids prove who the sender is


@dataclass(frozen=True)
class Settings:
	"""Times in seconds; the defaults hold where Settings were never saved."""

	session_ttl: int = 86400
	agent_lock_ttl: int = 86400
	authentication_ttl: int = 28800
	authentication_idle: int = 1800
	idle_after: int = 1800
	message_limit: int = 16000
	json_limit: int = 262144
	history_page: int = 200
	hold_wait: int = 10
	attempts_allowed: int = 3
	attempts_allowed_network: int = 30
	attempt_window: int = 86400
	lock_seconds: int = 900
	failures_alarm: int = 100
	opens_per_minute: int = 600
	messages_per_minute: int = 60
	messages_per_minute_network: int = 600
	reads_per_minute: int = 240
	reads_per_minute_network: int = 2400
	refusals_per_minute_network: int = 300
	megabytes_per_hour_network: int = 20
	metadata_limit: int = 4096
	memory_sessions: int = 2000
	memory_megabytes: int = 32
	channels: dict[str, Channel] = field(default_factory=lambda: {"Web": Channel("Web", guests=True)})
	credential_patterns: tuple[str, ...] = ()  # of every Identity Check: masked in what a person typed
	own_patterns: tuple[str, ...] = ()  # of those that belong to one person: masked in what bots keep as well
	examples: dict[str, str] = field(default_factory=dict)  # of the patterns: how each credential is written
	time_zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))


@SiteCache
def settings() -> Settings:
	"""This site's settings; an edit shows in every worker within five seconds."""
	with committed():
		return _read(frappe.db.get_singles_dict(DOCTYPE))


def forget() -> None:
	"""Read the settings anew at the next call (they were saved in this process)."""
	settings.forget()


@contextmanager
def committed() -> Iterator[None]:
	"""Read what is committed now: the snapshot of a job or a console may be hours old, that of a request is young."""
	if getattr(frappe.local, "request", None) is not None:
		yield
		return
	with second_connection.on_second_connection():
		yield


def now() -> datetime:
	"""The time in the site's time zone, without one, as Frappe stores it."""
	return datetime.now(settings().time_zone).replace(tzinfo=None)


def register_ttl() -> float:
	return _site_number("assistant_session_register_ttl", 120)


def lease_seconds() -> float:
	wanted = _site_number("assistant_session_hold_ttl", 8)
	return min(wanted, max(0.8 * settings().hold_wait, SHORTEST_LEASE))


def lease_longest() -> float:
	return _site_number("assistant_session_hold_longest", 600)


def redis_timeout() -> float:
	return _site_number("assistant_session_redis_timeout", 0.5)


def metrics_interval() -> float:
	return _site_number("assistant_session_metrics_interval", 60)


def _site_number(key: str, default: float) -> float:
	value = frappe.local.conf.get(key)
	return default if value is None else max(float(value), 0.001)


def _read(stored: dict) -> Settings:
	numbers: dict[str, Any] = {
		column.name: int(stored[column.name])
		for column in fields(Settings)
		if column.type is int and str(stored.get(column.name) or "").isdigit() and int(stored[column.name])
	}
	if channels := _channels():
		numbers["channels"] = channels
	return Settings(**numbers, **_credential_patterns(), time_zone=_time_zone())


def _credential_patterns() -> dict[str, Any]:
	columns = ("parent", "key", "pattern", "example", "normalisation", "identifying")
	credentials = rows("Identity Check Credential", *columns, parenttype="Identity Check")
	known_by = {
		row.name: row.identity_credential for row in rows("Identity Check", "name", "identity_credential")
	}
	own = {
		row.pattern for row in credentials if row.key == known_by.get(row.parent) or pattern_sizes.is_own(row)
	}
	return {
		"credential_patterns": tuple(sorted({row.pattern for row in credentials})),
		"own_patterns": tuple(sorted(own)),
		"examples": {row.pattern: row.example for row in credentials if row.example},
	}


def rows(doctype: str, *columns: str, **equal: str) -> list:
	"""Rows of a DocType by plain SQL: Frappe's lists and documents write to Redis, which may take nothing."""
	source = frappe.qb.DocType(doctype)
	query = frappe.qb.from_(source).select(*(source[column] for column in columns))
	for column, value in equal.items():
		query = query.where(source[column] == value)
	return query.orderby(source.idx).run(as_dict=True)


def _channels() -> dict[str, Channel]:
	stored = rows("Assistant Session Channel", "channel", "guests", "verified_by_provider", parent=DOCTYPE)
	return {
		row.channel: Channel(row.channel, bool(row.guests), bool(row.verified_by_provider)) for row in stored
	}


def _time_zone() -> ZoneInfo:
	"""System Settings' time zone, or Frappe's default (utils/data.py, get_system_timezone)."""
	return ZoneInfo(frappe.db.get_singles_dict("System Settings").get("time_zone") or "Asia/Kolkata")
