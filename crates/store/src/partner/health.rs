//! The state of partners.

use serde::Serialize;
use uuid::Uuid;

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
    pub in_trouble: i64,
    /// The mentors whose last request had no response.
    pub unsure: i64,
    /// The mentors who should not be listed, but were in the listing when it was last read.
    pub still_shown: i64,
    /// The mentors who should be listed and were sent, but were not in the listing.
    pub not_shown: i64,
    /// The mentors who were removed manually at the portal.
    pub away: i64,
    /// The mentors who are kept off the listing although they consent.
    pub kept_off: i64,
    /// The reports of completed courses that wait for a decision.
    pub reports_waiting: i64,
}

/// The age in seconds from which a pending removal needs attention: a day.
pub const REMOVAL_SECONDS: i64 = 24 * 60 * 60;

/// A partner with its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WithStanding {
    /// The partner.
    pub partner: Partner,
    /// The numbers of mentors by state.
    pub mentors: Health,
}

impl WithStanding {
    /// Whether nothing needs attention and the listing is correct.
    pub fn is_well(&self) -> bool {
        let Self { partner, mentors } = self;
        partner.stopped_at.is_none()
            && partner.held_at.is_none()
            && partner.unread_since.is_none()
            && partner.reports_unread_since.is_none()
            && mentors.reports_waiting == 0
            && !partner.is_stale
            && !partner.needs_secret()
            && mentors.oldest_removal_seconds < REMOVAL_SECONDS
            && partner.unknown_shown == 0
            && mentors.away == 0
            && mentors.still_shown == 0
            && mentors.not_shown == 0
    }
}

/// All partners with their state.
pub async fn with_standings(tx: &mut WorkerTx) -> Result<Vec<WithStanding>, StoreError> {
    let standings = sqlx::query_file_as!(Health, "src/partner/health.sql").fetch_all(&mut *tx).await?;
    let stands = |partner: Partner| {
        let is_of = |standing: &&Health| {
            standing.organisation_id == partner.organisation_id && standing.partner == partner.partner
        };
        let mentors = standings.iter().find(is_of)?.clone();
        Some(WithStanding { partner, mentors })
    };
    Ok(all(tx).await?.into_iter().filter_map(stands).collect())
}
