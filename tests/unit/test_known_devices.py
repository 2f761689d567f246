"""The cookie of a device that was verified before: believed for half a year, and never from the future."""

from types import SimpleNamespace

import pytest

from assistant_session.authentication import known_devices
from assistant_session.authentication.canonical import Secret
from assistant_session.authentication.checks import Check

CHECK, HARI = Check("Pension", namespace="members"), Secret("PEN0005000168")
NOW = 1_800_000_000.0


@pytest.fixture
def cookies(monkeypatch):
	"""`cookies(age)`: what the browser of a device shows that was verified so many seconds ago."""

	def made(age: int):
		at(NOW - age)
		shown = {known_devices.name(CHECK, HARI): known_devices.value(CHECK, HARI)}
		at(NOW)
		return shown.get

	def at(seconds: float) -> None:
		monkeypatch.setattr(known_devices, "time", SimpleNamespace(time=lambda: seconds))

	return made


@pytest.mark.parametrize("age", [0, 86400, known_devices.SECONDS - 1, -59])
def test_a_device_is_known_for_half_a_year_also_where_clocks_differ_by_a_minute(cookies, age):
	assert known_devices.is_known(CHECK, HARI, cookies(age))


@pytest.mark.parametrize("age", [known_devices.SECONDS, 2 * known_devices.SECONDS, -60, -86400])
def test_an_old_cookie_and_one_from_the_future_are_not_believed(cookies, age):
	assert not known_devices.is_known(CHECK, HARI, cookies(age))


def test_a_device_is_known_to_the_check_and_for_the_person_it_was_verified_by(cookies):
	shown = cookies(0)(known_devices.name(CHECK, HARI))
	anything = lambda _name: shown  # noqa: E731
	assert known_devices.is_known(CHECK, HARI, anything)
	assert not known_devices.is_known(CHECK, Secret("PEN0005000169"), anything)
	assert not known_devices.is_known(Check("Bank", namespace="members"), HARI, anything)
