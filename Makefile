# `make` alone lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
STORE ?= models
LATEST := $(STORE)/mlflow/models/california-housing/latest
BASE ?= python:3.13-slim
IMAGE ?= california-housing-api
# Debian's client has BuildKit; another one that is first on the PATH may not.
DOCKER ?= $(firstword $(wildcard /usr/bin/docker) docker)
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes

.PHONY: help run train serve mlflow-ui test lint types image image-run image-report ecs-local sbom audit fuzz soak \
	bench bench-training lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0] + "; name another with PYTHON=python3.x")'
	@$(PYTHON) -m venv .venv

.venv/run: requirements/training.txt requirements/serving.txt requirements/docs.txt requirements/data.txt | $(BIN)/python
	@echo "Installing what training and serving need (once, a few minutes) ..."
	@$(INSTALL) -r requirements/training.txt -r requirements/serving.txt
	@$(INSTALL) --no-deps -r requirements/docs.txt -r requirements/data.txt
	@touch $@

.venv/development: requirements/development.txt requirements/docs.txt requirements/data.txt | $(BIN)/python
	@echo "Installing what the tests need (once, a few minutes) ..."
	@$(INSTALL) -r requirements/development.txt
	@$(INSTALL) --no-deps -r requirements/docs.txt -r requirements/data.txt
	@touch $@ .venv/run

run: .venv/run ## dataset to served predictions: train if nothing is published, then serve
	@test -e $(LATEST)/manifest.json || $(MAKE) --no-print-directory train
	@$(BIN)/python -m training sample --url http://$${HOST:-127.0.0.1}:$${PORT:-8000} & $(MAKE) --no-print-directory serve

train: .venv/run ## search, evaluate, register and publish a new model (two to three minutes)
	@$(BIN)/python -m training train
	@$(BIN)/python -m training publish --store $(STORE)

serve: .venv/run ## serve the newest local model on 127.0.0.1:8000
	@MODEL_PATH=$${MODEL_PATH:-$(LATEST)} $(BIN)/python -m api

test: lint types ## lint, types and tests
	$(BIN)/pytest

mlflow-ui: .venv/run ## look at the training runs, figures and models on 127.0.0.1:5000
	@$(BIN)/mlflow ui --backend-store-uri $${MLFLOW_TRACKING_URI:-sqlite:///mlflow.db}

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
	  --publish 127.0.0.1:8000:8000 --volume $(abspath $(STORE)/mlflow/models/california-housing):/models:ro \
	  --env MODEL_PATH=/models/latest $(DOCKER_RUN_FLAGS) $(IMAGE)

image-report: .venv/development image ## size, largest packages, time to ready and memory of the image
	@$(BIN)/python -m benchmarks.image $(IMAGE) $(BASE) $(abspath $(STORE))

ecs-local: .venv/development image ## run the stack's own task definition in Docker, the model in emulated S3
	@$(BIN)/python -m tests.container.local $(IMAGE) $(STORE)

sbom: .venv/development ## list what the image installs, as CycloneDX (sbom.json)
	@cat requirements/serving.txt requirements/docs.txt | $(BIN)/cyclonedx-py requirements --output-file sbom.json -
	@echo "sbom.json: $$(grep -c '"purl"' sbom.json) packages"

audit: .venv/development ## look the image's packages up in the vulnerability database
	@found=$$($(BIN)/pip-audit --require-hashes --disable-pip --requirement requirements/serving.txt \
	  --requirement requirements/docs.txt 2>&1); code=$$?; \
	  echo "$$found"; \
	  if grep -q "could not be audited\|ConnectionError" <<< "$$found"; then \
	    echo "Skipped: the vulnerability database does not answer for all packages from this machine."; fi; \
	  if grep -q "ConnectionError" <<< "$$found"; then exit 0; fi; \
	  exit $$code

fuzz: .venv/development ## the property, schema and model tests, searched for long
	HYPOTHESIS_PROFILE=fuzz $(BIN)/pytest --timeout=3600 tests/api/test_properties.py tests/api/test_conformance.py \
	  tests/api/test_ubjson.py tests/api/test_trees.py tests/api/test_hostile_models.py tests/api/test_damaged_models.py

soak: .venv/development ## five minutes of good and bad load; fails if memory or open files grow
	$(BIN)/python -m benchmarks.soak --minutes 5

bench: .venv/development benchmarks/.peers ## measure the service against its peers (ten minutes, a quiet machine)
	$(BIN)/python -m benchmarks.serving
	$(BIN)/python -m benchmarks.batch
	$(BIN)/python -m benchmarks.picture
	$(BIN)/python -m benchmarks.cost

bench-training: .venv/development ## measure the search against the usual tutorial's (five minutes)
	$(BIN)/python -m benchmarks.training

# Each peer in an environment of its own; what does not install is left out of the comparison.
benchmarks/.peers:
	mkdir -p $@
	-$(PYTHON) -m venv $@/mlserver && $@/mlserver/bin/pip install --quiet mlserver mlserver-xgboost
	-$(PYTHON) -m venv $@/bentoml && $@/bentoml/bin/pip install --quiet bentoml xgboost-cpu

lock: .venv/development ## pin requirements/*.txt anew from pyproject.toml
	for list in development serving training cluster infrastructure; do \
	  extras="--extra $$list"; constraint="--constraint requirements/development.txt"; \
	  if [ $$list = development ]; then extras="--all-extras"; constraint=""; fi; \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	    --no-emit-index-url --no-emit-find-links $$extras $$constraint --output-file requirements/$$list.txt pyproject.toml || exit 1; \
	done

clean: ## remove what make made, but not trained or published models
	rm -rf .venv .venv-newest-xgboost .mypy_cache .ruff_cache .pytest_cache .hypothesis
