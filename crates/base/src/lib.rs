//! What every layer of certvakt shares and none owns: exit statuses, the clock, languages, secrets, private files,
//! name suggestions.
//!
//! A module belongs here if at least two crates use it and it depends on nothing but `certvakt-rules`. The database,
//! the network and the domain (certifications, notices, partners) have crates of their own.

pub mod clock;
mod exit;
pub mod i18n;
pub mod private;
pub mod secret;
pub mod suggest;

pub use exit::Exit;
