from ....sessions.operations import desk_edits


class VerificationAttempt(desk_edits.WrittenOnce):
	"""A counter of verification attempts, under a keyed hash of what it counts. The lockout alone writes it."""
