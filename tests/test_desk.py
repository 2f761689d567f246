"""x"""
import time
from tests.callers import AGENT

def test_a(desk, opened):
	for user in ("Administrator", AGENT):
		tab = desk(user)
		for route in (("conversation-session",), ("conversation-session", opened), ("conversation-session","view","report"), ("assistant-session",)):
			t=time.time()
			tab.open(*route)
			print(user, route, round(time.time()-t,2), tab.errors, tab.dialogs, tab.page.url)
			tab.errors.clear()
			tab.screenshot("-".join((user.split(".")[-1],)+route[:1]+route[-1:]))
