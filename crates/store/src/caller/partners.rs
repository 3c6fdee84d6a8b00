//! The partners of the organisations that the caller manages: their state, the mentors who may be listed wrongly, and the
//! reports that wait.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use crate::partner::{Problems, reports};
use crate::{CallerTx, Environment, StopReason, StoreError, Zone};

/// A partner, which publishes the mentors whom people can contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partner {
    /// The organisation.
    pub organisation_id: Uuid,
    /// The organisation's name.
    pub organisation: String,
    /// The organisation's time zone.
    pub zone: Zone,
    /// The partner's short name.
    pub partner: String,
    /// Whether the caller administers the organisation.
    pub is_administered: bool,
    /// `staging` or `live`; `None` if sending is off.
    pub environment: Option<Environment>,
    /// The time at which sending was last turned on or off; `None` if it was never on.
    pub switched_at: Option<DateTime<Utc>>,
    /// The number of enrolled mentors whom the listing showed when it was last compared; `None` if it never was.
    pub enrolled_shown: Option<i64>,
    /// The time of the last complete comparison of the listing.
    pub reconciled_at: Option<DateTime<Utc>>,
    /// The number of mentors whose addition is pending.
    pub to_list: i64,
    /// The number of mentors whose removal is pending.
    pub to_delist: i64,
    /// The age of the oldest pending removal, in seconds.
    pub oldest_removal_seconds: i64,
    /// The number of removals above which they wait for approval.
    pub removal_limit: i64,
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

crate::rows_read::of_organisation!(Partner, Removal, Waiting);

/// The partners of the organisations that the caller administers.
pub async fn administered(tx: &mut CallerTx) -> Result<Vec<Partner>, StoreError> {
    let mut found = read(tx).await?;
    found.retain(|one| one.is_administered);
    tx.saw(&found);
    Ok(found)
}

/// The partners of the organisations in which the caller is a coordinator or an administrator.
pub async fn managed(tx: &mut CallerTx) -> Result<Vec<Partner>, StoreError> {
    let found = read(tx).await?;
    tx.saw(&found);
    Ok(found)
}

async fn read(tx: &mut CallerTx) -> Result<Vec<Partner>, StoreError> {
    Ok(sqlx::query_as!(
        Partner,
        r#"select organisation_id as "organisation_id!", organisation as "organisation!", time_zone as "zone!: Zone", partner as "partner!",
             is_administered as "is_administered!", environment as "environment: Environment", switched_at,
             enrolled_shown, reconciled_at, to_list as "to_list!", to_delist as "to_delist!",
             oldest_removal_seconds as "oldest_removal_seconds!", removal_limit as "removal_limit!", stopped_since,
             stopped_by as "stopped_by: StopReason", held as "held!", unread_since,
             still_shown as "still_shown!", not_shown as "not_shown!", removed_by_hand as "removed_by_hand!", unknown_shown as "unknown_shown!",
             reports_waiting as "reports_waiting!", secret_days,
             problems as "problems!: Problems"
           from certvakt.my_partners() order by organisation, partner"#
    )
    .fetch_all(tx)
    .await?)
}

/// Resumes sending that stopped at a time. Returns false if the caller does not administer the organisation, or sending did
/// not stop then.
pub async fn resume(
    tx: &mut CallerTx,
    organisation_id: Uuid,
    partner: &str,
    stopped_since: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let resumed = sqlx::query_scalar!(
        r#"select certvakt.resume_partner($1, $2, $3) as "is_resumed!""#,
        organisation_id,
        partner,
        stopped_since,
    );
    Ok(resumed.fetch_one(tx).await?)
}

/// A cursor in a list of a partner: the time and the key of the last entry on the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AfterEntry {
    /// The time.
    pub at: DateTime<Utc>,
    /// The portal's key for the mentor, or its id of the event.
    pub key: String,
}

/// A time before all entries.
const BEFORE_ALL: DateTime<Utc> = DateTime::UNIX_EPOCH;

/// The time and the key after which a page starts.
fn start(after: Option<&AfterEntry>) -> (DateTime<Utc>, &str) {
    after.map_or((BEFORE_ALL, ""), |after| (after.at, after.key.as_str()))
}

/// A mentor who should not be listed, but may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// The organisation.
    pub organisation_id: Uuid,
    /// The portal's key for the mentor.
    pub partner_key: String,
    /// The time since which the mentor should not be listed.
    pub since: DateTime<Utc>,
    /// Whether the mentor consents and is not excluded, so that their certification is the reason.
    pub has_consent: bool,
    /// Whether the listing has shown the mentor since then.
    pub is_still_shown: bool,
    /// Whether the portal has accepted the removal.
    pub is_accepted: bool,
    /// A certification of the mentor that the caller may see.
    pub certification_id: Option<Uuid>,
}

/// The mentors who should not be listed at a partner, but may be, the longest first. Those of whom the caller may see no
/// certification are only for administrators.
pub async fn removals(
    tx: &mut CallerTx,
    organisation_id: Uuid,
    partner: &str,
    after: Option<&AfterEntry>,
    limit: u32,
) -> Result<Vec<Removal>, StoreError> {
    let (at, key) = start(after);
    let found = sqlx::query_as!(
        Removal,
        r#"select organisation_id as "organisation_id!", partner_key as "partner_key!", since as "since!",
             has_consent as "has_consent!", is_still_shown as "is_still_shown!", is_accepted as "is_accepted!", certification_id
           from certvakt.removals_at($1, $2, $3, $4, $5) order by since, partner_key"#,
        organisation_id,
        partner,
        at,
        key,
        i64::from(limit),
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.saw(&found);
    Ok(found)
}

/// A report of a completed course that waits for a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The organisation.
    pub organisation_id: Uuid,
    /// The portal's id of the event.
    pub event_id: String,
    /// The portal's key for the mentor.
    pub partner_key: Option<String>,
    /// The type that the course renews; `None` if the contract does not contain the course.
    pub certification_type: Option<String>,
    /// The certification, if there was exactly one.
    pub certification_id: Option<Uuid>,
    /// The mentor, if they are known.
    pub person_id: Option<Uuid>,
    /// A certification of the mentor that the caller may see.
    pub shown_id: Option<Uuid>,
    /// The day of completion.
    pub completed_on: NaiveDate,
    /// The portal's new last valid day, if it gives one.
    pub valid_until: Option<NaiveDate>,
    /// The time at which the report arrived.
    pub received_at: DateTime<Utc>,
    /// Why it did not renew at once.
    pub reason: Option<String>,
    /// Whether the caller is the mentor, and so may not settle it.
    pub is_own: bool,
}

/// The reports of a partner that wait for a decision of the caller, the oldest first.
pub async fn waiting(
    tx: &mut CallerTx,
    organisation_id: Uuid,
    partner: &str,
    after: Option<&AfterEntry>,
    limit: u32,
) -> Result<Vec<Waiting>, StoreError> {
    some_waiting(tx, organisation_id, partner, None, after, limit).await
}

/// One of these reports.
pub async fn waiting_report(
    tx: &mut CallerTx,
    organisation_id: Uuid,
    partner: &str,
    event_id: &str,
) -> Result<Option<Waiting>, StoreError> {
    Ok(some_waiting(tx, organisation_id, partner, Some(event_id), None, 1).await?.pop())
}

async fn some_waiting(
    tx: &mut CallerTx,
    organisation_id: Uuid,
    partner: &str,
    event_id: Option<&str>,
    after: Option<&AfterEntry>,
    limit: u32,
) -> Result<Vec<Waiting>, StoreError> {
    let (at, key) = start(after);
    let found = sqlx::query_as!(
        Waiting,
        r#"select organisation_id as "organisation_id!", event_id as "event_id!", partner_key, certification_type, certification_id,
             person_id, shown_id, completed_on as "completed_on!", valid_until, received_at as "received_at!", reason, is_own as "is_own!"
           from certvakt.waiting_reports($1, $2, $3, $4, $5, $6) order by received_at, event_id"#,
        organisation_id,
        partner,
        event_id as _,
        at,
        key,
        i64::from(limit),
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.saw(&found);
    Ok(found)
}

/// Settles a waiting report: as the renewal of a certification, or as dismissed. Returns false if it does not wait, or the
/// caller may not settle it.
pub async fn settle(
    tx: &mut CallerTx,
    organisation_id: Uuid,
    partner: &str,
    event_id: &str,
    taken_for: Option<Uuid>,
) -> Result<bool, StoreError> {
    reports::settle(tx, organisation_id, partner, event_id, taken_for).await
}
