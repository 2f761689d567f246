"""Frappe's own application with what nginx does for it elsewhere, /assets and /files; run in the sites folder.

A response header says which worker answered (for the transcript).
"""

import os
from pathlib import Path

from frappe.app import application as frappes
from frappe.middlewares import StaticDataMiddleware
from werkzeug.middleware.shared_data import SharedDataMiddleware

# Where the sites themselves are: the stage only links to them, and Frappe 16 serves no file through a link.
SITES = Path("apps.txt").resolve().parent

_with_assets = SharedDataMiddleware(frappes, {"/assets": str(SITES / "assets")})
_with_files = StaticDataMiddleware(_with_assets, {"/files": str(SITES)})


def application(environ, start_response):
	def start(status, headers, *more):
		return start_response(status, [*headers, ("X-Worker", str(os.getpid()))], *more)

	return _with_files(environ, start)
