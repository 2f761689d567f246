"""Frappe's own application, with a response header that says which worker answered (for the transcript)."""

import os

from frappe.app import application as frappes


def application(environ, start_response):
	def start(status, headers, *more):
		return start_response(status, [*headers, ("X-Worker", str(os.getpid()))], *more)

	return frappes(environ, start)
