//! What `explain` says about a certification, for those who manage it.

use certvakt_rules::{DeliveryHours, Stage};
use chrono::{DateTime, NaiveTime, Utc};
use serde::Deserialize;
use sqlx::types::Json;
use uuid::Uuid;

use super::listings::{MentorListing, Recorded};
use crate::certification::{Attempt, Notice};
use crate::organisation::days;
use crate::{CallerTx, StoreError};

crate::rows_read::of_organisation!(Explanation);

/// The records that explain a certification.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The organisation that certified.
    pub organisation_id: Uuid,
    /// The start of the present cycle.
    pub cycle_began: DateTime<Utc>,
    /// The number of days for which notices are kept at least.
    pub days_kept: i32,
    /// The declared lead times in days.
    pub declared: Vec<i32>,
    /// Whether the type selects other lead times than the organisation.
    pub type_selects: bool,
    /// The start of the local hours in which notices are sent.
    pub deliver_from: NaiveTime,
    /// Their end.
    pub deliver_until: NaiveTime,
    /// The notices of the cycle, latest first.
    pub notices: Json<Vec<Notice>>,
    /// The latest attempts to deliver its notices, also those of earlier cycles, oldest first.
    pub attempts: Json<Vec<Attempt>>,
    /// The listings of the mentor at partners of the organisation.
    pub listings: Json<Vec<Listing>>,
}

impl Explanation {
    /// The hours in which notices are sent.
    pub const fn hours(&self) -> DeliveryHours {
        DeliveryHours { from: self.deliver_from, until: self.deliver_until }
    }

    /// The declared stages, except `expired`, which always applies.
    pub fn declared(&self) -> Vec<Stage> {
        days(&self.declared).map(Stage::Warning).collect()
    }
}

/// The listing of a mentor at a partner.
#[derive(Debug, Clone, Deserialize)]
pub struct Listing {
    /// Its present state.
    #[serde(flatten)]
    pub now: MentorListing,
    /// When the mentor was enrolled.
    pub enrolled_at: DateTime<Utc>,
    /// Since when the mentor is kept off the listing.
    pub excluded_at: Option<DateTime<Utc>>,
    /// Whether the partner has accepted the present state.
    pub is_accepted: bool,
    /// The latest changes of whether the mentor belongs on the listing, latest first.
    pub changes: Vec<ListingChange>,
    /// The latest consents that were given or withdrawn, latest first.
    pub consents: Vec<Recorded>,
}

/// A change of whether a mentor belongs on a listing.
#[derive(Debug, Clone, Deserialize)]
pub struct ListingChange {
    /// Whether the mentor belongs on the listing from then on.
    pub is_listed: bool,
    /// Why.
    pub cause: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// The records that explain a certification, if the caller manages its chapter and it is not their own.
pub async fn of_certification(
    tx: &mut CallerTx,
    certification: Uuid,
) -> Result<Option<Explanation>, StoreError> {
    let found = sqlx::query_as!(
        Explanation,
        r#"select organisation_id as "organisation_id!", cycle_began as "cycle_began!", days_kept as "days_kept!", declared as "declared!",
             type_selects as "type_selects!", deliver_from as "deliver_from!", deliver_until as "deliver_until!",
             notices as "notices!: Json<Vec<Notice>>", attempts as "attempts!: Json<Vec<Attempt>>",
             listings as "listings!: Json<Vec<Listing>>"
           from certvakt.explanation_of($1)"#,
        certification,
    );
    let found = found.fetch_optional(&mut *tx).await?;
    tx.saw(found.as_slice());
    Ok(found)
}
