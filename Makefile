# Everything a person or a build does with this checkout. `make` alone lists it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CORES := $(shell nproc 2>/dev/null || echo 2)
PYTEST_PROCESSES ?= $(CORES)
PYTEST_ARGS ?=
BENCH_ARGS ?=
CRASH_RESULTS ?= instance/crash.jsonl
UV := $(shell command -v uv 2>/dev/null)

# Both ways install exactly the pinned wheels, checked by their hashes.
ifdef UV
INSTALL := $(UV) pip install --quiet --python $(BIN)/python
MAKE_VENV := $(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)
else
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
MAKE_VENV := $(PYTHON) -m venv $(VENV)
endif

.DEFAULT_GOAL := help
.PHONY: help install install-dev demo demo-check run browser test crash lint bench pictures assets messages requirements test-js clean

help: ## this list
	@echo "Hubline: what make can do"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(VENV)/.installed ## .venv with all that the product needs, and .venv/bin/hub

install-dev: $(VENV)/.installed-dev ## the same and what tests and checks need

demo: install ## web, worker and simulated services on http://127.0.0.1:8000, no account needed anywhere
	@$(BIN)/hub demo

demo-check: install ## the demo without a person: start, send, look at what arrived, stop
	@$(BIN)/hub demo --check

run: install ## the product itself: migrate, then web and worker (settings: docs/operations.md)
	@$(BIN)/hub serve

browser: install-dev ## Chromium for the tests, from the system's packages where we may install them
	@{ command -v chromium || command -v chromium-browser; } >/dev/null && $(BIN)/playwright --version >/dev/null 2>&1 || { \
	  as_root=; [ "$$(id -u)" = 0 ] || as_root="sudo -n"; \
	  { $$as_root true 2>/dev/null && command -v apt-get >/dev/null && echo "Installing Chromium…" \
	    && $$as_root apt-get update -qq && $$as_root env DEBIAN_FRONTEND=noninteractive \
	       apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core libatomic1 >/dev/null; } \
	  || echo "No Chromium, and no right to install it: tests in a browser are skipped." >&2; }

test: browser ## all tests, on SQLite and on PostgreSQL
	@$(BIN)/python -m pytest -n $(PYTEST_PROCESSES) --dist loadgroup -rs $(PYTEST_ARGS)

crash: install-dev ## kill processes under load for some twenty minutes: 20,000 events, 100 kills, both databases and rules
	@for database in sqlite postgresql; do for rule in resend hold; do \
	  $(BIN)/python -m tests.reliability.harness --events 20000 --kills 100 --rate 150 --database $$database \
	    --on-unconfirmed $$rule --results $(CRASH_RESULTS) || exit 1; \
	done; done

lint: install-dev ## ruff, mypy and the rules about who may import whom
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: install-dev ## what it does in a second, beside bare programs that do the same (PEERS=1: beside Node-RED, too)
	@$(BIN)/python -m bench $(if $(PEERS),--peers) $(BENCH_ARGS)

pictures: browser ## a picture of every screen, in every state and theme, under instance/pictures
	@$(BIN)/python -m tests.browser.pictures instance/pictures

assets: ## rebuild what browsers get (needs Node.js 20 and npm); the result is committed
	@cd hub/web/editor && npm ci --no-audit --no-fund --loglevel=error && npm run --silent check && npm run --silent build

test-js: ## the editor's own tests, in Node
	@cd hub/web/editor && npm ci --no-audit --no-fund --loglevel=error && npm run --silent check && npm test --silent

messages: install ## build the catalogue of translations; names the texts without Russian
	@$(BIN)/python -m hub.web.translations

requirements: install-dev ## write requirements*.txt anew after a change of uv.lock
	@$(BIN)/uv --version >/dev/null 2>&1 || $(INSTALL) uv
	@$(BIN)/uv export --quiet --locked --no-dev --group build --no-emit-project --no-header -o requirements.txt
	@$(BIN)/uv export --quiet --locked --group dev --group build --no-emit-project --no-header -o requirements-dev.txt

clean: ## remove .venv and caches; instance/ stays
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed: apt-get install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; $(PYTHON) is older. Name another: make PYTHON=python3.12" >&2; exit 1; }
ifndef UV
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo "$(PYTHON) cannot make virtual environments here. On Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }
endif
	@$(MAKE_VENV)

$(VENV)/.installed: requirements.txt pyproject.toml | $(BIN)/python
	@echo "Installing Hubline into $(VENV) (about half a minute the first time)…"
	@$(INSTALL) --require-hashes --only-binary :all: -r requirements.txt
	@$(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	@echo "Installing what tests and checks need…"
	@$(INSTALL) --require-hashes --only-binary :all: -r requirements-dev.txt
	@touch $@
