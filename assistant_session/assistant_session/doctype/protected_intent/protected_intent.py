from ....documents import PlainText


class ProtectedIntent(PlainText):
	"""An intent that only a person who passed an Identity Check is served for."""
