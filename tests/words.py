"""Words nobody has said before."""

import secrets
import string


def new_word(length: int = 12) -> str:
	"""Of letters alone: a random number may look like a credential, and is masked then."""
	return "".join(secrets.choice(string.ascii_lowercase) for _letter in range(length))
