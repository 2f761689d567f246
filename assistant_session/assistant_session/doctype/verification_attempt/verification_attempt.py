from ....documents import WrittenOnce


class VerificationAttempt(WrittenOnce):
	"""A counter of verification attempts, under a keyed hash of what it counts. The lockout alone writes it."""
