//! Notices, as far as whoever is asking may know of them.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::store::{StoreError, TenantTx};

/// A notice of a certification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NoticeOf {
    /// Its id.
    pub id: i64,
    /// The organisation that certified.
    pub organisation_id: Uuid,
    /// The chapter that certified.
    pub chapter_id: Uuid,
    /// The certification.
    pub certification_id: Uuid,
    /// Its mentor.
    pub mentor_id: Uuid,
    /// Their name, if there is one.
    pub mentor: Option<String>,
    /// The stage.
    #[schema(example = "expiry_warning_30d")]
    pub stage: String,
    /// The day on which it came due.
    pub due_date: NaiveDate,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// What became of its delivery: `pending`, `claimed`, `delivered`, `unreachable` or `cancelled`.
    #[schema(example = "delivered")]
    pub state: String,
    /// Why, where that is not plain.
    pub reason: Option<String>,
    /// When its delivery ended.
    pub finished_at: Option<DateTime<Utc>>,
}
super::of_organisation!(NoticeOf);

/// The notices to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NoticeFilter {
    /// Of a chapter.
    pub chapter_id: Option<Uuid>,
    /// Of a stage.
    pub stage: Option<String>,
    /// Whose delivery is in a state.
    pub state: Option<String>,
}

/// Notices recorded since a time, the latest first, before one of them.
pub async fn recent(
    tx: &mut TenantTx,
    which: &NoticeFilter,
    since: DateTime<Utc>,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<NoticeOf>, StoreError> {
    let found = sqlx::query_file_as!(
        NoticeOf,
        "src/store/tenant/recent_notices.sql",
        since,
        before,
        which.chapter_id,
        which.stage,
        which.state,
        i32::try_from(limit).unwrap_or(i32::MAX),
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.saw(&found);
    Ok(found)
}

/// Notices that no channel can hand to their mentors, the latest first, before one of them.
pub async fn unreachable(
    tx: &mut TenantTx,
    chapter_id: Option<Uuid>,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<NoticeOf>, StoreError> {
    let found = sqlx::query_file_as!(
        NoticeOf,
        "src/store/tenant/unreachable_notices.sql",
        before,
        chapter_id,
        i32::try_from(limit).unwrap_or(i32::MAX),
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.saw(&found);
    Ok(found)
}
