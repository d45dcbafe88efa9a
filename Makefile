# One command each; everything a command needs it installs itself, from the package index pip is set up for.
#   make run                  the whole stack: database, Redis, web, worker, beat, mail catcher
#   make manage ARGS="…"      a management command against the same stack
#   make test, make test-long, make lint, make bench, make messages

PYTHON ?= python3
BIN := .venv/bin
RUN_LOCKS := requirements/app.txt requirements/local.txt
DEV_LOCKS := $(RUN_LOCKS) requirements/dev.txt
RUN_STAMP := .venv/run-$(firstword $(shell cat $(RUN_LOCKS) | cksum)).stamp
DEV_STAMP := .venv/dev-$(firstword $(shell cat $(DEV_LOCKS) | cksum)).stamp

.PHONY: run manage test test-long lint format bench messages openapi lock

run: $(RUN_STAMP)
	@exec $(BIN)/python -m vipcrm.stack run

manage: $(RUN_STAMP)
	@exec $(BIN)/python -m vipcrm.stack manage $(ARGS)

# --- Checks: ARGS goes to pytest, as in make test ARGS="tests/staff -k mask" ---

# Two runs: the browser's driver keeps an event loop in its process, which Django's other tests may not have.
# Exit code 5 says that a run had no test to do, as with ARGS=tests/staff.
test: $(DEV_STAMP)
	@$(BIN)/python -m pytest -n 2 -m "not long and not browser" $(ARGS) || [ $$? -eq 5 ]
	@CHROMIUM=$$(sh scripts/chromium.sh) && export CHROMIUM && \
	$(BIN)/python -m pytest -m "browser and not long" $(ARGS) || [ $$? -eq 5 ]

test-long: $(DEV_STAMP)
	@CHROMIUM=$$(sh scripts/chromium.sh) && export CHROMIUM && \
	exec $(BIN)/python -m pytest -m long $(ARGS)

lint: $(DEV_STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo
	DEMO=1 $(BIN)/mypy
	$(BIN)/djlint templates --lint --quiet
	DEMO=1 $(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	$(BIN)/python scripts/check_tracked.py

format: $(DEV_STAMP)
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

bench: $(DEV_STAMP)
	@exec $(BIN)/python -m bench $(ARGS)

messages: $(DEV_STAMP)
	@exec $(BIN)/python -m vipcrm.stack manage messages $(ARGS)

openapi: $(DEV_STAMP)
	@exec $(BIN)/python -m vipcrm.stack manage spectacular --urlconf vipcrm.urls --format openapi-json --file docs/api/openapi.json

# --- The locks: every version with its hashes, no address; needs uv ---

COMPILE = uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	--no-emit-index-url --quiet $(ARGS)
lock:
	$(COMPILE) pyproject.toml -o requirements/app.txt
	$(COMPILE) -c requirements/app.txt --group local -o requirements/local.txt
	$(COMPILE) -c requirements/app.txt --group dev -o requirements/dev.txt

# --- The environment: a stamp a lock, so that a changed lock installs again and nothing else does ---

$(RUN_STAMP):
	@sh scripts/install.sh "$(PYTHON)" $(RUN_LOCKS)
	@rm -f .venv/run-*.stamp && touch $@

$(DEV_STAMP):
	@sh scripts/install.sh "$(PYTHON)" $(DEV_LOCKS)
	@rm -f .venv/*.stamp && touch $@ $(RUN_STAMP)
