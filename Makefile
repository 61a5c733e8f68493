# The commands of the project. Each one works on a fresh clone; none needs another one first.
#   make run    the product with demonstration data (PORT=8000)      make test   everything, browser included
#   make lint   what a reviewer should not have to say               make bench  speed (FULL=1: national size)
#   make demo-data   invented people in your own database            make lock   pin the dependencies again

PYTHON ?= python3
PORT ?= 8000
ARGS ?=
BIN := .venv/bin
RUNTIME := $(BIN)/python -m coordination.runtime
# The standard library only: it runs before anything is installed.
BOOTSTRAP := $(PYTHON) coordination/runtime/bootstrap.py

.PHONY: run test lint format bench demo-data conformity lock
.DEFAULT_GOAL := run

run:
	@$(BOOTSTRAP) run
	@PORT=$(PORT) exec $(RUNTIME) run

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

demo-data:
	@$(BOOTSTRAP) run
	@$(BIN)/python manage.py migrate --no-input
	@$(BIN)/python manage.py load_demo $(ARGS)

conformity:
	@$(BOOTSTRAP) dev
	@$(RUNTIME) exec --profile test -- $(BIN)/python -m tests.conformity

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
