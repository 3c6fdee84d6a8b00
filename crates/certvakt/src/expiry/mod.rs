//! The expiry run: who is due tonight, recorded once; and what can be said before and after.

pub mod explain;
pub mod forecast;
mod heartbeat;
mod lanes;
mod run;
pub mod schedule;

pub use heartbeat::Heartbeat;
pub use run::{Mode, Options, OrganisationRun, RunError, RunState, all, one};
