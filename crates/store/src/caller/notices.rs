//! The notices that the caller may see.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use crate::{CallerTx, DeliveryState, StoreError};

/// A notice of a certification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeOf {
    /// Its id.
    pub id: i64,
    /// The organisation that certified.
    pub organisation_id: Uuid,
    /// The chapter that certified.
    pub chapter_id: Uuid,
    /// The certification.
    pub certification_id: Uuid,
    /// The certification's mentor.
    pub mentor_id: Uuid,
    /// The mentor's name, if there is one.
    pub mentor: Option<String>,
    /// The stage.
    pub stage: String,
    /// The day on which it came due.
    pub due_date: NaiveDate,
    /// The time at which the run recorded it.
    pub recorded_at: DateTime<Utc>,
    /// The state of its delivery.
    pub state: DeliveryState,
    /// The reason of the state, if there is one.
    pub reason: Option<String>,
    /// The time at which its delivery ended.
    pub finished_at: Option<DateTime<Utc>>,
}
crate::rows_read::of_organisation!(NoticeOf);

/// A filter of notices.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NoticeFilter {
    /// Only notices of this chapter.
    pub chapter_id: Option<Uuid>,
    /// Only notices of this stage.
    pub stage: Option<String>,
    /// Only notices whose delivery is in this state.
    pub state: Option<DeliveryState>,
}

/// Notices recorded since a time, latest first, starting after the cursor `before`.
pub async fn recent(
    tx: &mut CallerTx,
    which: &NoticeFilter,
    since: DateTime<Utc>,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<NoticeOf>, StoreError> {
    let found = sqlx::query_file_as!(
        NoticeOf,
        "src/caller/recent_notices.sql",
        since,
        before,
        which.chapter_id,
        which.stage,
        which.state.map(DeliveryState::as_str),
        i32::try_from(limit).unwrap_or(i32::MAX),
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.saw(&found);
    Ok(found)
}

/// Notices that no channel can deliver, latest first, starting after the cursor `before`.
pub async fn unreachable(
    tx: &mut CallerTx,
    chapter_id: Option<Uuid>,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<NoticeOf>, StoreError> {
    let found = sqlx::query_file_as!(
        NoticeOf,
        "src/caller/unreachable_notices.sql",
        before,
        chapter_id,
        i32::try_from(limit).unwrap_or(i32::MAX),
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.saw(&found);
    Ok(found)
}
