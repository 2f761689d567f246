"""The README's chatbot works when pasted, and the README stays short."""

import re
import uuid

from tests.conftest import REPOSITORY


def test_the_chatbot_of_the_readme_keeps_an_order(site, sessions):
	code = re.search(r"```python\n(.*?)```", (REPOSITORY / "README.md").read_text(), re.DOTALL)[1]
	bot: dict = {"__name__": "pasted"}
	exec(code, bot)
	sender = f"+49{uuid.uuid4().int % 10**12}"
	say = lambda text, message_id: bot["incoming"](sender=sender, text=text, message_id=message_id)  # noqa: E731
	assert "phone number" in say("11 remote controls", "one")[0]
	site.db.commit()
	answer = say("Hari, 8848850922", "two")
	site.db.commit()
	assert answer == ["Thank you! Ordered: 11 remote controls. We will call Hari, 8848850922."]
	assert say("Hari, 8848850922", "two") == answer
	assert len(sessions.history(sessions.open(channel="WhatsApp", external_id=sender).id)) == 4
