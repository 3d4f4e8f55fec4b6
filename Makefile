# Tidegate. `make` lists what there is; needs Python 3.11+, make and git.

.DEFAULT_GOAL := help
.PHONY: help setup run demo incident test test-system chaos bench quality check format schemas screenshots dashboards lock relock-kafka clean distclean

# The first of these that is 3.11 or newer; `make PYTHON=… setup` names another.
PYTHONS := python3 python3.13 python3.12 python3.11 python3.14 python
RECENT := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(firstword $(foreach p,$(PYTHONS),$(shell $(p) -c '$(RECENT)' 2>/dev/null && echo $(p))))

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --no-input
STAMP := $(VENV)/ready

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## Install everything into .venv and fetch Kafka (the others do it when needed)

$(STAMP): requirements/dev.txt pyproject.toml deploy/embedded/kafka.lock
	@test -n "$(PYTHON)" || { echo "Tidegate needs Python 3.11 or newer; found none of: $(PYTHONS)" >&2; exit 1; }
	@echo "setting up $(VENV) with $$($(PYTHON) --version); once, some minutes"
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes -r requirements/dev.txt
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@$(PY) -m deploy.embedded.prefetch
	@touch $@

run: $(STAMP) ## Run Tidegate until Ctrl-C (DEMO=0: without traffic; TIDEGATE_KAFKA=host:port: on another cluster)
	@exec $(PY) -m deploy.launcher --with-parent

demo: $(STAMP) ## A day's story in two minutes, each step checked (ALL=1: every indicator trips, acts and clears)
	@exec $(PY) -m deploy.demo $(if $(ALL),--all)

KIND ?= complaints
CHANNEL ?= douyin
incident: $(STAMP) ## Make one while `make run` runs (KIND=complaints CHANNEL=douyin; KIND=? lists them)
	@exec $(PY) -m deploy.launcher.incident --kind $(KIND) --channel $(CHANNEL)

test: $(STAMP) ## Run the tests (ARGS='-k name' for some)
	@exec $(PY) -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(ARGS)

test-system: $(STAMP) ## Try alerts and installing against real programs (fetches them, where it may)
	@$(PY) -m tests.system.packages
	@$(PY) -m tests.system.tools
	@exec $(PY) -m pytest tests/system $(ARGS)

chaos: $(STAMP) ## Kill and freeze everything at random under load, then compare with the oracle (up to 25 minutes)
	@exec $(PY) -m tests.chaos $(ARGS)

bench: $(STAMP) ## Measure; prints a table and writes build/bench.json (up to 25 minutes)
	@exec $(PY) -m tests.bench $(ARGS)

quality: $(STAMP) ## What the indicators find, miss and imagine on labelled traffic (up to 20 minutes)
	@exec $(PY) -m tests.quality $(ARGS)

check: $(STAMP) ## Format, lint, types, import rules, no machine paths, schemas current
	@$(PY) -m ruff format --check --quiet . || { echo "make format would change these files:"; $(PY) -m ruff format --check .; exit 1; }
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(PY) -m pytest --quiet tests/unit/test_architecture.py tests/unit/test_tree.py
	$(PY) -m schemas.export --check
	$(PY) -m deploy.handbook --check
	$(PY) -m deploy.metrics_page --check
	$(PY) -m deploy.figures_page --check
	$(PY) -m deploy.access_page --check
	$(PY) -m deploy.grafana --check
	$(PY) -m deploy.chart --check

format: $(STAMP) ## Put the code into its form
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --fix .

schemas: $(STAMP) ## Write anew what comes from the code: JSON Schemas, pages of docs/, the chart's topics and users
	$(PY) -m schemas.export
	$(PY) -m deploy.handbook
	$(PY) -m deploy.metrics_page
	$(PY) -m deploy.figures_page
	$(PY) -m deploy.access_page
	$(PY) -m deploy.chart

screenshots: $(STAMP) ## Take the pictures of docs/screenshots anew (needs chromium)
	@exec $(PY) -m tests.system.screenshots

dashboards: $(STAMP) ## Write Grafana's dashboards anew from deploy/grafana
	$(PY) -m deploy.grafana

UV_COMPILE := uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate
lock: ## Write requirements/ anew from pyproject.toml (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv, the package installer" >&2; exit 1; }
	$(UV_COMPILE) --extra archive pyproject.toml -o requirements/base.txt
	$(UV_COMPILE) --extra archive --extra google-ads --extra meta-ads -c requirements/base.txt pyproject.toml -o requirements/platforms.txt
	$(UV_COMPILE) --extra dev -c requirements/platforms.txt pyproject.toml -o requirements/dev.txt
	echo hatchling | $(UV_COMPILE) -c requirements/dev.txt - -o requirements/build.txt

relock-kafka: $(STAMP) ## Write the lock of Kafka's jars anew (VERSION=4.3.1)
	$(PY) -m deploy.embedded.relock $(VERSION)

clean: ## Remove what runs left behind: data, logs, tokens, build (the system must be stopped)
	@if test -x $(PY); then $(PY) -m deploy.clean; else rm -rf .tidegate build; fi

distclean: clean ## Remove .venv as well
	rm -rf $(VENV)
