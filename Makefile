# From a fresh clone, with Python 3.11 or newer: `make run`, `make test`. Every target installs what it needs.
PYTHON ?= python3
DATA_DIR ?= data
PRESET ?=
PORT ?= 4200
SAMPLE_REVIEWS ?= 25000

BIN = .venv/bin
PIP = $(BIN)/pip --disable-pip-version-check --quiet
UV = $(BIN)/uv --quiet pip install --python $(BIN)/python
SAMPLE = $(DATA_DIR)/sample
TRAIN ?=
TEST ?=

# How threads wait for each other, for what loads torch before it could set this; sentiment_pipeline/openmp.py says why.
export OMP_WAIT_POLICY ?= passive
export GOMP_SPINCOUNT ?= 10000

.PHONY: install run test ui bench lint lock
.DELETE_ON_ERROR:

install: .venv/run

# The lock files hold the hash of every package but torch, whose builds differ by platform under one version.
# They are complete; by itself pip fails to resolve `sqlalchemy[asyncio]`, whose pin is not the newest version. uv takes
# half of pip's time; pip is asked where uv fails, because it knows package indexes from settings that uv does not read.
.venv/run .venv/test .venv/bench: .venv/%: requirements/%.lock requirements/constraints.txt pyproject.toml
	test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	$(PIP) install -c requirements/constraints.txt uv
	$(UV) --compile-bytecode --no-deps --require-hashes -r $< || $(PIP) install --no-deps --require-hashes -r $<
	$(PIP) install -c requirements/constraints.txt torch
	$(PIP) install --no-deps --no-build-isolation -e .
	$(BIN)/pip check
	touch $@

# Makes the sample if no files are given; train.ft.txt.bz2 is the last that it publishes.
NEED_SAMPLE = $(if $(TRAIN)$(TEST),true,test -e '$(SAMPLE)/train.ft.txt.bz2' || \
    $(BIN)/sentiment-pipeline sample '$(SAMPLE)' --reviews $(SAMPLE_REVIEWS))

run: install
	$(NEED_SAMPLE)
	$(BIN)/python -m flows.terminal --data-dir '$(DATA_DIR)' $(if $(PRESET),--preset '$(PRESET)') \
	    --train '$(or $(TRAIN),$(SAMPLE)/train.ft.txt.bz2)' --test '$(or $(TEST),$(SAMPLE)/test.ft.txt.bz2)'

test: .venv/test
	$(BIN)/pytest -n 3

lint: .venv/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache

ui: install
	$(NEED_SAMPLE)
	$(BIN)/python -m deployments.ui --port $(PORT)

bench: .venv/bench
	$(BIN)/python -m benchmarks

lock: install
	PATH="$(CURDIR)/$(BIN):$$PATH" sh requirements/lock.sh
