# Two commands do everything on a machine with git, make and Python 3.11: `make run` and `make test`.
PYTHON   ?= python3
ZIO_HOME ?= $(CURDIR)/.zio
UV        = uv==0.13.9
BIN       = .venv/bin
YEAR      = 2025-2026
export ZIO_HOME
# Municipal networks have a certificate authority of their own: trust what the machine trusts.
export UV_SYSTEM_CERTS = true
export DAGSTER_HOME = $(ZIO_HOME)/dagster
export VIRTUAL_ENV = $(CURDIR)/.venv
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: run test ui check lint types unit soak bench lock dictionary clean

run: .venv/run  ## the whole line on a fictitious school year
	@umask 077; mkdir -p $(ZIO_HOME)/inbox
	@$(BIN)/zio demo-data --out $(ZIO_HOME)/inbox --school-year $(YEAR) --pupils 1030 --seed 1
	@$(BIN)/zio run --inbox $(ZIO_HOME)/inbox --school-year $(YEAR) --as-of 2026-07-31 --replay
	@$(BIN)/zio hours --school-year $(YEAR) --as-of 2026-08-31

test: lint types unit  ## what continuous integration runs

ui: .venv/run  ## the Dagster UI on the same home, on the loopback address only
	@umask 077; mkdir -p $(DAGSTER_HOME) $(ZIO_HOME)/inbox; cp deploy/dagster.yaml $(DAGSTER_HOME)/dagster.yaml
	@$(BIN)/dagster instance info
	$(BIN)/dg dev --host 127.0.0.1 --port 3000

check: .venv/run  ## do the definitions load
	$(BIN)/dg check defs

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/dev
	$(BIN)/mypy

unit: .venv/dev
	$(BIN)/python -m pytest -n 2 --dist worksteal -q

soak: .venv/dev  ## long fuzzing, kills and load; not part of `make test`
	ZIO_SOAK=1 $(BIN)/python -m pytest -n 2 --dist worksteal -q -m "soak or not soak"

bench: .venv/dev  ## intake beside the floor and the usual way: half an hour on two cores
	$(BIN)/python -m benchmarks.intake

lock: .venv/uv  ## renew both lock files; no registry host may stand in them
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --upgrade \
	  pyproject.toml --extra postgres -o requirements.lock
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --upgrade \
	  pyproject.toml --extra dev -o requirements-dev.lock

dictionary: .venv/run  ## the data dictionary out of the contracts
	$(BIN)/zio dictionary --out docs/data-dictionary.md

clean:
	rm -rf .venv .zio .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "zio_pipeline needs Python 3.11 or newer: make PYTHON=python3.11")'
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "$(UV)"
	@touch $@

# Byte code is compiled once, here: where Python may not write it, every import would cost four times as much.
.venv/run: .venv/uv requirements.lock pyproject.toml
	@echo "Setting up (once): packages of requirements.lock ..."
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev: .venv/run requirements-dev.lock
	@echo "Setting up (once): packages of requirements-dev.lock ..."
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode -r requirements-dev.lock
	@touch $@
