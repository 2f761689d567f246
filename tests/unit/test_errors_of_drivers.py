"""What an error of a database's driver means."""

import frappe
import pymysql
import pytest

from assistant_session import database_errors

LOST = {
	"used after it was closed": pymysql.InterfaceError(0, ""),  # no subclass of what Frappe names
	"server gone": pymysql.OperationalError(2006, "MySQL server has gone away"),
	"an error of the driver without a number": pymysql.OperationalError("closed"),
}
NOT_LOST = {
	"no such column": pymysql.OperationalError(1054, "Unknown column"),
	"taken": pymysql.IntegrityError(1062, "Duplicate entry"),
	"a deadlock": pymysql.OperationalError(1213, "Deadlock found"),
	"of no database": ValueError(2006),
	"of no database, without a number": ValueError("closed"),
}


@pytest.mark.parametrize("what", LOST)
def test_a_connection_is_lost(what):
	assert database_errors.is_connection_lost(LOST[what])


@pytest.mark.parametrize("what", NOT_LOST)
def test_a_connection_is_there_whatever_else_is_wrong(what):
	assert not database_errors.is_connection_lost(NOT_LOST[what])


def test_also_where_frappe_has_given_the_connection_up(local):
	local.db = None
	assert database_errors.is_connection_lost(pymysql.InterfaceError(0, ""))
	assert frappe.local.db is None
