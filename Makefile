# make run: a node with a demo interview.   make test: everything that proves it works.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
PORT ?= 8080
UV_VERSION := 0.13.9
BIN := .venv/bin
export UV_LINK_MODE ?= copy
export VIRTUAL_ENV := $(CURDIR)/.venv

ENGINE_SOURCES := $(shell find sfu/engine loadtest -name '*.rs' -not -path '*/target/*') \
  $(shell find sfu/engine loadtest -name Cargo.toml -not -path '*/target/*') Cargo.toml Cargo.lock
STATIC_SOURCES := $(shell find static -type f -not -path '*/node_modules/*' -not -path '*/dist/*')

.PHONY: help install run test test-deps check format bench clean

help: ## what this file can do
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

install: $(BIN)/.python $(BIN)/.engine static/dist/.built ## everything `run` and `test` begin with

$(BIN)/.python: requirements.lock
	@.ci/toolchain $(PYTHON)
	$(PYTHON) -m venv --clear .venv
	$(BIN)/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(BIN)/uv pip install --quiet --require-hashes -r requirements.lock
	@touch $@

$(BIN)/.engine: $(BIN)/.python pyproject.toml $(ENGINE_SOURCES)
	$(BIN)/maturin develop --release --uv 2>&1 | tail -n 20; test $${PIPESTATUS[0]} -eq 0
	cargo build --release --quiet --package mianshi-peers --package mianshi-impairment
	@touch $@

static/node_modules/.installed: static/package.json static/package-lock.json
	cd static && npm ci --no-fund --no-audit
	@touch $@

static/dist/.built: static/node_modules/.installed $(STATIC_SOURCES)
	cd static && npm run build
	@touch $@

run: install ## a node with a demo interview on 127.0.0.1:8080 (PORT=, TLS=1)
	@exec $(BIN)/mianshi serve --demo $(if $(TLS),--tls)

test: install test-deps ## every test: cargo, pytest, vitest, browser
	cargo test --workspace --quiet
	cd static && npm test
	$(BIN)/pytest

test-deps: ## what tests need from the system
	@bash tests/install-system-packages.sh

check: install ## every linter and type checker
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --quiet -- -D warnings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd static && npm run check

format: ## rewrite the code as the linters want it
	cargo fmt --all
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	cd static && npm run format

bench: install ## the README's figures of a quiet network
	$(BIN)/mianshi bench forward
	$(BIN)/mianshi bench join
	$(BIN)/mianshi bench handoff

clean: ## forget everything that was built
	rm -rf .venv target sfu/_engine*.so static/dist static/node_modules
