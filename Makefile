# The commands of the project. Each one works on a fresh clone; none needs another one first.
#   make run    the product with demonstration data (PORT=8000)      make test   everything, browser included
#   make lint   what a reviewer should not have to say               make bench  speed (FULL=1: national size)
#   make backup TO=…   the whole database in one file        make restore FROM=…   into an empty one
#   make demo-data   invented people in your own database            make lock   pin the dependencies again
#   make sbom   what the product is made of, and the ASVS for machines (CycloneDX)
#   make asvs   docs/asvs.md from tests/asvs/requirements.csv and the marks of the tests
#   make advisories   what is known against it, before a release (FROM=the repository of the advisories copies them)
#   make chaos  everything that can fall falls (FULL=1: an hour)   make soak   four hours of load (ARGS="--minutes 2")
#   make planted  security faults planted one at a time: does the suite see them? (about half an hour)

PYTHON ?= python3
PORT ?= 8000
ARGS ?=
BIN := .venv/bin
RUNTIME := $(BIN)/python -m coordination.runtime
# The standard library only: it runs before anything is installed.
BOOTSTRAP := $(PYTHON) coordination/runtime/bootstrap.py

.PHONY: asvs backup restore run test lint format bench ease chaos soak planted demo-data conformity rgaa rgesn conformance lock sbom advisories
.DEFAULT_GOAL := run

run:
	@$(BOOTSTRAP) run
	@PORT=$(PORT) exec $(RUNTIME) run

# DATABASE_URL, or the embedded server; see docs/operations-backup.md. With a server of one's own, the environment that is
# there serves: it may be the one that pages are served with, and no package index is needed to save data.
READY = $(if $(and $(DATABASE_URL),$(wildcard $(BIN)/python)),,@$(BOOTSTRAP) run)

backup:
	$(READY)
	@exec $(RUNTIME) backup $(if $(TO),"$(TO)")

restore:
	$(READY)
	@exec $(RUNTIME) restore $(if $(FROM),"$(FROM)")

test:
	@$(BOOTSTRAP) dev
	@$(RUNTIME) test $(ARGS)

lint:
	@$(BOOTSTRAP) dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/djlint templates --check
	$(BIN)/djlint templates --lint
	$(BIN)/mypy
	$(BIN)/python manage.py makemigrations --check --dry-run

format:
	@$(BOOTSTRAP) dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/djlint templates --reformat --quiet

bench:
	@$(BOOTSTRAP) dev
	@FULL=$(FULL) $(BIN)/python -m tests.bench $(ARGS)

ease:
	@$(BOOTSTRAP) dev
	@$(BIN)/python -m tests.ease $(ARGS)

chaos:
	@$(BOOTSTRAP) dev
	@FULL=$(FULL) $(BIN)/python -m tests.chaos $(ARGS)

soak:
	@$(BOOTSTRAP) dev
	@$(BIN)/python -m tests.chaos.soak $(ARGS)

planted:
	@$(BOOTSTRAP) dev
	@$(RUNTIME) exec --profile test -- $(BIN)/python -m tests.planted $(ARGS)

demo-data:
	@$(BOOTSTRAP) run
	@$(BIN)/python manage.py migrate --no-input
	@$(BIN)/python manage.py load_demo $(ARGS)

conformity:
	@$(BOOTSTRAP) dev
	@$(RUNTIME) exec --profile test -- $(BIN)/python -m tests.conformity

rgaa:
	@$(BOOTSTRAP) dev
	@$(BIN)/python -m tests.rgaa.sheet

asvs:
	@$(BOOTSTRAP) dev
	@$(BIN)/python -m tests.asvs.sheet

rgesn:
	@$(BOOTSTRAP) dev
	@$(BIN)/python -m tests.rgesn.sheet

conformance:
	@$(BOOTSTRAP) dev
	@FULL=$(FULL) $(BIN)/python -m tests.conformance $(ARGS)

COMPILE := $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	--no-annotate --custom-compile-command "make lock"

lock:
	@$(BOOTSTRAP) dev
	$(COMPILE) --output-file requirements.lock
	$(COMPILE) --group dev --constraints requirements.lock --output-file requirements-dev.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-deps \
		--custom-compile-command "make lock" --group local --output-file requirements-local.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-deps \
		--custom-compile-command "make lock" --group installer --output-file requirements-installer.lock

# Written whole or not at all: a half list would look like a short one.
sbom:
	@$(BOOTSTRAP) dev
	$(BIN)/python deploy/sbom.py > sbom.cdx.json.part && mv sbom.cdx.json.part sbom.cdx.json
	$(BIN)/python -m tests.asvs.attestation > asvs.cdx.json.part && mv asvs.cdx.json.part asvs.cdx.json
	@echo "sbom.cdx.json, asvs.cdx.json"

# The names that are looked up are those of the lock files: after `make lock`, copy again.
advisories:
	@$(BOOTSTRAP) dev
	@$(if $(FROM),$(BIN)/python deploy/advisories.py take "$(FROM)")
	@$(BIN)/python deploy/advisories.py check
