//! Certifications one at a time: what is known of one, for people who ask why.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::{StoreError, WorkerTx};
use crate::import::text::normal_id;

/// A certification, as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certification {
    /// Its id.
    pub id: Uuid,
    /// Whose it is.
    pub organisation: String,
    /// Its id in the organisation's register.
    pub external_id: Option<String>,
    /// Its type's name.
    pub type_name: String,
    /// Its chapter's name.
    pub chapter: String,
    /// When it ends; none: never.
    pub expires_at: Option<DateTime<Utc>>,
    /// `active`, `expired` or `suspended`.
    pub status: String,
    /// When its present cycle began.
    pub cycle_began: DateTime<Utc>,
}

/// The certifications that an id or a register's id means; several, if several organisations or
/// types use that register's id. The import stores ids of registers in their normal form, and an app stores
/// them as they are, so both forms match.
pub async fn find(tx: &mut WorkerTx, name: &str) -> Result<Vec<Certification>, StoreError> {
    let found = sqlx::query_file_as!(
        Certification,
        "src/store/certification/find.sql",
        name.parse::<Uuid>().ok(),
        name,
        &*normal_id(name),
    )
    .fetch_all(tx)
    .await?;
    if found.is_empty() {
        return Err(StoreError::Unknown {
            what: "certification",
            name: name.to_owned(),
            hint: "give its id, or its id in the imported register".to_owned(),
        });
    }
    Ok(found)
}

/// A notice, and what became of its delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// The stage.
    pub stage: String,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// Its key.
    pub idempotency_key: String,
    /// The due date; none, if somebody else recorded it without a delivery.
    pub due_date: Option<NaiveDate>,
    /// The delivery's state.
    pub delivery: Option<String>,
    /// Why, where that is not plain.
    pub reason: Option<String>,
    /// When it is due for its next attempt.
    pub available_at: Option<DateTime<Utc>>,
    /// When a change was made that crossed its delivery: what was handed over was no longer true.
    pub crossed_at: Option<DateTime<Utc>>,
    /// What was tried.
    #[serde(skip)]
    pub delivery_id: Option<i64>,
}

/// The notices of a certification that were recorded, or came to their end, since an instant; oldest first.
pub async fn notices(
    tx: &mut WorkerTx,
    certification: Uuid,
    since: DateTime<Utc>,
) -> Result<Vec<Notice>, StoreError> {
    let found = sqlx::query_file_as!(Notice, "src/store/certification/notices.sql", certification, since);
    Ok(found.fetch_all(tx).await?)
}

/// One try of a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// The delivery.
    #[serde(skip)]
    pub delivery_id: i64,
    /// Which attempt, from 1.
    pub attempt: i32,
    /// The channel; none, if none was asked.
    pub channel: Option<String>,
    /// Its outcome.
    pub outcome: String,
    /// The provider's code or message id.
    pub detail: Option<String>,
    /// When it ended.
    pub finished_at: DateTime<Utc>,
}

/// The attempts of some deliveries, oldest first.
pub async fn attempts(tx: &mut WorkerTx, deliveries: &[i64]) -> Result<Vec<Attempt>, StoreError> {
    Ok(sqlx::query_as!(
        Attempt,
        "select delivery_id, attempt, channel, outcome, detail, finished_at
         from certvakt.delivery_attempts where delivery_id = any($1) order by delivery_id, attempt, message",
        deliveries,
    )
    .fetch_all(tx)
    .await?)
}
