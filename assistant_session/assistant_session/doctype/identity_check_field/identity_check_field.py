from ....documents import PlainText


class IdentityCheckField(PlainText):
	"""Which field of the verifier a credential is compared with, or a profile value taken from."""
