from ....sessions.operations.desk_edits import PlainText


class IdentityCheckCredential(PlainText):
	"""One thing a person is asked for, and how it is recognised."""
