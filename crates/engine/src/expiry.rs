//! The expiry run, which records each due notice once, with its scheduler, forecast and explanation.

pub mod explain;
pub mod filter;
pub mod forecast;
mod heartbeat;
mod lanes;
pub mod outlook;
mod run;
pub mod schedule;
pub mod standing;
pub mod unsent;

pub use heartbeat::Heartbeat;
pub use run::{Mode, Options, OrganisationRun, RunError, RunState, all, one};
