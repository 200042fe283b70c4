# The front door. `make demo` starts the site, `make test` and `make lint` check it.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
VAR := $(or $(REKINDLE_VAR_DIR),var)
# What was done already, so that it is done again only when what it stands on has changed.
DONE := $(VENV)/done
KEPT := $(VAR)/done/$(shell printf '%s' "$$REKINDLE_DATABASE_URL" | cksum | cut -d ' ' -f 1)
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
MANAGE := $(BIN)/python manage.py

# Tests and the demo start hundreds of processes; each would compile all our modules anew.
unexport PYTHONDONTWRITEBYTECODE

MIGRATIONS := $(wildcard */migrations/*.py platform/*/migrations/*.py)
STATIC := $(shell find platform/config/static -type f -not -path '*/dist/*')
CATALOGUES := $(wildcard locale/*/LC_MESSAGES/*.po)

LINTS := lint-code lint-format lint-types lint-templates lint-contracts lint-migrations lint-catalogues
.PHONY: help demo test test-slow test-all lint $(LINTS) messages bench clean
help:
	@echo 'make demo               start the demonstration museum   [PHOTOS=folder] [PORT=8000]'
	@echo 'make test               run the tests                    [ARGS="tests/restoration -k claim"]'
	@echo 'make test-slow          run those that take longer'
	@echo 'make test-all           run both, as CI does'
	@echo 'make lint               run the linters and contracts'
	@echo 'make messages           collect the strings to translate'
	@echo 'make bench              measure the engine            [PHOTOS=folder] [ARGS="--quick --only noise"]'
	@echo 'make clean              remove what was installed and built; var/ stays'

# --- the site ------------------------------------------------------------------------------------
demo: $(DONE)/demo $(DONE)/bundle $(DONE)/messages $(KEPT)/migrate $(KEPT)/static $(KEPT)/seed
ifdef PHOTOS
	@$(MANAGE) seed_demo --photos '$(abspath $(PHOTOS))'
endif
	@REKINDLE_SITE_URL="$${REKINDLE_SITE_URL:-http://localhost:$(PORT)}" exec $(MANAGE) serve --port $(PORT)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo 'Rekindle needs Python 3.11 or newer: make demo PYTHON=python3.12'; exit 1; }
	@echo 'Making a virtual environment in $(VENV)'
	@$(PYTHON) -m venv $(VENV)

$(DONE)/demo: pyproject.toml constraints.txt | $(BIN)/python
	@echo 'Installing the packages; this takes a minute the first time'
	@$(PIP) -c constraints.txt -e '.[demo]'
	@mkdir -p $(@D) && touch $@

$(DONE)/bundle: package-lock.json platform/config/bundle.mjs $(STATIC) | $(DONE)/demo
	@$(MANAGE) bundle
	@mkdir -p $(@D) && touch $@

$(DONE)/messages: $(CATALOGUES) | $(DONE)/demo
	@[ -z '$(CATALOGUES)' ] || $(BIN)/pybabel --quiet compile -D django -d locale
	@mkdir -p $(@D) && touch $@

$(KEPT)/migrate: $(MIGRATIONS) | $(DONE)/demo
	@$(MANAGE) migrate --no-input --verbosity 0
	@mkdir -p $(@D) && touch $@

$(KEPT)/static: $(STATIC) $(DONE)/bundle | $(DONE)/demo
	@$(MANAGE) collectstatic --no-input --verbosity 0
	@mkdir -p $(@D) && touch $@

$(KEPT)/seed: | $(KEPT)/migrate
	@echo 'Making the demonstration museum: real jobs, so it takes a moment'
	@$(MANAGE) seed_demo
	@mkdir -p $(@D) && touch $@

# --- the checks ----------------------------------------------------------------------------------
$(DONE)/dev: pyproject.toml constraints.txt | $(BIN)/python
	@echo 'Installing the packages, those of the tests among them'
	@$(PIP) -c constraints.txt -e '.[demo,gpu,train,likeness,otel,dev]'
	@mkdir -p $(@D) && touch $@ $(DONE)/demo

# In the order of their names: the browser, the sites and the journey set out early, and at the
# end are many short files with which both are busy to the last.
PYTEST := $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder
test: $(DONE)/dev $(DONE)/bundle $(DONE)/messages
	@$(PYTEST) -m 'not slow' $(ARGS)
# The same stories once more on other parts, at other sizes and in other languages.
test-slow: $(DONE)/dev $(DONE)/bundle $(DONE)/messages
	@$(PYTEST) -m slow $(ARGS)
test-all: $(DONE)/dev $(DONE)/bundle $(DONE)/messages
	@$(PYTEST) $(ARGS)

# All of them, even when one has found something.
lint: $(DONE)/dev
	@$(MAKE) --no-print-directory --keep-going $(LINTS)
lint-code:
	$(BIN)/ruff check .
lint-format:
	$(BIN)/ruff format --check .
lint-types:
	$(BIN)/mypy
lint-templates:
	$(BIN)/djlint --quiet --lint templates
lint-contracts:
	$(BIN)/lint-imports
lint-migrations:
	$(MANAGE) makemigrations --check --dry-run
lint-catalogues:
	$(foreach po,$(CATALOGUES),msgfmt --check --output-file=/dev/null $(po) &&) true
	$(foreach po,$(CATALOGUES),! grep -n '^#, fuzzy' $(po) &&) true  # pybabel leaves those out

messages: $(DONE)/dev
	@mkdir -p locale
	$(MANAGE) makemessages --locale zh_Hans --add-location file --no-wrap \
	  --ignore $(VENV) --ignore node_modules --ignore var --ignore tests

bench: $(DONE)/dev
	@$(BIN)/python -m tests.benchmarks.engine $(if $(PHOTOS),'$(abspath $(PHOTOS))') $(ARGS)

clean:
	rm -rf $(VENV) .swift .iiif .tools node_modules platform/config/static/dist
