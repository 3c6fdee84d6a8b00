//! The domain logic of certvakt: expiry runs, deliveries, renewals, imports, mail, people's rights, the access log, and
//! the configuration of all of these.
//!
//! Modules read and write data with `certvakt-store`, apply the rules of `certvakt-rules`, and send requests to
//! providers with `outbound`. They do not depend on the command line, HTTP requests or pages. Partner portals are a
//! separate crate.

pub mod attention;
pub mod audit;
pub mod calendar;
pub mod config;
pub mod delivery;
pub mod digest;
pub mod expiry;
pub mod import;
pub mod mail;
pub mod mail_queue;
pub mod outbound;
pub mod people;
pub mod renewal;
pub mod shutdown;
pub mod signatures;
