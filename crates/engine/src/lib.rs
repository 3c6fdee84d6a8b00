//! The work of certvakt: expiry runs, deliveries, renewals, imports, mail, people's rights, the access log, and the
//! configuration of all of it.
//!
//! A module here reads and writes through `certvakt-store`, decides by `certvakt-rules`, and speaks to providers by
//! `outbound`. It knows no command line, no HTTP request and no page. Partner portals have a crate of their own.

pub mod audit;
pub mod config;
pub mod delivery;
pub mod expiry;
pub mod import;
pub mod mail;
pub mod mail_queue;
pub mod outbound;
pub mod people;
pub mod renewal;
pub mod shutdown;
pub mod signatures;
