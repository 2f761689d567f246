"""Frappe's own functions, closed for our DocTypes: each is replaced where it stands, once per process.

methods         what Frappe and other apps answer over HTTP without asking who may know
links           documents that point at ours
spreadsheets    exports in which a message would be a formula
request_bodies  a body nobody can read is answered by us, and not logged
"""
