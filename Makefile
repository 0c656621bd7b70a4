# Everything happens in .venv; PYTHON names the interpreter that makes it.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
SECONDS ?= 0
SWITCH ?=
PASSWORD ?=
DEMO_FLAGS ?=
PYTEST_FLAGS ?=
# Tests start hundreds of processes, which are not to compile the library each.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test lint unit live sim wheel clean

$(VENV)/.cli: setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[cli]'
	@touch $@

$(VENV)/.test: setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[test]'
	@touch $@ $(VENV)/.cli

## demo: a call centre on a simulated switch, on this terminal (SECONDS=20 ends it; SWITCH=host:port takes a real one)
demo: $(VENV)/.cli
	@$(BIN)/cti demo --seconds $(SECONDS) $(if $(SWITCH),--switch $(SWITCH)) $(if $(PASSWORD),--password $(PASSWORD)) $(DEMO_FLAGS)

## test: every check; what needs a FreeSWITCH runs where one is found
test: lint unit

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Four at a time, since half of their time they wait; those that need a FreeSWITCH afterwards, since they are about time, and
# each process boots one of its own.
unit: $(VENV)/.test
	PYTEST_WORKERS="-n 4 --dist loadfile" tests/pytest-twice $(BIN)/python --ignore tests/live $(PYTEST_FLAGS)
	PYTEST_WORKERS="-n 3 --dist worksteal" tests/pytest-twice $(BIN)/python tests/live $(PYTEST_FLAGS)

live: $(VENV)/.test
	$(BIN)/python -m pytest tests/live $(PYTEST_FLAGS)

## sim: the long simulations: Erlang's formulas with narrow intervals, and a million calls with faults
sim: $(VENV)/.test
	$(BIN)/python -m pytest -m long tests/simulation $(PYTEST_FLAGS)
	$(BIN)/cti sim --calls 1000000 --faults default

## wheel: build the wheel and run against it what may be broken by packaging, with the source tree out of the way
wheel: $(VENV)/.test
	tests/against-wheel $(BIN)/python

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
