.PHONY: test
test:
	command -v /usr/lib/postgresql/*/bin/postgres >/dev/null || { apt-get update -q && apt-get install -yq postgresql; }
	cargo fmt --check
	SQLX_OFFLINE=true scripts/with-postgres cargo test --workspace
