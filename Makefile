# The two main commands are `make demo` and `make test`. Both need Python 3.11 or newer and install everything else.

SYSTEM_PYTHON ?= python3
PYTHON := .venv/bin/python
VALIDATORS := tests/validators/node_modules/.installed
PIP := $(PYTHON) -m pip --disable-pip-version-check -qq

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install demo test coverage check conformance mutants fire hostile follow fuzz contract ledger clocks \
    histories looks bench console soak growth capacity pretix harvest examples screenshots format pins clean packages sbom \
    licences audit deployment docs reference links referral

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: .venv/.runtime ## Install the command .venv/bin/openbooking

demo: .venv/.runtime ## Run a Booking System with sample data on this machine (ARGS="--port 8123" sets the port)
	.venv/bin/openbooking demo $(ARGS)

test: .venv/.dev $(VALIDATORS) ## Run all checks and all tests (ARGS="-k feed" selects tests)
	@scripts/system-packages chromium curl jq nginx postgres
	@$(MAKE) --no-print-directory check
	@# The tests start hundreds of processes, which compile the package each if Python may not write compiled files.
	@$(PYTHON) -m compileall -q src
	$(PYTHON) -m pytest -n 2 --dist worksteal $(ARGS)

coverage: ## Run the checks and tests of `make test`, and list the lines that no test reaches (twice as slow)
	@$(MAKE) --no-print-directory test ARGS="--cov $(ARGS)"

check: .venv/.dev ## Run the linter, the formatter, mypy, the import rules and the spelling check
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo
	.venv/bin/codespell

conformance: .venv/.dev ## Update docs/reference/conformance.md, and write every requirement and its tests to build/
	@$(PYTHON) tests/conformance.py

mutants: .venv/.mutants ## List the changes of single expressions in booking/ that its tests do not notice
	$(PYTHON) scripts/mutants.py

fire: .venv/.dev ## Run the race tests for minutes: killed processes, a killed database, wrong clocks
	@scripts/system-packages postgres
	$(PYTHON) -m pytest tests/races tests/broker/money tests/store/test_stores.py tests/examples/test_own_store.py tests/testing --fire 120 --timeout 900 --log-cli-level INFO $(ARGS)

hostile: .venv/.dev ## Read a faulty feed of 100,000 items while the reader is killed, then import 500 random updates over 1,000 Orders
	@scripts/system-packages postgres
	$(PYTHON) -m pytest tests/harvest/test_hostile_feed.py --hostile 100000 --timeout 1800 --log-cli-level INFO $(ARGS)
	$(PYTHON) -m pytest tests/importing/test_random_updates.py --updates 500 --timeout 1800 --log-cli-level INFO $(ARGS)

follow: .venv/.dev ## Follow two feeds of 200,000 items under faults, stops and a turned clock (up to an hour)
	$(PYTHON) -m pytest tests/importing/following --followed 200000 --timeout 7200 --log-cli-level WARNING $(ARGS)

referral: .venv/.dev ## Check services against the HSDS schemas in SCHEMAS, a copy of schema/compiled of openreferral/specification
	$(PYTHON) -m pytest tests/web/api/test_open_referral.py --open-referral-schemas $(SCHEMAS) $(ARGS)

fuzz: .venv/.dev ## Send 200,000 faulty requests to all endpoints
	@scripts/system-packages postgres
	$(PYTHON) -m pytest tests/fuzz --requests 100000 --timeout 3600 --log-cli-level INFO $(ARGS)

contract: .venv/.dev tests/bruno/node_modules/.installed ## Send 200 valid and 200 invalid requests to each operation of the OpenAPI document, and run Bruno's requests
	$(PYTHON) -m pytest tests/web/openapi --examples 200 --bruno --timeout 3600 $(ARGS)

ledger: .venv/.dev ## Compare the sales of 10,000 random histories with a ledger, to the penny
	@scripts/system-packages postgres
	$(PYTHON) -m pytest tests/web/console/money/test_histories.py --histories 10000 --log-cli-level WARNING $(ARGS)

clocks: .venv/.dev ## Compare the occurrences of 10,000 random rules with PostgreSQL's, most of them across a change of clocks
	@scripts/system-packages postgres
	$(PYTHON) -m pytest tests/timetable/test_random_rules.py --rules 10000 --log-cli-level WARNING $(ARGS)

histories: .venv/.dev ## Try 20 times as many random histories and timetables as `make test`, in the model and in both databases
	@scripts/system-packages postgres
	$(PYTHON) -m pytest tests/booking tests/store tests/timetable -m no_cover --hypothesis-profile long --timeout 3600 $(ARGS)

looks: .venv/.dev $(VALIDATORS) ## Check each page of the console and some of the documentation with axe on a desktop and a telephone, in light and dark
	@scripts/system-packages chromium
	$(PYTHON) -m pytest tests/browser/test_console_looks.py tests/browser/test_docs_site.py tests/browser/test_authorise.py --every-look --timeout 1200 $(ARGS)

bench: .venv/.dev ## Measure bookings, feeds, races, authentication and timetables as ratios, with profiles (12 minutes)
	@scripts/system-packages nginx wrk postgres
	@$(PYTHON) benchmarks/booking.py
	@$(PYTHON) benchmarks/postgres.py
	@$(PYTHON) benchmarks/feeds.py
	@$(PYTHON) benchmarks/races.py
	@$(PYTHON) benchmarks/authentication.py
	@$(PYTHON) benchmarks/timetable.py

console: .venv/.dev ## Measure the pages of the console with 100,000 Orders while 100 bookings a second are made
	@scripts/system-packages postgres
	@$(PYTHON) benchmarks/console.py $(ARGS)

soak: .venv/.dev ## Send 200,000 ordinary requests to a server on each database and watch its memory
	@scripts/system-packages postgres
	@$(PYTHON) benchmarks/soak.py $(ARGS)

growth: .venv/.runtime ## Measure up to a million Opportunities, and a timetable of SLOTS=100000 over 90 days (an hour)
	@scripts/system-packages postgres
	@$(PYTHON) benchmarks/growth.py $(ARGS)
	@$(PYTHON) benchmarks/horizon.py $(ARGS) --slots $(or $(SLOTS),100000)

capacity: .venv/.dev ## Simulate systems that are too large for one machine (2 minutes)
	@$(PYTHON) benchmarks/capacity.py

pretix: .venv/.dev benchmarks/.pretix/.installed ## Compare bookings with orders in pretix, which is installed in a venv of its own (5 minutes)
	@scripts/system-packages wrk postgres
	@$(PYTHON) benchmarks/pretix.py benchmarks/.pretix/bin

harvest: .venv/.dev benchmarks/.openactive/.installed ## Harvest a million items under kills, compare with the package openactive, and search (ARGS="--items 50000")
	@$(PYTHON) benchmarks/harvest.py benchmarks/.openactive/bin/python $(ARGS)

examples: .venv/.dev ## Record the examples of the OpenAPI document again
	@PYTHONPATH=tests $(PYTHON) tests/openapi_examples.py

deployment: .venv/.dev build/checkers/.installed ## Build and run the image, and try all files of deploy/ (5 minutes)
	@scripts/system-packages nginx postgres caddy promtool docker-compose buildah debootstrap
	$(PYTHON) -m pytest tests/deploy --deployment --timeout 900 $(ARGS)

screenshots: .venv/.dev ## Take the pictures of the documentation again
	@scripts/system-packages chromium
	$(PYTHON) tests/screenshots.py

packages: .venv/.dev ## Build sdist and wheel into dist/, twice and compared, then install and run them on each Python (network)
	$(PYTHON) scripts/build_packages.py dist
	$(PYTHON) scripts/try_packages.py dist

sbom: .venv/.dev ## Write the libraries of requirements.txt to dist/openbooking.cdx.json, in the CycloneDX format
	@mkdir -p dist
	.venv/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --of JSON \
	    --output-file dist/openbooking.cdx.json requirements.txt

licences: .venv/.dev ## Write docs/reference/licences.md, and fail for a licence that is not allowed
	$(PYTHON) scripts/licences.py

audit: .venv/.dev ## Compare the pinned libraries with the known vulnerabilities (network)
	.venv/bin/pip-audit --strict --require-hashes --disable-pip -r requirements.txt -r requirements-dev.txt

docs: .venv/.dev ## Build the documentation as a web site that needs no network, in build/site
	@$(PYTHON) scripts/build_docs.py

reference: .venv/.dev ## Write the generated parts of docs/reference again, from the code
	@$(PYTHON) tests/reference.py

links: .venv/.dev ## Check that other hosts answer the links of the documentation (needs a network)
	@$(PYTHON) scripts/check_links.py

format: .venv/.dev ## Reformat the code and apply the safe fixes of the linter
	.venv/bin/ruff check --fix-only
	.venv/bin/ruff format

pins: ## Pin the newest versions in all requirements*.txt, with the hashes of their files
	@scripts/pin-requirements $(SYSTEM_PYTHON)

clean: ## Remove what the other targets made
	rm -rf .venv build mutants benchmarks/.openactive benchmarks/.pretix tests/validators/node_modules tests/bruno/node_modules dist htmlcov .coverage .coverage.* \
	    .hypothesis .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	@SYSTEM_PYTHON=$(SYSTEM_PYTHON) scripts/system-packages venv
	$(SYSTEM_PYTHON) -m venv --clear .venv

.venv/.runtime: requirements.txt requirements-build.txt pyproject.toml | .venv/bin/python
	$(PIP) install --require-hashes -r requirements.txt
	$(PIP) install --require-hashes -r requirements-build.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: requirements-dev.txt .venv/.runtime
	$(PIP) install --require-hashes -r requirements-dev.txt
	@touch $@

.venv/.mutants: requirements-mutants.txt .venv/.dev
	$(PIP) install --require-hashes -r requirements-mutants.txt
	@touch $@

benchmarks/.pretix/.installed: benchmarks/requirements-pretix.txt
	@SYSTEM_PYTHON=$(SYSTEM_PYTHON) scripts/system-packages venv
	$(SYSTEM_PYTHON) -m venv --clear benchmarks/.pretix
	benchmarks/.pretix/bin/python -m pip --disable-pip-version-check -qq install --require-hashes \
	    -r benchmarks/requirements-pretix.txt
	@touch $@

benchmarks/.openactive/.installed: benchmarks/requirements-openactive.txt
	@SYSTEM_PYTHON=$(SYSTEM_PYTHON) scripts/system-packages venv
	$(SYSTEM_PYTHON) -m venv --clear benchmarks/.openactive
	benchmarks/.openactive/bin/python -m pip --disable-pip-version-check -qq install --require-hashes \
	    -r benchmarks/requirements-openactive.txt
	@touch $@

tests/bruno/node_modules/.installed: tests/bruno/package.json tests/bruno/package-lock.json
	@scripts/system-packages node npm
	npm ci --prefix tests/bruno --ignore-scripts --no-audit --no-fund
	@touch $@

build/checkers/.installed: deploy/requirements-checkers.txt
	@SYSTEM_PYTHON=$(SYSTEM_PYTHON) scripts/system-packages venv
	$(SYSTEM_PYTHON) -m venv --clear build/checkers
	build/checkers/bin/python -m pip --disable-pip-version-check -qq install --require-hashes \
	    -r deploy/requirements-checkers.txt
	@touch $@

$(VALIDATORS): tests/validators/package.json tests/validators/package-lock.json
	@scripts/system-packages node npm
	npm ci --prefix tests/validators --ignore-scripts --no-audit --no-fund
	@touch $@
