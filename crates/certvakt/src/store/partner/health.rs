//! How partners stand.

use serde::Serialize;
use uuid::Uuid;

use super::{Partner, all};
use crate::store::{StoreError, WorkerTx};

/// How a partner stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Health {
    /// The organisation.
    #[serde(skip)]
    pub organisation_id: Uuid,
    /// The partner.
    #[serde(skip)]
    pub partner: String,
    /// Mentors whom the portal knows.
    pub mentors: i64,
    /// Who are to be listed.
    pub listed: i64,
    /// Who are to be put on.
    pub to_list: i64,
    /// Who are to be taken off.
    pub to_delist: i64,
    /// Of these, who were not approved of.
    pub not_approved: i64,
    /// For how many seconds somebody has waited to be taken off.
    pub oldest_removal_seconds: i64,
    /// Whom the portal did not take.
    pub in_trouble: i64,
    /// Of whom an answer did not come.
    pub unsure: i64,
    /// Who are not to be listed, and were in the listing when it was last read.
    pub still_shown: i64,
    /// Who are to be listed, the portal was told so, and they were not in the listing.
    pub not_shown: i64,
    /// Who are gone from the listing although nobody here took them off.
    pub away: i64,
    /// Who are kept off although they consent.
    pub kept_off: i64,
    /// Reports of completed courses that wait for a person.
    pub reports_waiting: i64,
}

/// For how long somebody may wait to be taken off before a person is to look why, in seconds: a day.
pub const REMOVAL_SECONDS: i64 = 24 * 60 * 60;

/// A partner, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WithStanding {
    /// The partner.
    pub partner: Partner,
    /// How it stands.
    pub mentors: Health,
}

impl WithStanding {
    /// Whether nothing about it wants a person, and its listing shows what it is to show.
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

/// How every partner stands.
pub async fn with_standings(tx: &mut WorkerTx) -> Result<Vec<WithStanding>, StoreError> {
    let standings = sqlx::query_file_as!(Health, "src/store/partner/health.sql").fetch_all(&mut *tx).await?;
    let stands = |partner: Partner| {
        let is_of = |standing: &&Health| {
            standing.organisation_id == partner.organisation_id && standing.partner == partner.partner
        };
        let mentors = standings.iter().find(is_of)?.clone();
        Some(WithStanding { partner, mentors })
    };
    Ok(all(tx).await?.into_iter().filter_map(stands).collect())
}
