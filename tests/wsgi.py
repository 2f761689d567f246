"""The demo's application, with the tests' chatbot on the channel `Web`."""

from assistant_session.demo import BOTS
from dev.harness.wsgi import application
from tests import bots

BOTS["Web"] = bots

__all__ = ["application"]
