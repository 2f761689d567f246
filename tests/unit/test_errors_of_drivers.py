"""What an error of a database's driver means."""

import frappe
import pymysql
import pytest

from assistant_session import database_errors

LOST = {
	"server gone": (2006, "MySQL server has gone away"),
	"an error of the driver without a number": ("closed",),
}
NOT_LOST = {"no such column": (1054, "Unknown column"), "a deadlock": (1213, "Deadlock found")}


def raised(said: tuple) -> Exception:
	"""As the driver of this Frappe raises it: PyMySQL, or mysqlclient from 16 on."""
	return frappe.local.db.OperationalError(*said)


@pytest.mark.parametrize("what", LOST)
def test_a_connection_is_lost(what):
	assert database_errors.is_connection_lost(raised(LOST[what]))


@pytest.mark.parametrize("what", NOT_LOST)
def test_a_connection_is_there_whatever_else_is_wrong(what):
	assert not database_errors.is_connection_lost(raised(NOT_LOST[what]))


@pytest.mark.parametrize("said", [(2006,), ("closed",)])
def test_what_is_of_no_database_is_no_lost_connection(said):
	assert not database_errors.is_connection_lost(ValueError(*said))


def test_a_connection_that_is_used_after_it_was_closed_is_lost():
	"""The driver's own class is no subclass of those Frappe names."""
	assert database_errors.is_connection_lost(pymysql.InterfaceError(0, ""))


def test_also_where_frappe_has_given_the_connection_up(local):
	local.db = None
	assert database_errors.is_connection_lost(pymysql.InterfaceError(0, ""))
	assert frappe.local.db is None
