"""How often a piece of code goes to the database and to Redis: what the network will charge for."""

import frappe
from redis.connection import Connection


class Trips:
	"""Counts while its block runs: `statements` (None where the database does not tell) and `redis` trips."""

	def __init__(self) -> None:
		self.statements: int | None = None
		self.redis = 0

	def __enter__(self) -> "Trips":
		self.before = _questions()
		self.send = Connection.send_packed_command

		def counted(connection, *arguments, **options):
			self.redis += 1
			return self.send(connection, *arguments, **options)

		Connection.send_packed_command = counted
		return self

	def __exit__(self, *_error) -> None:
		Connection.send_packed_command = self.send
		if self.before is not None:
			self.statements = _questions() - self.before - 1  # the question itself


def _questions() -> int | None:
	"""Statements this connection has sent so far (MariaDB)."""
	if frappe.db.db_type != "mariadb":
		return None
	return int(frappe.db.sql("SHOW SESSION STATUS LIKE 'Questions'")[0][1])
