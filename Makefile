PYTHON ?= python3
TESTS ?= tests
CHECKS = python -m ruff check . && python -m ruff format --check . && python -m mypy
# As Frappe's container images run workers: threads that share a process.
ON_THREADS = WORKERS=gthread python -m pytest -q tests/sessions/test_coherence.py tests/sessions/test_transactions.py tests/sessions/test_leases.py tests/metrics tests/tools/test_conversations.py
# Where there is such a site: on somebody's own bench there may be none.
ON_POSTGRES = if [ -n \"\$$FRAPPE_POSTGRES_SITE\" ]; then FRAPPE_SITE=\$$FRAPPE_POSTGRES_SITE python -m pytest -c tests/postgres.ini --rootdir=.; fi

.PHONY: demo test test-unit bench scale chaos mutants translations screenshots lint clean

demo:  ## play the lost conversations through killed workers (SERVE=1 leaves the site running)
	@$(PYTHON) -m dev run $(if $(SERVE),--desk) python -m dev.demo $(if $(SERVE),--serve)

test:  ## lint and types, the whole suite on a real Frappe, its core on PostgreSQL; FRAPPE_BENCH and FRAPPE_SITE choose another bench
	@$(PYTHON) -m dev run --desk --postgres sh -c "$(CHECKS) && python -m pytest $(TESTS) $(if $(filter tests,$(TESTS)),&& $(ON_THREADS) && $(ON_POSTGRES))"

test-unit:  ## what needs no database, no Redis and no bench: seconds
	@$(PYTHON) -m dev env python -m pytest -q tests/unit

bench:  ## the figures in the README
	@$(PYTHON) -m dev run sh -c "python -m benchmarks && python -m benchmarks.backlog"

scale:  ## turns of several processes, and with ten million turns in the table (a quarter of an hour, 6 GB of disk)
	@$(PYTHON) -m dev run sh -c "python -m benchmarks.workers && python -m benchmarks.volume"

chaos:  ## conversations while servers are killed, and a checker; SECONDS=180 and SEED=… choose the run
	@$(PYTHON) -m chaos.place
	@$(PYTHON) -m dev run env SECONDS=$(SECONDS) MINUTES=$(MINUTES) SEED=$(SEED) python -m chaos

mutants:  ## break the code in 200 small ways, one at a time, and see whether tests notice (an hour; goes on where it stopped)
	@$(PYTHON) -m dev run sh -c '"$$(python -m mutants.place)" -m mutants'

translations:  ## the texts people read, into assistant_session/locale and translations
	@$(PYTHON) -m dev run sh -c "cd \$$FRAPPE_BENCH/sites && PYTHONPATH=$(CURDIR) python -m dev.translations"

screenshots:  ## the pictures in docs/pictures
	@$(PYTHON) -m dev run --desk python -m dev.screenshots

lint:  ## style and types
	@$(PYTHON) -m dev run sh -c "$(CHECKS)"

clean:  ## remove the pocket bench
	rm -rf .bench
