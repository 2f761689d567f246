from ....documents import PlainText


class IdentityCheckCredential(PlainText):
	"""One thing a person is asked for, and how it is recognised."""
