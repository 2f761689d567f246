"""Credentials read out of free text, brought to one form, masked in what is stored, and never shown."""

import pickle

import pytest

from assistant_session.authentication import credential_reading
from assistant_session.demo import directory

NUMBER, NATIONAL = "PEN0005000168", "228597621"


CREDENTIALS = tuple(credential_reading.Credential(*one) for one in directory.CREDENTIALS)


@pytest.fixture
def credentials():
	return CREDENTIALS


@pytest.fixture
def patterns(configured):
	"""What Settings know of these credentials."""
	found = tuple(sorted(one.pattern for one in CREDENTIALS))
	configured(credential_patterns=found, examples={one.pattern: one.example for one in CREDENTIALS})
	return found


def read(credentials, text: str) -> dict[str, str]:
	return {key: secret.reveal() for key, secret in credential_reading.read(credentials, text).items()}


@pytest.mark.parametrize("number", ["PEN_0005000168", "pen-0005000168", "Pen 0005000168", "PEN0005000168"])
@pytest.mark.parametrize("national", ["228597/62/1", "228597621", "228597-62-1", "228597 62 1"])
@pytest.mark.parametrize("text", ["{0} {1}", "{1} {0}", "it's {0}, and\n{1}.", "({1})/{0}!", "{0};{1}"])
def test_two_numbers_are_found_in_any_order_case_and_format(credentials, number, national, text):
	found = read(credentials, text.format(number, national))
	assert found == {"member_number": NUMBER, "national_number": NATIONAL}


def test_full_width_letters_and_digits_mean_the_same(credentials):
	wide = "".join(chr(ord(c) + 0xFEE0) if c.isalnum() else c for c in "PEN_0005000168 228597/62/1")
	assert read(credentials, wide) == {"member_number": NUMBER, "national_number": NATIONAL}


@pytest.mark.parametrize(
	("text", "found"),
	[
		("PEN_0005000168", {"member_number"}),
		("228597/62/1", {"national_number"}),
		("", set()),
		("hello", set()),
		("PEN000500016", set()),  # a digit is missing
		("XPEN_0005000168", set()),  # inside a longer word
		("PEN_00050001689", set()),
		("2285976210", set()),
		("%", set()),
		('["like", "%"]', set()),
		("٢٢٨٥٩٧٦٢١", set()),  # digits of another script are not ASCII digits
		("PEN_٠٠٠٥٠٠٠١٦٨", set()),
	],
)
def test_what_is_not_there_is_not_found(credentials, text, found):
	assert set(read(credentials, text)) == found


def test_one_place_in_the_text_is_one_credential():
	from assistant_session.authentication.credential_reading import Credential

	two = (
		Credential("long", "Long", r"\d{4,9}", "123456789"),
		Credential("short", "Short", r"\d{4}", "1234"),
	)
	assert read(two, "1234") == {"long": "1234"}
	assert read(two, "1234 123456789") == {"long": "123456789", "short": "1234"}


def test_a_very_long_text_is_read_up_to_a_limit(credentials):
	assert read(credentials, "x " * 7_000 + NATIONAL) == {"national_number": NATIONAL}
	assert read(credentials, "x " * 50_000 + NATIONAL) == {}


@pytest.mark.parametrize(
	"value", [None, 5, 5.0, True, [], ["=", "5"], {}, b"5", "", " ", "x" * 141, "naïve", "a\nb", "---"]
)
def test_only_a_text_is_a_credential(value):
	from assistant_session.authentication import canonical
	from assistant_session.sessions import InvalidSessionData

	with pytest.raises(InvalidSessionData) as raised:
		canonical.canonical(value, canonical.ALPHANUMERIC)
	assert not isinstance(value, str) or not value.strip("-\n ") or value not in str(raised.value)


@pytest.mark.parametrize(
	("normalisation", "form"),
	[("As typed", "aB-1/2"), ("Upper case", "AB-1/2"), ("Digits", "12"), ("Letters and digits", "AB12")],
)
def test_each_normalisation_has_its_one_form(normalisation, form):
	from assistant_session.authentication import canonical

	assert canonical.canonical(" aB-1/２ ", normalisation).reveal() == form


def test_a_secret_shows_itself_nowhere():
	from assistant_session.authentication.canonical import Secret

	secret = Secret("4711")
	assert "4711" not in f"{secret} {secret!r} {[secret]}"
	assert secret == Secret("4711") != Secret("4712")
	with pytest.raises(TypeError):
		pickle.dumps(secret)


@pytest.mark.parametrize(
	("pattern", "example", "why"),
	[
		("(", "1", "not a regular expression"),
		(r"\d{4}", "12345", "does not fit its own example"),
		(r"\d{4}", "abcd", "does not fit its own example"),
		(r"(\w+\s?)*X", "a a a a X", "takes too long"),
		(r"(a|aa)+$", "aaaa", "takes too long"),
		(r"\d*", "123", "fits an empty text"),
		(r"\d{4}", "", "1 to 140"),
		(r".+", "ÄÖÜ", "without accents"),
	],
)
def test_a_pattern_that_does_not_work_is_refused_when_it_is_saved(pattern, example, why):
	from assistant_session.sessions import InvalidSessionData

	with pytest.raises(InvalidSessionData, match=why):
		credential_reading.check_pattern(credential_reading.Credential("key", "Number", pattern, example))


def test_a_pattern_that_takes_too_long_all_the_same_finds_nothing_and_masks_everything():
	from assistant_session.sessions.secrets import masking

	slow = credential_reading.Credential("key", "Number", r"(a|aa)+$", "aaaa")
	text = "a" * 4000 + "!"
	assert credential_reading.read((slow,), text) == {}
	assert masking.masked((slow.pattern,), text) == masking.MASK


@pytest.mark.parametrize(
	("text", "stored"),
	[
		("I am PEN_0005000168, hello", "I am •••, hello"),
		("228597/62/1 and pen-0005000168", "••• and •••"),
		("my phone is 8848850922", "my phone is 8848850922"),
		("ＰＥＮ_０００５０００１６８!", "•••!"),
		("no numbers here", "no numbers here"),
		("PEN_0005000168thanks", "•••thanks"),
		("xPEN_0005000168", "x•••"),
		("PEN_0005\u200b000168, really", "•••, really"),
		("२२८५९७६२१ and ٢٢٨٥٩٧٦٢١", "••• and •••"),
		("2285976210", "2285976210"),  # another, longer number
		("ﬁne 228597621 ½", "ﬁne ••• ½"),
	],
)
def test_what_looks_like_a_credential_is_masked_and_the_rest_is_kept(patterns, text, stored):
	from assistant_session.sessions.secrets import masking

	assert masking.masked(patterns, text) == stored


def test_while_credentials_are_asked_for_every_word_with_a_digit_is_masked():
	from assistant_session.sessions.secrets import masking

	said = "it is PEN_00050001, or\n2285... I think२ " + "a" * 16_000
	assert masking.without_numbers(said) == "it is ••• or\n••• I ••• " + "a" * 16_000


def test_very_many_slow_texts_are_masked_as_a_whole():
	from assistant_session.sessions.secrets import masking

	value = {str(number): "a" * 2000 + "!" for number in range(50)}
	found = masking.masked_json((r"(a|aa)+$",), value)
	assert set(found.values()) == {masking.MASK}


def test_numbers_and_texts_in_json_are_masked_as_well(patterns):
	from assistant_session.sessions.secrets import masking

	value = {"a": ["PEN_0005000168", 228597621, True, None, 7], "228597621": {"b": "x 228597/62/1"}}
	assert masking.masked_json(patterns, value) == {"a": ["•••", "•••", True, None, 7], "•••": {"b": "x •••"}}
