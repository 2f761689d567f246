"""Frappe's own application with what nginx does for it elsewhere, /assets and /files; run in the sites folder.

A response header says which worker answered (for the transcript).
"""

import os

from frappe.app import application as frappes
from frappe.middlewares import StaticDataMiddleware
from werkzeug.middleware.shared_data import SharedDataMiddleware

_with_assets = SharedDataMiddleware(frappes, {"/assets": os.path.abspath("assets")})
_with_files = StaticDataMiddleware(_with_assets, {"/files": os.path.abspath(".")})


def application(environ, start_response):
	def start(status, headers, *more):
		return start_response(status, [*headers, ("X-Worker", str(os.getpid()))], *more)

	return _with_files(environ, start)
