# Everything runs in .venv, which is made on the first call and again when it no longer fits.
# Paths are relative to this file's directory, whose own path may then hold blanks.

PYTHON ?= python3
# One more than there are cores: tests also wait, for servers and for pauses that are their point.
WORKERS ?= $(shell n=$$(nproc 2>/dev/null || echo 2); [ "$$n" -lt 8 ] || n=7; echo "$$((n + 1))")
PYTEST_ARGS ?=
BENCH_ARGS ?=

PY := .venv/bin/python
PIP := $(PY) -m pip --quiet
# One process needs no distribution, and a debugger wants the terminal for itself.
DISTRIBUTE := $(if $(filter 0 1,$(WORKERS)),,-n $(WORKERS) --dist worksteal)

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore
export PYTHON

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory
.PHONY: help demo test bi superset lint types layers wheel installed lowest deep systemd soak bench clean stale

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

demo: .venv/.package ## see it work, against a simulated account
	@.venv/bin/syncd demo --dir .demo

test: .venv/.test ## run the whole suite, on SQLite and PostgreSQL
	@$(PY) -m pytest $(DISTRIBUTE) $(PYTEST_ARGS)

bi: .venv/.test .venv/.bi ## other people's clients read a mirror: ODBC, JDBC, pandas, DuckDB, Datasette
	@$(PY) -m pytest tests/bi $(PYTEST_ARGS)

superset: .venv/.test .venv/.superset ## the bundle in docs/bi, in an Apache Superset made from nothing
	@SYNCD_SUPERSET="$$(pwd -P)/.venv/superset/bin" $(PY) -m pytest tests/bi/test_superset_live.py $(PYTEST_ARGS)

deep: .venv/.test ## run it with 2,000 examples for each property, in a drawn order
	@SYNCD_HYPOTHESIS=deep $(PY) -m pytest $(DISTRIBUTE) --shuffle $(PYTEST_ARGS)

lint: .venv/.lint ## ruff: rules and format
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .

types: .venv/.lint ## mypy --strict
	@$(PY) -m mypy

layers: .venv/.lint ## imports go one way
	@.venv/bin/python .venv/bin/lint-imports

wheel: .venv/.build ## build dist/*.whl and the sdist
	@rm -rf dist
	@$(PY) -m build --outdir dist . >.venv/build.log 2>&1 || { cat .venv/build.log; exit 1; }
	@ls dist

installed: wheel ## install the wheel elsewhere and run the demo from it
	@sh tests/support/installed.sh $(PY) dist/*.whl

lowest: .venv/.made ## run the suite with the oldest dependencies that are allowed
	@sh tests/support/lowest.sh $(PY) $(PYTEST_ARGS)

soak: .venv/.test ## two daemons, 20 minutes of everything that can happen to them
	@$(PY) -m tests.soak.soak $(or $(SECONDS),1200) $(SEED)

systemd: .venv/.test ## run the units in a systemd of their own, where this machine can (root)
	@$(PY) -m tests.systemd.try_units

bench: .venv/.test .venv/.bench ## measure against the floor and dlt; writes docs/performance.md
	@$(PY) -m bench $(BENCH_ARGS)

clean: ## remove everything that was made here
	rm -rf .venv .venv-lowest .demo build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache \
		.import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment is stale when its interpreter is gone, when the checkout was moved or copied (it
# would run the code of the old place), when PYTHON names another one, or when an install broke off.
STALE := $(shell [ ! -e .venv ] || { [ ! -e .venv/.busy ] && .venv/bin/python -c "" \
	&& [ "$$(cat .venv/.made)" = "$$(pwd -P) $(PYTHON)" ]; } 2>/dev/null || echo stale)

.venv/.made: $(STALE)
	@sh tests/support/venv.sh .venv
	@echo "$$(pwd -P) $$PYTHON" >$@

.venv/.package: pyproject.toml .venv/.made
	@echo "installing syncd into .venv (the first time takes a minute)"
	@touch .venv/.busy
	@$(PIP) install --editable .
	@rm .venv/.busy
	@touch $@

.venv/.test .venv/.lint .venv/.build .venv/.bi .venv/.bench: .venv/.%: .venv/.package
	@echo "installing the $* tools into .venv"
	@touch .venv/.busy
	@$(PIP) install --group $*
	@rm .venv/.busy
	@touch $@

# An environment of its own inside .venv: Superset wants an old SQLAlchemy. Made anew when an install
# broke off, since the file that says it is there comes last.
.venv/.superset: docs/bi/superset/requirements.txt .venv/.made
	@sh tests/support/venv.sh .venv/superset
	@echo "installing Apache Superset into .venv/superset (a minute or more, 800 MB)"
	@.venv/superset/bin/python -m pip --quiet install --requirement $<
	@touch $@
