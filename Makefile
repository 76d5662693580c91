# `make` alone lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
STORE ?= models
# Another table: MODEL=name, as in tables/name.toml, and DATA=file with its rows.
MODEL ?= california-housing
DATA ?=
TABLE := --table tables/$(MODEL).toml
ROWS := $(TABLE) $(if $(DATA),--data '$(DATA)')
PUBLISHED := $(STORE)/mlflow/models/$(MODEL)
LATEST := $(PUBLISHED)/latest
BASE ?= python:3.13-slim
IMAGE ?= california-housing-api
# Debian's client has BuildKit; another one that is first on the PATH may not.
DOCKER ?= $(firstword $(wildcard /usr/bin/docker) docker)
INSTALL := set -o pipefail; $(BIN)/pip install --disable-pip-version-check --progress-bar off --require-hashes
# Of pip's hundreds of lines, one for ten packages.
PROGRESS := while read -r step package _; do case $$step in \
	Collecting) n=$$((n + 1)); [ $$((n % 10)) != 0 ] || echo "  $$n packages, now $$package";; \
	Installing) echo "  unpacking $$n packages";; esac; done

.PHONY: help install run train serve mlflow-ui test pytest quick lint types image image-run image-report ecs-local sbom audit fuzz soak \
	bench bench-training bench-bulk lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0] + "; name another with PYTHON=python3.x")'
	@$(PYTHON) -m venv .venv

.venv/run: requirements/training.txt requirements/serving.txt requirements/docs.txt requirements/data.txt | $(BIN)/python
	@echo "Installing what training and serving need (once, a few minutes) ..."
	@$(INSTALL) -r requirements/training.txt -r requirements/serving.txt | $(PROGRESS)
	@$(INSTALL) --no-deps -r requirements/docs.txt -r requirements/data.txt | $(PROGRESS)
	@touch $@

.venv/development: requirements/development.txt requirements/docs.txt requirements/data.txt | $(BIN)/python
	@echo "Installing what the tests need (once, a few minutes) ..."
	@$(INSTALL) -r requirements/development.txt | $(PROGRESS)
	@$(INSTALL) --no-deps -r requirements/docs.txt -r requirements/data.txt | $(PROGRESS)
	@touch $@ .venv/run

install: .venv/run ## make the environment that the commands run in, in .venv

# The sample waits for the process that its shell becomes, and for no other that may answer at the address.
run: .venv/run ## dataset to served predictions: publish the champion, train one if there is none, then serve
	@MODEL_PATH=$(LATEST) $(BIN)/python -m api.portcheck
	@test -e $(LATEST)/manifest.json || $(BIN)/python -m training train $(ROWS) --once --publish $(STORE) || [ $$? = 3 ]
	@$(BIN)/python -m training sample $(ROWS) --process $$$$ --url http://$${HOST:-127.0.0.1}:$${PORT:-8000} & \
	  MODEL_PATH=$${MODEL_PATH:-$(LATEST)} exec $(BIN)/python -m api

train: .venv/run ## search, evaluate, register a new model and publish the champion (two to three minutes)
	@$(BIN)/python -m training train $(ROWS) --publish $(STORE) || [ $$? = 3 ]

serve: .venv/run ## serve the newest local model on 127.0.0.1:8000
	@MODEL_PATH=$${MODEL_PATH:-$(LATEST)} $(BIN)/python -m api

test: lint types pytest ## lint, types and tests

pytest: .venv/development ## the tests alone
	$(BIN)/pytest

quick: .venv/development ## more than half of the tests, in under two minutes
	$(BIN)/pytest -q -m "not slow"

mlflow-ui: .venv/run ## look at the training runs, figures and models on 127.0.0.1:5000
	@$(BIN)/python -m training ui $(TABLE)

lint: .venv/development ## ruff, lint and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/development ## mypy --strict and pyright
	$(BIN)/mypy api training benchmarks tests/api tests/training tests/container tests/ci tests/*.py
	$(BIN)/pyright

image: ## build the container image (BASE=python:3.11-slim for another Python)
	@$(DOCKER) info >/dev/null 2>&1 || { echo "Error: no Docker engine answers; install one and start it" >&2; exit 1; }
	DOCKER_BUILDKIT=1 $(DOCKER) build --build-arg BASE=$(BASE) --build-arg REVISION=$$(git rev-parse HEAD 2>/dev/null || echo unknown) \
	  --build-arg VERSION=$$(git describe --tags --always 2>/dev/null || echo unknown) --tag $(IMAGE) $(DOCKER_BUILD_FLAGS) .

image-run: image ## serve the newest local model from the image on 127.0.0.1:8000, locked down as on Fargate
	@test -e $(LATEST)/manifest.json || { echo "Error: nothing is published in $(STORE): run make train" >&2; exit 1; }
	$(DOCKER) run --rm --init --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges \
	  --publish 127.0.0.1:8000:8000 --volume $(abspath $(PUBLISHED)):/models:ro \
	  --env MODEL_PATH=/models/latest $(DOCKER_RUN_FLAGS) $(IMAGE)

image-report: .venv/development image ## size, largest packages, time to ready and memory of the image
	@$(BIN)/python -m benchmarks.image $(IMAGE) $(BASE) $(abspath $(STORE))

ecs-local: .venv/development image ## run the stack's own task definition in Docker, the model in emulated S3
	@$(BIN)/python -m tests.container.local $(IMAGE) $(STORE)

sbom: .venv/development ## list what the image installs, as CycloneDX (sbom.json)
	@cat requirements/serving.txt requirements/docs.txt | $(BIN)/cyclonedx-py requirements --output-file sbom.json -
	@echo "sbom.json: $$(grep -c '"purl"' sbom.json) packages"

audit: .venv/development ## look the image's packages up in the vulnerability database (ALLOW_SKIP=1: those it knows)
	@found=$$($(BIN)/pip-audit --require-hashes --disable-pip --progress-spinner off \
	  --requirement requirements/serving.txt --requirement requirements/docs.txt 2>&1); code=$$?; \
	  echo "$$found"; \
	  if grep -q ConnectionError <<< "$$found"; then skipped=any; code=0; \
	  else skipped=$$(grep -c "could not be audited" <<< "$$found"); fi; \
	  if [ "$$skipped" != 0 ]; then echo "Skipped: the database did not answer for $$skipped of the packages." >&2; fi; \
	  if [ $$code = 0 ] && [ "$$skipped" != 0 ] && [ "$(ALLOW_SKIP)" != 1 ]; then exit 3; fi; \
	  exit $$code

fuzz: .venv/development ## the property, schema and model tests, searched for long
	HYPOTHESIS_PROFILE=fuzz $(BIN)/pytest --timeout=3600 tests/api/test_properties.py tests/api/test_conformance.py \
	  tests/api/test_ubjson.py tests/api/test_trees.py tests/api/test_hostile_models.py tests/api/test_damaged_models.py

soak: .venv/development ## five minutes of good and bad load; fails if memory or open files grow
	$(BIN)/python -m benchmarks.soak --minutes 5

bench: .venv/development benchmarks/.peers ## measure the service against its peers (ten minutes, a quiet machine)
	$(BIN)/python -m benchmarks.serving
	$(BIN)/python -m benchmarks.wide
	$(BIN)/python -m benchmarks.batch
	$(BIN)/python -m benchmarks.scoring
	$(BIN)/python -m benchmarks.picture

bench-training: .venv/development ## measure the search against the usual tutorial's (five minutes)
	$(BIN)/python -m benchmarks.training

bench-bulk: .venv/development ## train on 5 million made-up rows in parts, here and on a small cluster (ten minutes)
	$(BIN)/python -m benchmarks.bulk

# Each peer in an environment of its own; what does not install is left out of the comparison.
benchmarks/.peers:
	mkdir -p $@
	-$(PYTHON) -m venv $@/mlserver && $@/mlserver/bin/pip install --quiet mlserver mlserver-xgboost
	-$(PYTHON) -m venv $@/bentoml && $@/bentoml/bin/pip install --quiet bentoml xgboost-cpu

lock: .venv/development ## pin requirements/*.txt anew from pyproject.toml
	for list in development serving scoring training cluster infrastructure; do \
	  extras="--extra $$list"; constraint="--constraint requirements/development.txt"; \
	  if [ $$list = development ]; then extras="--all-extras"; constraint=""; fi; \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	    --no-emit-index-url --no-emit-find-links $$extras $$constraint --output-file requirements/$$list.txt pyproject.toml || exit 1; \
	done

clean: ## remove what make made, but not trained or published models
	rm -rf .venv .venv-newest-xgboost .mypy_cache .ruff_cache .pytest_cache .hypothesis
