//! The state of the partners of the organisations that the caller administers.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::partner::Problems;
use crate::{CallerTx, Environment, StopReason, StoreError};

/// A partner, which publishes the mentors whom people can contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partner {
    /// The organisation.
    pub organisation_id: Uuid,
    /// The organisation's name.
    pub organisation: String,
    /// The partner's short name.
    pub partner: String,
    /// `staging` or `live`; `None` if sending is off.
    pub environment: Option<Environment>,
    /// The number of mentors who belong on the listing.
    pub listed: i64,
    /// The number of mentors whose addition is pending.
    pub to_list: i64,
    /// The number of mentors whose removal is pending.
    pub to_delist: i64,
    /// The age of the oldest pending removal, in seconds.
    pub oldest_removal_seconds: i64,
    /// The time at which sending stopped.
    pub stopped_since: Option<DateTime<Utc>>,
    /// The reason why sending stopped: `contract`, `sign-in` or `outage`.
    pub stopped_by: Option<StopReason>,
    /// The number of removals that wait for approval.
    pub held: i64,
    /// The time since which the listing could not be read.
    pub unread_since: Option<DateTime<Utc>>,
    /// The number of mentors who are listed but should not be.
    pub still_shown: i64,
    /// The number of mentors who should be listed but are not.
    pub not_shown: i64,
    /// The number of mentors who were removed from the listing manually.
    pub removed_by_hand: i64,
    /// The number of listed mentors who are unknown to certvakt.
    pub unknown_shown: i64,
    /// The number of reports of completed courses that wait for a decision.
    pub reports_waiting: i64,
    /// Days until the credential expires; negative once expired; `None` if the configuration gives no date.
    pub secret_days: Option<i32>,
    /// The problems that need a person, most severe first.
    pub problems: Problems,
}

crate::rows_read::of_organisation!(Partner);

/// The partners of the organisations that the caller administers.
pub async fn administered(tx: &mut CallerTx) -> Result<Vec<Partner>, StoreError> {
    let found = sqlx::query_as!(
        Partner,
        r#"select organisation_id as "organisation_id!", organisation as "organisation!", partner as "partner!",
             environment as "environment: Environment",
             listed as "listed!", to_list as "to_list!", to_delist as "to_delist!",
             oldest_removal_seconds as "oldest_removal_seconds!", stopped_since, stopped_by as "stopped_by: StopReason", held as "held!", unread_since,
             still_shown as "still_shown!", not_shown as "not_shown!", removed_by_hand as "removed_by_hand!", unknown_shown as "unknown_shown!",
             reports_waiting as "reports_waiting!", secret_days,
             problems as "problems!: Problems"
           from certvakt.my_partners() order by organisation, partner"#
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.saw(&found);
    Ok(found)
}
