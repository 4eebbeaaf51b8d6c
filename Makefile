# invite_app: 'make run' starts it, 'make test' tests it, 'make check' is what must be clean before a commit.

VENV    := .venv
BIN     := $(VENV)/bin
UV      := $(shell command -v uv 2>/dev/null)
NEWEST  := python3 python3.14 python3.13 python3.12 python3.11
IS_NEW  := -c 'import sys; sys.exit(sys.version_info < (3, 11))'
PYTHON  ?= $(shell for python in $(NEWEST); do $$python $(IS_NEW) 2>/dev/null && echo $$python && break; done)
WORKERS ?= auto
ARGS    ?=

# With uv when there is one, else with pip.
ifneq ($(UV),)
INSTALL = "$(UV)" pip install --quiet --python $(BIN)/python
else
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check
endif

.PHONY: help run demo test check format bench css screenshots audit install install-dev clean

help:
	@echo 'make run          serve http://localhost:5000 (SQLite, local outbox); ARGS="--port 8000"'
	@echo 'make demo         add a demo organization to the database'
	@echo 'make test         run all tests; ARGS="tests/services -k resend" for some'
	@echo 'make check        check format, lint and types'
	@echo 'make format       format the code'
	@echo 'make bench        run the benchmark of requests'
	@echo 'make css          build the style sheet in static/'
	@echo 'make screenshots  take the screenshot in README.md'
	@echo 'make audit        report known vulnerabilities of the installed packages'
	@echo 'make clean        remove everything installed or built, but not the database'

run: install
	$(BIN)/flask run $(ARGS)

demo: install
	$(BIN)/flask demo $(ARGS)

test: install-dev
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

check: install-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: install-dev
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: install-dev
	$(BIN)/python -m tests.benchmarks $(ARGS)

css: install-dev
	$(BIN)/python static/build.py

screenshots: install-dev
	$(BIN)/python -m tests.support.screenshots

audit: install-dev
	$(BIN)/python -m tests.support.audit

install: $(VENV)/.installed
install-dev: $(VENV)/.installed-dev

# The marks are as new as what they were installed from, so a changed version is installed by the next target.
$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	@echo 'Installing what invite_app needs ...'
	@$(INSTALL) -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(BIN)/python
	@echo 'Installing what invite_app and its tests need ...'
	@$(INSTALL) -c constraints.txt -e '.[dev]'
	@touch $@ $(VENV)/.installed

$(BIN)/python:
ifeq ($(UV),)
	@$(if $(PYTHON),,echo 'No Python 3.11 or newer was found: install one, or name one with PYTHON=/path/to/python3' >&2; exit 1)
	@$(PYTHON) $(IS_NEW) || { echo "invite_app needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
else
	"$(UV)" venv --quiet --seed --python '$(or $(PYTHON),>=3.11)' $(VENV)
endif

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .schemathesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
