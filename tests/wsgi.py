"""The demo's application, with the tests' chatbot on the channel `Web`; a worker can be told to read Settings anew."""

import os

from assistant_session.demo import BOTS
from assistant_session.sessions import config
from dev.harness.wsgi import application as demo
from tests import bots
from tests.callers import READ_ANEW

BOTS["Web"] = bots


def application(environ, start_response):
	if environ["PATH_INFO"] != READ_ANEW:
		return demo(environ, start_response)
	config.settings._kept.clear()
	start_response("204 No Content", [("X-Worker", str(os.getpid()))])
	return []
