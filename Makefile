# `make conformance` and `make test` need Python 3.11 or newer with venv, and a package index; all else is installed
# into .venv here. A second run finds everything in place.

PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11 python; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$name" && break; done)
BIN := .venv/bin
# The tests start hundreds of interpreters: without bytecode, each compiles the kit anew in 0.3 s.
unexport PYTHONDONTWRITEBYTECODE
# Tests that need no second: all but those that stop clocks, start processes or install things.
QUICK := httplib_impl certs mockserver/tests/test_script.py mockserver/tests/test_request.py mockserver/tests/test_transforms.py \
	$(addprefix conformance/tests/test_,layering.py corpus.py loader.py grids.py sweeps.py octets.py judge.py reports.py)
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check
# What CI runs with and what is recorded is locked, so that no verdict drifts with an index.
LOCK := $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate \
	--custom-compile-command "make lock"
define locked
	@$(PIP) --require-hashes --requirement requirements/$(1).txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@
endef

.PHONY: conformance record recorded lock man surface zipapp test lint check format bench fuzz strength covering differential browser docs site export freeze openapi screenshots clean check-all

conformance: .venv/installed  ## the verdicts on httplib_impl
	@$(BIN)/httplib-kit check

test: .venv/installed  ## the whole test suite
	@$(BIN)/python -m pytest -q -n 4

record: .venv/installed-records  ## new golden records of every installed implementation, and the shipped baselines
	@$(BIN)/httplib-kit record --all
	@$(BIN)/python -m conformance.results.golden.baselines

recorded: .venv/installed-records  ## every implementation that is installed, compared with its golden records
	@$(BIN)/httplib-kit record --all --check

lint: .venv/installed-lint  ## format, lint, types, workflows
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/zizmor --offline --quiet --no-progress .
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-actions action.yml
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	@$(BIN)/pre-commit validate-manifest .pre-commit-hooks.yaml
	@$(BIN)/pre-commit validate-config .pre-commit-config.yaml
	@if [ -x $(BIN)/hadolint ]; then $(BIN)/hadolint Dockerfile; fi

check: lint  ## format, lint, types, layering, corpus lint, unit tests: less than a minute
	@$(BIN)/python -m pytest -q -n 2 -m "not slow" $(QUICK)

check-all: .venv/installed-lint  ## the whole suite on every Python that is here, and with the oldest and newest dependencies
	@$(BIN)/nox

lock: .venv/bin/uv  ## the newest versions of all that is locked, in requirements/
	@$(LOCK) --output-file requirements/kit.txt pyproject.toml
	@$(LOCK) --extra records --output-file requirements/records.txt pyproject.toml
	@$(LOCK) --extra test --output-file requirements/test.txt pyproject.toml
	@for extra in lint browser docs; do \
		$(LOCK) --extra test --extra $$extra --output-file requirements/$$extra.txt pyproject.toml || exit 1; done

format: .venv/installed-lint
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: .venv/installed-bench  ## ratios, each measured in one run; a table and a plot in benchmarks/results
	@$(BIN)/python -m benchmarks.reference
	@$(BIN)/python -m benchmarks.scaling
	@$(BIN)/python -m benchmarks.check_overhead
	@$(BIN)/python -m benchmarks.mock_server
	@$(BIN)/python -m benchmarks.worker
	@$(BIN)/python -m benchmarks.first_use

fuzz: .venv/installed-fuzz  ## a million exchanges with random bytes
	@$(BIN)/python -m httplib_impl.tests.fuzz --runs 1000000

strength: .venv/installed-strength  ## how many generated wrong clients the corpus finds; up to an hour
	@$(BIN)/python -m tools.mutation.strength

covering: .venv/installed  ## which cases find which hand-written wrong client
	@$(BIN)/python -m tools.miniatures.cover $(if $(ANEW),--anew)

differential: .venv/installed  ## many drawn exchanges against a live Python 2.7
	@HTTPLIB_KIT_EXAMPLES=2000 HTTPLIB_KIT_SEED=$$$$ $(BIN)/python -m pytest -q tools/tests/test_differential.py

browser: .venv/installed-browser  ## the atlas in the system's Chromium
	@$(BIN)/python -m pytest -q -n 2 conformance/tests/test_browser.py

docs: .venv/installed-docs  ## the documentation as a site, in site/; a warning is an error
	@$(BIN)/python -m sphinx -q -W --keep-going -c tools/site docs site

site: docs  ## the documentation and the atlas, in site/
	@$(BIN)/httplib-kit atlas site/atlas

freeze: .venv/installed  ## the set of this release: which cases count, and which revisions of them
	@$(BIN)/python -m tools.freeze

export: .venv/installed  ## the corpus as JSON, and as a package of npm with its tarball, in build/corpus
	@$(BIN)/python -m tools.corpus_package build/corpus

man: .venv/installed  ## the man pages, in man/; a wheel has them too
	@$(BIN)/python -m tools.man man

zipapp: .venv/installed  ## the kit and all that it needs as one file for any Python from 3.11 on, in dist/
	@$(BIN)/python -m tools.onefile dist

surface: .venv/installed  ## a record of what others may depend on, in tools/surface.json
	@$(BIN)/python -m tools.surface

openapi: .venv/installed-api  ## the plays of serve, held against their description by schemathesis
	@$(BIN)/python -m pytest -q conformance/tests/test_plays.py -k described

screenshots: .venv/installed-browser  ## a picture of each kind of page, in screenshots/
	@$(BIN)/python -m tools.screenshots screenshots

clean:
	rm -rf site man dist .venv .nox .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/installed: pyproject.toml requirements/test.txt
	@test -n "$(PYTHON)" || { echo "httplib-kit needs Python 3.11 or newer; say which: make PYTHON=..." >&2; exit 1; }
	@"$(PYTHON)" -m venv .venv
	$(call locked,test)

.venv/installed-lint: .venv/installed requirements/lint.txt
	$(call locked,lint)

.venv/installed-records: .venv/installed requirements/records.txt
	$(call locked,records)

.venv/bin/uv: .venv/installed
	@$(PIP) uv

.venv/installed-bench: .venv/installed
	@$(PIP) --editable '.[test,bench]'
	@touch $@

.venv/installed-browser: .venv/installed requirements/browser.txt
	$(call locked,browser)

.venv/installed-docs: .venv/installed requirements/docs.txt
	$(call locked,docs)

.venv/installed-api: .venv/installed
	@$(PIP) --editable '.[test,api]'
	@touch $@

# Where there is no build of atheris, inputs are made at random.
.venv/installed-fuzz: .venv/installed
	@$(PIP) --editable '.[test,fuzz]' || echo "no atheris here: the fuzzer goes without coverage"
	@touch $@

.venv/installed-strength: .venv/installed
	@$(PIP) --editable '.[test,strength]'
	@touch $@
