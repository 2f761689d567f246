"""Reading JSON that somebody else has written: whatever cannot be read is a ValueError."""

import json
from typing import Any


def loads(text: str | bytes) -> Any:
	"""What the text says. Python gives up on deep nesting with a RecursionError, which hardly anybody expects."""
	try:
		return json.loads(text)
	except RecursionError as error:
		raise ValueError("nested too deep") from error
