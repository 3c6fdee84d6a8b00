//! The integration tests: the real binary and the real store on a real PostgreSQL server, with one database
//! per test. Run them with `make test`, or `scripts/with-postgres cargo test`.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod harness;
mod stand_in;

mod api;
mod calendar;
mod canary;
mod channels;
mod configuration;
mod connections;
mod costs;
mod crashes;
mod cycles;
mod delivery;
mod digests;
mod documentation;
mod edges;
mod embedded;
mod expiry;
mod imports;
mod mail;
mod mail_refusals;
mod migrations;
mod names;
mod operators;
mod own_app;
mod pages;
mod partner;
mod register;
mod registers;
mod renewals;
mod reports;
mod restore;
mod rights;
mod service;
mod sign_in;
mod stages;
mod tenants;
mod tokens;
mod type_stages;
