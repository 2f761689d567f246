"""What demo, tests, chaos and benchmarks share: a site to play on, and who plays there.

	stage        the bench's sites in a folder of their own, and real gunicorn workers that can be killed
	wsgi         the application these workers run: Frappe's own, and what nginx does for it elsewhere
	connection   this process inside a site of the bench, and out of it again
	cast         what the bots need on the site: channels, a register, limits out of the way
	users        users with a role and an API key
	caller       one HTTP caller, who gets whole responses
	client       a person's page on top of it, which writes down what was said
	scene        what a conversation of the demo has at hand
	together     calls of this process at the same moment, each in a thread
	worker       a Python process of its own on the site, which runs functions for a test
	proxy        a way to Redis that can be cut
	trips        how often a piece of code goes to the database and to Redis

The servers themselves are a floor below, in `dev.servers` and `dev.postgres`. Nothing here judges: what is right is said
by those who use it.
"""
