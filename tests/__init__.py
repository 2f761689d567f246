"""Tests, in rooms by what they are about; `tests/conftest.py` has the site they share.

	unit            seconds: no database, no Redis, no bench (`make test-unit`)
	sessions        storing, reading, merging, ending, mending; several processes, lost servers
	http            the app's endpoints, and Frappe's own ways to our documents
	authentication  who is asked, who judges, how often, and what is kept of it
	privacy         one person's data: export, erasure, legal hold
	metrics         figures, and how they are read
	desk            pages in a browser, and what staff may change there
	tools           demo, guides, README, and the tools of the tests themselves

Beside them stand the tools: `callers` and `people` (who calls), `checks` and `verifier` (who judges credentials), `bots`
(who answers), `in_workers` (what is done in other processes), `races` (calls at the same moment), `damaged`, `sealed` and `trail` (what is stored), `doors` (Frappe's own
ways), `databases` (MariaDB's words and PostgreSQL's), `browser` (Desk).
"""
