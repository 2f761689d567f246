"""The anchor: audit trails written down every day where nobody reaches who has the database.

anchoring     one signed document a day
verifying     documents compared with the database
destinations  a file that only grows, or a URL
"""
