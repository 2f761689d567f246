from assistant_session.sessions import desk


class VerificationAttempt(desk.WrittenOnce):
	"""A counter of verification attempts, under a keyed hash of what it counts. The lockout alone writes it."""
