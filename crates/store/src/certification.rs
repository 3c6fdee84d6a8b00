//! Single certifications, with their notices and attempts, for `explain`.

use certvakt_rules::normal::normal_id;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use uuid::Uuid;

use super::caller::mentor::PersonChange;
use super::{AttemptOutcome, CertificationStatus, DeliveryState, StoreError, WorkerTx};

/// A certification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certification {
    /// The certification's id.
    pub id: Uuid,
    /// The organisation's slug.
    pub organisation: String,
    /// The certification's id in the organisation's register.
    pub external_id: Option<String>,
    /// The code of the certification's type.
    pub type_code: String,
    /// The name of the certification's type.
    pub type_name: String,
    /// The chapter's name.
    pub chapter: String,
    /// The end of the validity; `None` if it does not expire.
    pub expires_at: Option<DateTime<Utc>>,
    /// The status.
    pub status: CertificationStatus,
    /// The start of the current cycle.
    pub cycle_began: DateTime<Utc>,
    /// The id in the register, or the id, of the certification that replaced it.
    pub replaced_by: Option<String>,
    /// What happened to the mentor in the organisation, the oldest first.
    pub mentor_changes: Json<Vec<PersonChange>>,
}

/// Finds certifications by their id or their id in a register. There can be several if several organisations
/// or types use the same register id. Imports store register ids in their normal form and apps store them
/// unchanged, so both forms match.
pub async fn find(tx: &mut WorkerTx, name: &str) -> Result<Vec<Certification>, StoreError> {
    let found = sqlx::query_file_as!(
        Certification,
        "src/certification/find.sql",
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

/// A notice with its delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The stage.
    pub stage: String,
    /// The time at which it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// The notice's key.
    pub idempotency_key: String,
    /// The due date; `None` if another program recorded it without a delivery.
    pub due_date: Option<NaiveDate>,
    /// The delivery's state.
    pub delivery: Option<DeliveryState>,
    /// The reason of the state, if there is one.
    pub reason: Option<String>,
    /// The time of the next attempt.
    pub available_at: Option<DateTime<Utc>>,
    /// The time of a change of the certification during the delivery, which made the delivered notice
    /// outdated.
    pub crossed_at: Option<DateTime<Utc>>,
    /// Whether a worker cancelled the delivery, because the notice was not true any more.
    #[serde(skip_serializing)]
    pub cancelled_by_worker: bool,
    /// The delivery's id.
    #[serde(skip_serializing)]
    pub delivery_id: Option<i64>,
}

/// The notices of a certification that were recorded, or whose delivery ended, since a time; oldest first.
pub async fn notices(
    tx: &mut WorkerTx,
    certification: Uuid,
    since: DateTime<Utc>,
) -> Result<Vec<Notice>, StoreError> {
    let found = sqlx::query_file_as!(Notice, "src/certification/notices.sql", certification, since);
    Ok(found.fetch_all(tx).await?)
}

/// An attempt of a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The delivery.
    #[serde(skip_serializing)]
    pub delivery_id: i64,
    /// The number of the attempt, from 1.
    pub attempt: i32,
    /// The channel; `None` if no channel was tried.
    pub channel: Option<String>,
    /// Its outcome.
    pub outcome: AttemptOutcome,
    /// The provider's code or message id.
    pub detail: Option<String>,
    /// The time at which it ended.
    pub finished_at: DateTime<Utc>,
}

/// The attempts of some deliveries, oldest first.
pub async fn attempts(tx: &mut WorkerTx, deliveries: &[i64]) -> Result<Vec<Attempt>, StoreError> {
    Ok(sqlx::query_as!(
        Attempt,
        r#"select delivery_id, attempt, channel, outcome as "outcome: AttemptOutcome", detail, finished_at
         from certvakt.delivery_attempts where delivery_id = any($1) order by delivery_id, attempt, message"#,
        deliveries,
    )
    .fetch_all(tx)
    .await?)
}
