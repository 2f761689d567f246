"""What is handed in: what passes comes back in its one form, the rest is refused by its name and never shown."""

import pytest

from assistant_session.sessions import bounds
from assistant_session.sessions.errors import InvalidSessionData

UUID = "0F8FAD5B-D9CB-469F-A165-70867728950E"
GOOD = [
	(bounds.session_id, "a", "a"), (bounds.session_id, "A.b:c-d_9" * 13, "A.b:c-d_9" * 13),
	(bounds.device_id, UUID, UUID.lower()),
	(lambda value: bounds.label(value, "state"), " Asking ", "Asking"),
	(lambda value: bounds.label(value, "state"), "x" * 140, "x" * 140),
	(lambda value: bounds.key(value, "identity"), "<a> 漢", "<a> 漢"),
	(lambda value: bounds.optional_label(value, "intent"), None, None),
	(lambda value: bounds.link(value, "user"), "a'b", "a'b"),
	(bounds.message, "line\none\ttwo\r", "line\none\ttwo\r"), (bounds.message, "x" * 16000, "x" * 16000),
	(bounds.ttl, 1, 1), (bounds.ttl, 366 * 86400, 366 * 86400),
	(lambda value: bounds.json_object(value, "context"), {"ä": [1, None, True]}, '{"ä":[1,null,true]}'),
]  # fmt: skip
STRANGE = [None, 5, 5.0, True, b"x", ["x"], {}, object()]
BAD = {
	"session_id": (bounds.session_id, [*STRANGE, "", "a" * 121, "a b", "a\n", "ä", "a/b", "a\x00"]),
	"device_id": (bounds.device_id, [*STRANGE, "", "my-phone", UUID + "0", UUID[:-1], UUID.replace("-", ""), UUID + "\n"]),
	"state": (lambda value: bounds.label(value, "state"), [*STRANGE, "", " ", "x" * 141, "a\nb", "a\x85b", "a\u2028b", "<b", "b>", "\ud800"]),
	"link": (lambda value: bounds.link(value, "link"), ['a"b', "<a", None]),
	"message": (bounds.message, [*STRANGE, "", " \n", "x" * 16001, "a\x00", "a\x1b[1m", "a\x7f", "\ud800"]),
	"ttl": (bounds.ttl, [None, "5", 5.0, True, False, 0, -1, 366 * 86400 + 1, 10**30]),
	"context": (
		lambda value: bounds.json_object(value, "context"),
		[None, [], "{}", {1: 2}, {"a": {2: 1}}, {"a": float("nan")}, {"a": float("inf")}, {"a": object()}, {"a": "\ud800"}, {"a": "x" * 262144}],
	),
}  # fmt: skip


@pytest.mark.parametrize(("check", "value", "form"), GOOD)
def test_what_passes_comes_back_in_its_one_form(check, value, form):
	assert check(value) == form


@pytest.mark.parametrize(
	("name", "value"), [(name, value) for name, (_check, bad) in BAD.items() for value in bad]
)
def test_what_does_not_pass_is_named_and_not_shown(name, value):
	check, _bad = BAD[name]
	with pytest.raises(InvalidSessionData) as refused:
		check(value)
	said = str(refused.value)
	assert said.startswith(f"{name}: ") and "Traceback" not in said
	assert not isinstance(value, str) or len(value.strip()) < 3 or value not in said


def nested(levels: int) -> dict:
	value: dict = {}
	for _level in range(levels - 1):
		value = {"a": value}
	return value


def test_json_is_bounded_in_depth():
	assert bounds.json_object(nested(bounds.JSON_DEPTH), "context")
	with pytest.raises(InvalidSessionData, match="20 levels"):
		bounds.json_object(nested(bounds.JSON_DEPTH + 1), "context")


def test_json_that_contains_itself_is_refused():
	endless: dict = {}
	endless["a"] = endless
	with pytest.raises(InvalidSessionData, match="levels"):
		bounds.json_object(endless, "context")


def test_json_is_bounded_in_bytes_not_in_characters(configured):
	configured(json_limit=20)
	assert bounds.json_object({"a": "ä" * 6}, "context")
	with pytest.raises(InvalidSessionData, match="20 bytes"):
		bounds.json_object({"a": "ä" * 7}, "context")


def test_the_limit_of_a_message_is_that_of_settings(configured):
	configured(message_limit=3)
	assert bounds.message("abc") == "abc"
	with pytest.raises(InvalidSessionData, match="at most 3 characters"):
		bounds.message("abcd")
