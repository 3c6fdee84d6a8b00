//! The expiry run: who is due tonight, recorded once; and what can be said before and after.

mod heartbeat;
mod run;

pub use heartbeat::Heartbeat;
pub use run::{Options, OrganisationRun, RunError, RunState, all, one};
