//! Code that every layer of certvakt shares: exit statuses, the clock, languages, secrets, private files, name
//! suggestions.
//!
//! A module belongs here if at least two crates use it and its only dependency is `certvakt-rules`. The
//! database, the network and the domain (certifications, notices, partners) have separate crates.

pub mod clock;
mod exit;
pub mod i18n;
pub mod private;
pub mod secret;
pub mod suggest;

pub use exit::Exit;
