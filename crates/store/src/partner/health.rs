//! The state of partners.

use serde::Serialize;
use uuid::Uuid;

use super::problem::{Problem, ProblemKind, Problems};
use super::{Partner, all};
use crate::{StoreError, WorkerTx};

/// The numbers of a partner's mentors by state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Health {
    /// The organisation.
    #[serde(skip)]
    pub organisation_id: Uuid,
    /// The partner.
    #[serde(skip)]
    pub partner: String,
    /// The enrolled mentors.
    pub mentors: i64,
    /// The mentors who belong on the listing.
    pub listed: i64,
    /// The mentors whose addition is pending.
    pub to_list: i64,
    /// The mentors whose removal is pending.
    pub to_delist: i64,
    /// The pending removals that are not approved.
    pub not_approved: i64,
    /// The age of the oldest pending removal, in seconds.
    pub oldest_removal_seconds: i64,
    /// The mentors whom the portal refused.
    pub with_errors: i64,
    /// The mentors whose last request had no response.
    pub in_doubt: i64,
    /// The mentors who should not be listed, but were in the listing when it was last read.
    pub still_shown: i64,
    /// The mentors who should be listed and were sent, but were not in the listing.
    pub not_shown: i64,
    /// The mentors who were removed manually at the portal.
    pub removed_by_hand: i64,
    /// The mentors who are excluded from the listing although they consent.
    pub excluded: i64,
    /// The reports of completed courses that wait for a decision.
    pub reports_waiting: i64,
    /// The problems, which [`PartnerStatus`] shows.
    #[serde(skip)]
    problems: Problems,
}

/// A partner with its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartnerStatus {
    /// The partner.
    pub partner: Partner,
    /// The numbers of mentors by state.
    pub mentors: Health,
    /// The problems that need a person, most severe first.
    pub problems: Vec<Problem>,
}

impl PartnerStatus {
    /// Whether nothing needs a person.
    pub fn is_well(&self) -> bool {
        self.problems.is_empty()
    }

    /// Whether the partner has a problem of a kind.
    pub fn has(&self, kind: ProblemKind) -> bool {
        self.problems.iter().any(|problem| problem.kind == kind)
    }
}

/// All partners with their state.
pub async fn with_status(tx: &mut WorkerTx) -> Result<Vec<PartnerStatus>, StoreError> {
    let standings = sqlx::query_file_as!(Health, "src/partner/health.sql").fetch_all(&mut *tx).await?;
    let stands = |partner: Partner| {
        let is_of = |standing: &&Health| {
            standing.organisation_id == partner.organisation_id && standing.partner == partner.partner
        };
        let mut mentors = standings.iter().find(is_of)?.clone();
        let problems = std::mem::take(&mut mentors.problems.0);
        Some(PartnerStatus { partner, mentors, problems })
    };
    Ok(all(tx).await?.into_iter().filter_map(stands).collect())
}
