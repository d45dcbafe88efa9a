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

.PHONY: run manage test test-long lint format bench messages lock clean

run: $(RUN_STAMP)
	@exec $(BIN)/python -m vipcrm.stack run

manage: $(RUN_STAMP)
	@exec $(BIN)/python -m vipcrm.stack manage $(ARGS)

# --- The environment: a stamp a lock, so that a changed lock installs again and nothing else does ---

$(RUN_STAMP):
	@sh scripts/install.sh "$(PYTHON)" $(RUN_LOCKS)
	@rm -f .venv/run-*.stamp && touch $@

$(DEV_STAMP):
	@sh scripts/install.sh "$(PYTHON)" $(DEV_LOCKS)
	@rm -f .venv/*.stamp && touch $@ $(RUN_STAMP)
