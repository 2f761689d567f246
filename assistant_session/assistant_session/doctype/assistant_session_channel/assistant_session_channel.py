from ....documents import PlainText


class AssistantSessionChannel(PlainText):
	"""A channel conversations come in by, and how far its callers are trusted."""
