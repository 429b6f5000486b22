# Every target does all the set-up it needs. Python 3.11 or later and the package registries are
# enough; PYTHON names another interpreter.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed

NPM_FOLDERS := openapi/lint openapi/clients

.PHONY: install sandbox demo test check clients fuzz openapi openapi-landed lint-openapi lint-tools lint-with-npm lock lock-npm bench

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

# Three files at once, for two cores: journeys wait much. Tests that look at the clock closely are
# marked `alone`. Files come in their own order: those with few tests take longest, and must not all
# be left for the end.
test: install
	@$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder $(OPTIONS)

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/onboarding openapi --check
	@$(MAKE) --no-print-directory lint-openapi
	@if test -x $(BIN)/hadolint; then $(BIN)/hadolint Dockerfile; fi
	@if grep -n '://' requirements.lock; then echo 'requirements.lock holds an address.'; exit 1; fi

# What the hot paths cost, in times of a hello-world route; how soon two thousand who wait are told;
# how many delegations that are due are kept in a second. Wants a quiet machine of two cores.
bench: install
	@$(BIN)/python -m tests.bench

openapi: install
	@$(BIN)/onboarding openapi

# Two readers of the document who know nothing of us. CI has Node; a machine without it is told.
lint-openapi:
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory lint-with-npm; \
	elif test -n "$$CI"; then echo 'npm is needed to lint the document.'; exit 1; \
	else echo 'The document was not linted: there is no npm here.'; fi

lint-tools: openapi/lint/node_modules/.package-lock.json

lint-with-npm: lint-tools
	cd openapi/lint && REDOCLY_SUPPRESS_UPDATE_NOTICE=true \
		node_modules/.bin/redocly lint --config redocly.yaml ../openapi.json ../openapi-3.0.json
	cd openapi/lint && node_modules/.bin/spectral lint --quiet --fail-severity hint \
		--ruleset spectral.yaml ../openapi.json ../openapi-3.0.json

# Clients as suppliers make them: generated, compiled, and played out against a sandbox.
clients: install
	@$(MAKE) --no-print-directory openapi/clients/node_modules/.package-lock.json
	@$(BIN)/python -m tests.clients $(OPTIONS)

# Ten thousand requests made from the document, each signed, to a sandbox of its own.
fuzz: install
	@$(BIN)/python -m tests.fuzz

# From now on suppliers have the document of today.
openapi-landed: install
	@$(MAKE) --no-print-directory clients OPTIONS="'breaking changes'"
	cp openapi/openapi.json openapi/landed/openapi.json

%/node_modules/.package-lock.json: %/package-lock.json
	cd $* && npm ci --ignore-scripts --no-audit --no-fund --loglevel error
	@touch $@

# Versions and hashes only: where packages come from is the business of each machine.
lock:
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-annotate --custom-compile-command 'make lock' \
		--group dev pyproject.toml --output-file requirements.lock $(OPTIONS)
	cd openapi/clients && ../../$(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-annotate --custom-compile-command 'make lock' \
		--group ../../pyproject.toml:clients --output-file requirements.lock $(OPTIONS)

# Sponsors' addresses are addresses too.
lock-npm:
	@for folder in $(NPM_FOLDERS); do \
		(cd $$folder && npm install --package-lock-only --ignore-scripts --no-audit --no-fund \
			--omit-lockfile-registry-resolved && node -e "$$WITHOUT_SPONSORS") || exit 1; done

define WITHOUT_SPONSORS
const fs = require('node:fs');
const lock = JSON.parse(fs.readFileSync('package-lock.json'));
for (const entry of Object.values(lock.packages)) delete entry.funding;
fs.writeFileSync('package-lock.json', JSON.stringify(lock, null, 2) + '\n');
endef
export WITHOUT_SPONSORS
