# Everything a clone needs: Python 3.11 or newer with its venv module, and make.
#   make run     set up, then open the board on sample incidents
#   make test    set up, then lint, type check and test
# PYTHON=/path/to/python3 chooses the interpreter; the first one that fits is taken otherwise.

.DEFAULT_GOAL := help
.PHONY: help setup run test lint pytest test-kills test-peers test-contracts test-storms test-chaos lock bench clean FORCE
.DELETE_ON_ERROR:
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV

PYTHON ?=
PYTHONS := $(if $(PYTHON),"$(PYTHON)",python3 python3.14 python3.13 python3.12 python3.11)
PY := .venv/bin/python
STAMP := .venv/.set-up
UV ?= uv
PYTEST_WORKERS ?= $(shell echo $$((2 * $$(getconf _NPROCESSORS_ONLN))))

# A virtual environment that was copied or moved names its old place in every script: make it again.
ifneq ($(shell cat $(STAMP) 2>/dev/null),$(CURDIR))
$(STAMP): FORCE
endif

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' Makefile | expand -t 20

setup: $(STAMP) ## make .venv with everything in it

$(STAMP): requirements.lock pyproject.toml
	@set -e; found=; seen=; \
	for each in $(PYTHONS); do \
	  command -v "$$each" >/dev/null 2>&1 || continue; \
	  version=$$("$$each" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null) || continue; \
	  seen="$$seen $$each is $$version."; \
	  "$$each" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || continue; \
	  if "$$each" -c 'import ensurepip, venv' 2>/dev/null; then found=$$each; break; fi; \
	  seen="$$seen Its venv module is missing (Debian and Ubuntu: apt install python3-venv)."; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "Muster needs Python 3.11 or newer with its venv module.$${seen:- No python3 was found on PATH.}" >&2; \
	  echo "Install one, or name one: make setup PYTHON=/path/to/python3" >&2; \
	  exit 1; \
	fi; \
	if [ -d .venv ] && ! { grep -qsF "$(CURDIR)/.venv/bin/" .venv/bin/pip && $(PY) -m pip --version >/dev/null 2>&1; }; then \
	  echo "Making .venv again: it is half made, or was made in another place."; \
	  rm -rf .venv; \
	fi; \
	[ -d .venv ] || { echo "Making .venv with $$found …"; "$$found" -m venv .venv; }
	@echo "Installing what requirements.lock names …"
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@printf '%s\n' "$(CURDIR)" > $@
	@echo "Ready: .venv/bin/muster"

run: setup ## open the board on sample incidents, with the practice supplier answering
	@.venv/bin/muster demo

test: lint pytest ## lint, types, layers, and every test that takes neither root nor long

lint: setup
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	.venv/bin/lint-imports

pytest: lint
	$(PY) -m pytest -n $(PYTEST_WORKERS) --dist worksteal -m "not peers and not chaos and not kills and not contracts"

test-kills: setup ## real processes killed, disks filled, databases taken away, several users and writers
	$(PY) -m pytest -n $(PYTEST_WORKERS) --dist worksteal -m "kills and not peers and not chaos"

test-peers: setup ## tests against real ticketing systems (needs root and apt)
	@.ci/peers

test-contracts: setup ## our connectors against the vendors' own API descriptions (needs Node.js, or gets it)
	@.ci/contracts

test-storms: setup ## 500 engagements on each real system while everything breaks (hours)
	@.ci/peers -m "peers and chaos" -s

test-chaos: setup ## the long kill runs
	$(PY) -m pytest -m "chaos and not peers"

bench: setup ## every benchmark, each beside its reference
	@$(PY) -m benchmarks

lock: ## write requirements.lock anew (needs uv)
	@command -v $(UV) >/dev/null || { echo "make lock needs uv: pip install uv, or UV=/path/to/uv" >&2; exit 1; }
	$(UV) pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate -o requirements.lock

clean: ## remove .venv and every cache
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
