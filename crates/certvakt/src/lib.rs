//! certvakt tracks certifications that expire: the nightly run, the delivery of its notices, and the records
//! that prove both. `ARCHITECTURE.md` follows one certification through these modules.

pub mod audit;
pub mod cli;
pub mod clock;
pub mod cluster;
pub mod config;
pub mod delivery;
pub mod demo;
pub mod error;
pub mod expiry;
pub mod http;
pub mod i18n;
pub mod import;
pub mod mail;
pub mod mail_queue;
pub mod output;
pub mod partner;
pub mod people;
mod private;
pub mod renewal;
pub mod secret;
mod signatures;
pub mod store;

#[cfg(test)]
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::disallowed_methods,
    reason = "a module of the integration tests"
)]
#[path = "../tests/it/fuzz.rs"]
mod fuzz;
#[cfg(test)]
#[allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "a module of the integration tests, which use more of it"
)]
#[path = "../tests/it/jwt.rs"]
mod jwt;
