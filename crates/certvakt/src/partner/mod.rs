//! Partners: the portals that publish which mentors one can contact. The database knows who is to be listed and
//! numbers each change; what is sent is always the present state, one request a mentor at a time.

pub mod adapters;
pub mod client;
pub mod contract;
pub mod enrol;
pub mod inbound;
pub mod listing;
pub mod pages;
pub mod poller;
pub mod portal;
pub mod probe;
pub mod reconcile;
pub mod sign_in;
pub mod sync;
pub mod webhook;

use std::time::Duration;

use tokio::sync::watch;

use crate::config::PartnersConfig;
use crate::error::Exit;
use crate::renewal::RenewalError;
use crate::store::StoreError;
use contract::ContractError;

/// Looks every few seconds, as the configuration says, until the process is asked to end; a look that is under way then
/// is left.
async fn repeat(
    config: &PartnersConfig,
    mut ending: watch::Receiver<bool>,
    what: &str,
    mut work: impl AsyncFnMut() -> Result<(), StoreError>,
) {
    if config.contracts.as_os_str().is_empty() {
        return;
    }
    let mut ticks = tokio::time::interval(Duration::from_secs(u64::from(config.poll_seconds)));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let working = async {
        loop {
            ticks.tick().await;
            if let Err(error) = work().await {
                tracing::error!(code = error.code(), "{what}: {error}");
            }
        }
    };
    tokio::select! {
        () = working => {}
        _ = ending.wait_for(|ending| *ending) => {}
    }
}

/// Why a partner is not told, or not asked.
#[derive(Debug, thiserror::Error)]
pub enum PartnerError {
    /// The contract.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// What the contract needs is not configured.
    #[error("certvakt cannot connect to '{partner}' at the stage {stage}: {what}")]
    NotSetUp {
        /// The partner.
        partner: String,
        /// The stage.
        stage: &'static str,
        /// What is missing or wrong.
        what: String,
    },
    /// The partner is switched off.
    #[error("'{0}' is switched off: switch it on with `certvakt partner enable`")]
    Off(String),
    /// The contract says nothing of a listing.
    #[error("the contract with '{0}' describes no listing: add [listing] to it")]
    NoListing(String),
    /// The mentor is not known to the partner.
    #[error("the mentor is not enrolled at the partner: use `certvakt partner enrol`")]
    NotEnrolled,
    /// Nobody was removed by hand.
    #[error("there is nothing to decide: the mentor was not removed manually at the portal")]
    NothingToAnswer,
    /// No such report waits.
    #[error(
        "no report with this event waits: list the waiting reports with `certvakt partner reports --waiting`"
    )]
    NothingToSettle,
    /// Which certification a report is about, it does not say.
    #[error("the report does not say which certification it renews: give it with --certification")]
    Unclear,
    /// The renewal cannot be.
    #[error(transparent)]
    Renewal(#[from] RenewalError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl PartnerError {
    /// The stable code, as listed in `docs/errors.md`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Contract(error) => error.code(),
            Self::NotSetUp { .. } => "partner-not-set-up",
            Self::Off(_) => "partner-off",
            Self::NoListing(_) => "partner-no-listing",
            Self::NotEnrolled => "partner-not-enrolled",
            Self::NothingToAnswer => "partner-nothing-to-answer",
            Self::NothingToSettle => "partner-nothing-to-settle",
            Self::Unclear => "partner-report-unclear",
            Self::Renewal(error) => error.code(),
            Self::Store(error) => error.code(),
        }
    }

    /// How the process ends.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Renewal(error) => error.exit(),
            Self::Store(error) => error.exit(),
            _ => Exit::Usage,
        }
    }
}
