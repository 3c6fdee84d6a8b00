//! Partner portals: contracts, sending changes, reading listings, and renewals from reports.
//!
//! Each adapter implements one protocol, each sign-in method is one file, and a contract is data. The database decides
//! whether a mentor should be listed, and `certvakt-engine` renews certifications. No code is specific to one partner.

pub mod adapters;
pub mod client;
pub mod contract;
pub mod enrol;
pub mod listing;
pub mod outcome;
pub mod pages;
pub mod poller;
pub mod portal;
pub mod probe;
pub mod receiver;
pub mod reconcile;
pub mod report_rules;
pub mod sign_in;
pub mod snapshot;
pub mod sync;

use std::time::Duration;

use certvakt_base::Exit;
use certvakt_engine::config::PartnersConfig;
use certvakt_engine::import::sheet::SheetError;
use certvakt_engine::renewal::RenewalError;
use certvakt_store::StoreError;
use tokio::sync::watch;

use contract::ContractError;

/// Repeats a task at the configured interval until shutdown, which cancels a task in progress.
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

/// An error of a command or a request about a partner.
#[derive(Debug, thiserror::Error)]
pub enum PartnerError {
    /// The contract.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// The configuration lacks a part that the contract needs.
    #[error("certvakt cannot connect to '{partner}' at the environment {environment}: {what}")]
    NotSetUp {
        /// The partner.
        partner: String,
        /// The environment.
        environment: &'static str,
        /// The missing or invalid part.
        what: String,
    },
    /// The partner is switched off.
    #[error("'{0}' is switched off: switch it on with `certvakt partner enable`")]
    Off(String),
    /// The contract does not describe a listing.
    #[error("the contract with '{0}' describes no listing: add [listing] to it")]
    NoListing(String),
    /// The mentor is not enrolled at the partner.
    #[error("the mentor is not enrolled at the partner: use `certvakt partner enrol`")]
    NotEnrolled,
    /// A consent that somebody else records lacks how, when and to which text it was given.
    #[error(
        "a consent that you record for a mentor needs how, when and to which text it was given: add --given-as, --given-on, --text-version and --language"
    )]
    ConsentUnexplained,
    /// The mentor was not removed manually.
    #[error("there is nothing to decide: the mentor was not removed manually at the portal")]
    NotRemovedManually,
    /// No report with this event waits.
    #[error(
        "no report with this event waits: list the waiting reports with `certvakt partner reports --waiting`"
    )]
    ReportNotWaiting,
    /// The report does not say which certification it renews.
    #[error("the report does not say which certification it renews: give it with --certification")]
    Unclear,
    /// A file of mentors.
    #[error(transparent)]
    Sheet(#[from] SheetError),
    /// The renewal is refused.
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
            Self::NotSetUp { .. } => "partner-not-configured",
            Self::Off(_) => "partner-off",
            Self::NoListing(_) => "partner-no-listing",
            Self::NotEnrolled => "partner-not-enrolled",
            Self::ConsentUnexplained => "consent-unexplained",
            Self::NotRemovedManually => "partner-not-removed-manually",
            Self::ReportNotWaiting => "partner-report-not-waiting",
            Self::Unclear => "partner-report-unclear",
            Self::Sheet(error) => error.code(),
            Self::Renewal(error) => error.code(),
            Self::Store(error) => error.code(),
        }
    }

    /// The exit status.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Sheet(error) => error.exit(),
            Self::Renewal(error) => error.exit(),
            Self::Store(error) => error.exit(),
            _ => Exit::Usage,
        }
    }
}
