//! The integration tests: the real binary and the real store on a real PostgreSQL server, a database
//! a test. Run by `make test`, or `scripts/with-postgres cargo test`.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_macros,
    clippy::disallowed_methods
)]

mod harness;

mod register;
