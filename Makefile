# Needs Python 3.11 or newer and make; each command does all of its own set-up.
#
#   make demo       install, run the built-in example, say where the report is
#   make test       install with the test tools, run the tests, say what was skipped and why
#   make check      style and types
#   make calibrate  the long simulations: coverage and false positives (ARGS="--only its --draws 200"); writes docs/calibration.md
#   make break      break a copy of the code fifteen ways and name the test that catches each
#   make bench      named problems, timed beside other packages; writes docs/speed.md
#   make peers      install the packages that the two boards compare with
#   make venv       .venv with everything needed to develop
#   make examples   write the examples' data and truth again from their seed

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --constraint constraints.txt
AXE := tests/report/node_modules/axe-core/axe.min.js

.PHONY: demo test check calibrate break bench peers venv examples axe clean

demo: $(VENV)/.installed
	@$(BIN)/ucimpact demo

test: $(VENV)/.installed-dev axe
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -q -m "not slow" --numprocesses auto --maxprocesses 8 --dist loadfile $(ARGS)

check: $(VENV)/.installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy --strict

calibrate: $(VENV)/.installed-dev
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m benchmarks.calibration $(ARGS)

break: $(VENV)/.installed-dev
	$(BIN)/python tests/breaks/run.py $(ARGS)

bench: $(VENV)/.installed-dev
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m benchmarks.speed $(ARGS)

peers: $(VENV)/.installed-dev
	$(INSTALL) --editable ".[dev,bench]"

venv: $(VENV)/.installed-dev

examples: $(VENV)/.installed
	$(BIN)/python tests/simulation/make_examples.py

# The accessibility judge. Without npm, or without its registry, the test that needs it is skipped and says so.
axe:
	@test -f $(AXE) || { command -v npm > /dev/null && \
	  npm install --silent --no-save --no-package-lock --no-audit --no-fund --fetch-retries=1 \
	    --prefix tests/report axe-core@4 > /dev/null 2>&1; } || \
	  echo "axe-core could not be had from npm: the accessibility test will be skipped"

clean:
	rm -rf $(VENV) tests/report/node_modules

# Stamps: an install is repeated only when what to install has changed. Both are editable, so code is never stale.
$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) --editable .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) --editable ".[dev]"
	@touch $@ $(VENV)/.installed

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "ucimpact needs Python 3.11 or newer. Say which to use: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
