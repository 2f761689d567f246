"""The guides' code works when pasted, and the tests they name exist."""

import re
import textwrap
import uuid

import pytest

from assistant_session.demo import directory, pension
from tests import checks
from tests.conftest import REPOSITORY

GUIDE = REPOSITORY / "docs" / "verification.md"


def test_the_bot_of_the_verification_guide_verifies_and_answers(site, sessions, opened):
	code = "\n".join(re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL))
	bot = {
		"__name__": "pasted",
		"detect": lambda text: "pension_inquiry" if "pension" in text else None,
		"answer": lambda intent, profile: pension.fund(profile) if intent else "Hello",
	}
	exec(code, bot)
	member = directory.new_member("Hari")
	said = lambda text: bot["incoming"](opened, text, None)  # noqa: E731
	assert said("hi") == ["Hello"]
	assert checks.MEMBER_NUMBER in said("how is my pension?")[0]
	assert said(f"{member.number} {member.national_number}") == [
		"Welcome, Hari!", "Your fund Sunrise stands at 84250.5 euros.",
	]  # fmt: skip


def code_of(page: str, number: int | None = None) -> str:
	"""The Python of a guide: all of it, or one block."""
	blocks = re.findall(r"```python\n(.*?)```", (REPOSITORY / "docs" / page).read_text(), re.DOTALL)
	return "\n".join(blocks) if number is None else blocks[number]


@pytest.fixture
def webhook(site, monkeypatch):
	"""The guide's webhook, called with a body and a signature; what it queues to be sent, once COMMIT is done."""
	import hashlib
	import hmac
	import json

	from werkzeug.test import EnvironBuilder
	from werkzeug.wrappers import Request

	here, secret, sent = {"__name__": "pasted"}, "s3cret", []
	exec(code_of("howto/webhook.md"), here)
	monkeypatch.setitem(site.local.conf, "whatsapp_app_secret", secret)
	monkeypatch.setattr(
		site,
		"enqueue",
		lambda path, **named: site.db.after_commit.add(lambda: sent.append((named["to"], named["text"]))),
	)

	def post(*messages: dict, key: str = secret):
		body = json.dumps({"entry": [{"changes": [{"value": {"messages": messages}}]}]}).encode()
		signature = "sha256=" + hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
		headers = {"X-Hub-Signature-256": signature}
		site.local.request = Request(EnvironBuilder(method="POST", data=body, headers=headers).get_environ())
		return here["incoming"]()

	return post, sent


def test_the_webhook_of_the_guide_takes_each_message_once_and_sends_after_commit(site, sessions, webhook):
	post, sent = webhook
	sender = str(uuid.uuid4().int)[:12]
	hello = {"from": sender, "id": f"a{sender}", "type": "text", "text": {"body": "hello"}}
	voice = {"from": sender, "id": f"b{sender}", "type": "audio", "audio": {"id": "77"}}
	assert post(hello, voice) == "ok" and sent == []
	site.db.commit()
	assert sent == [(sender, "You said: hello"), (sender, "You said: [audio]")]
	post(hello)
	site.db.commit()
	session = sessions.open(channel="WhatsApp", external_id=f"+{sender}")
	stored = sessions.history(session.id)
	assert [turn.content for turn in stored if turn.role == "user"] == ["hello", "[audio]"]
	assert stored[2].metadata == {"kind": "audio", "media_id": "77"}


def test_the_webhook_of_the_guide_takes_nothing_without_the_signature(site, sessions, webhook):
	post, sent = webhook
	before = site.db.count("Conversation Session")
	with pytest.raises(site.PermissionError):
		post({"from": "49", "id": "c", "type": "text", "text": {"body": "hello"}}, key="another")
	site.db.commit()
	assert sent == [] and site.db.count("Conversation Session") == before


def test_the_tests_of_the_testing_guide_pass(site):
	bot = re.search(r"```python\n(.*?)```", (REPOSITORY / "README.md").read_text(), re.DOTALL)[1]
	here = {"__name__": "pasted", "fails": lambda turn: 1 / 0}
	exec(bot + "\n" + code_of("howto/testing.md"), here)
	tests = [value for name, value in here.items() if name.startswith("test_")]
	assert len(tests) == 2
	for test in tests:
		test()


def test_the_bot_with_a_language_model_shows_it_what_was_said(site, sessions, opened):
	asked = []
	here = {
		"__name__": "pasted",
		"complete": lambda messages: asked.append(messages) or f"answer {len(asked)}",
	}
	exec(code_of("howto/memory.md"), here)
	here["SUMMARISED_EVERY"] = 2
	for text in ("first", "second"):
		with sessions.turn(opened, text) as turn:
			here["respond"](turn)
	assert [one["content"] for one in asked[1]] == ["first", "answer 1", "second"]
	assert sessions.get(opened).context["summary"] == "answer 3"


def test_the_bot_of_the_quickstart_counts(site, sessions, opened):
	here: dict = {"__name__": "pasted"}
	text = (REPOSITORY / "docs" / "quickstart.md").read_text()
	exec(
		textwrap.dedent(re.search(r"   ```python\n(.*?)   ```", text, re.DOTALL)[1].replace("   ", "", 1)),
		here,
	)
	for number in (1, 2):
		with sessions.turn(opened, "why?") as turn:
			here["answer"](turn)
		assert turn.replies == [f"Question {number}: why?"]
