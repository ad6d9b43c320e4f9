# Attune's commands. Each sets up what it needs by itself on a Debian machine with Python 3.11+, pip and make.
# `make help` lists them.

SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
export PYTHONDONTWRITEBYTECODE := 1

.PHONY: help setup run demo test test-unit test-postgres test-contract test-story test-faults test-server test-hosts \
        test-browser lint replies weights bench bench-signal \
        honesty faults pictures lock clean

help: ## what each command does
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: .venv/.ready ## make .venv with what running Attune needs
run: setup ## try Attune without any account: phones, a mailbox, web and worker on this machine
	$(BIN)/python -m bot.sandbox.run
demo: setup ## ten weeks of three clients in under a minute, through the real parts; prints the transcript
	$(BIN)/python -m bot.sandbox.demo

test: .venv/.ready-dev lint test-unit test-postgres test-contract test-story test-faults test-server test-hosts test-browser ## install everything and run all checks

test-unit: .venv/.ready-dev ## rules, store, flows, web, commands
	$(BIN)/pytest -q -n 2 tests $(OWN_RUN:%=--ignore tests/%)
OWN_RUN := contract story faults server hosts browser
# What is about one file on this machine, or tries both engines by itself, isn't run again here.
FILES_ONLY := backups copying erasing older_copy operating
# The pages add what no flow's test asks of the store; `reached` fails where a function of it was never tried.
PAGES := test_guard test_routes client/test_one_tap account/test_passwords account/test_account_page manager/test_new_address
test-postgres: .venv/.ready-dev ## every flow and every function of the store once more, on a real PostgreSQL
	ATTUNE_TEST_ENGINE=postgresql $(BIN)/pytest -q -n 2 -p tests.hosts.reached tests/bot/flows \
	  $(PAGES:%=tests/bot/web/%.py) $(FILES_ONLY:%=--ignore tests/bot/flows/test_%.py)
test-contract: .venv/.ready-dev .tools ## Twilio's own description, signatures and segment counts against ours
	$(BIN)/pytest -q tests/contract
test-story: .venv/.ready-dev ## the demo, and kills in the middle of it
	$(BIN)/pytest -q tests/story
test-faults: .venv/.ready-dev .gcc ## a short form of the faults: kills, power cuts, and each guard taken out
	$(BIN)/pytest -q tests/faults
test-server: .venv/.ready-dev .tools ## proxies, slow clients, restarts, backups, the files in deploy/
	$(BIN)/pytest -q -n 2 tests/server
test-hosts: .venv/.ready-dev .tools ## a PostgreSQL server that comes and goes (`make faults` cuts hosts off from it)
	$(BIN)/pytest -q tests/hosts --ignore tests/hosts/test_cut_off.py
test-browser: .venv/.ready-dev .tools ## the pages in a real browser
	$(BIN)/pytest -q -n 2 tests/browser

lint: .venv/.ready-dev ## style, types, and the walls between the packages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

replies: .venv/.ready-dev ## how well replies are read, by family and language
	$(BIN)/python -m tests.score_replies
weights: .venv/.ready-dev ## learn anew from the labelled replies what each word weighs
	$(BIN)/python -m tests.learn_weights
bench: .venv/.ready-dev ## timings: replies a second, planning, sending, reading
	$(BIN)/python -m tests.bench
	$(BIN)/python -m tests.server.drill
bench-signal: .venv/.ready-dev ## how early the signal finds a decline, beside the peers' rules
	$(BIN)/python -m tests.bench_signal
honesty: .venv/.ready-dev ## how often notes are wrong, by simulation (an hour); writes the table the pages show
	$(BIN)/python -m tests.bench_honesty surveys/rapport/figures.toml
faults: .venv/.ready-dev .gcc ## thousands of kills and power cuts, with books of our own as the judges (some hours)
	$(BIN)/python -m tests.faults.run
	$(BIN)/python -m tests.server.restarts --times 100
	$(BIN)/pytest -q tests/hosts/test_cut_off.py
	$(BIN)/python -m tests.hosts.run
pictures: .venv/.ready-dev .tools ## make the README's pictures anew
	$(BIN)/python -m tests.support.pictures

lock: .venv/.ready-dev ## write the lock files from pyproject.toml
	$(BIN)/pip install -q uv
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-header pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --extra dev pyproject.toml -o requirements-dev.lock

clean: ## remove what the commands made
	rm -rf .venv var tests/contract/node_modules

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Attune needs Python 3.11 or newer; set PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv .venv 2>/dev/null || { rm -rf .venv; \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null && $(PYTHON) -m venv .venv; \
	  else echo "Python can't make a virtual environment: install the package python3-venv"; exit 1; fi; }

.venv/.ready: requirements.lock pyproject.toml | .venv/bin/python
	@echo "Setting up (once, about half a minute) ..."
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e .
	@touch $@

.venv/.ready-dev: requirements-dev.lock pyproject.toml | .venv/bin/python
	@echo "Setting up for the tests (once, about a minute) ..."
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e .
	@touch .venv/.ready $@

# From Debian: node and npm for the checks against Twilio's own packages, chromium for the pages, the proxies and
# systemd's checker for the files in deploy/, and what makes hosts out of processes.
.PHONY: .tools
.tools:
	@missing=""; \
	command -v node >/dev/null || missing="$$missing nodejs"; \
	command -v npm >/dev/null || missing="$$missing npm"; \
	command -v chromium >/dev/null || missing="$$missing chromium"; \
	command -v nginx >/dev/null || missing="$$missing nginx-light"; \
	command -v caddy >/dev/null || missing="$$missing caddy"; \
	command -v systemd-analyze >/dev/null || missing="$$missing systemd"; \
	command -v ip >/dev/null || missing="$$missing iproute2"; \
	command -v unshare >/dev/null || missing="$$missing util-linux"; \
	if [ -n "$$missing" ]; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$missing >/dev/null; \
	  else echo "The tests need these Debian packages:$$missing"; exit 1; fi; \
	fi

# A compiler, for the disk that forgets what was not synced (tests/faults/disk.c).
.PHONY: .gcc
.gcc:
	@command -v gcc >/dev/null || \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq gcc libc6-dev >/dev/null; \
	  else echo "The tests need these Debian packages: gcc libc6-dev"; exit 1; fi
