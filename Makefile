# Every target does all the set-up it needs. Python 3.11 or later and the package registries are
# enough; PYTHON names another interpreter.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed

.PHONY: install sandbox demo test check openapi lock bench

install: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed; try make PYTHON=python3.11") if sys.version_info < (3, 11) else None'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

sandbox: install
	@$(BIN)/onboarding sandbox $(OPTIONS)

demo: install
	@$(BIN)/onboarding demo $(OPTIONS)

test: install
	@$(BIN)/python -m pytest $(OPTIONS)

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/onboarding openapi --check
	@if test -x $(BIN)/hadolint; then $(BIN)/hadolint Dockerfile; fi
	@if grep -n '://' requirements.lock; then echo 'requirements.lock holds an address.'; exit 1; fi

# What the hot paths cost, in times of a hello-world route; wants a quiet machine.
bench: install
	@$(BIN)/python -m tests.bench

openapi: install
	@$(BIN)/onboarding openapi

# Versions and hashes only: where packages come from is the business of each machine.
lock:
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-annotate --custom-compile-command 'make lock' \
		--group dev pyproject.toml --output-file requirements.lock $(OPTIONS)
