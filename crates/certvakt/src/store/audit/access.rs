//! The record of access: who looked at what, and whether anything of it is missing.

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use crate::store::{StoreError, WorkerTx};

/// A request of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// Its number.
    pub number: i64,
    /// When it came.
    pub at: DateTime<Utc>,
    /// Who asked.
    pub person_id: Uuid,
    /// The HTTP method.
    pub method: String,
    /// The address, with the names of its variable parts.
    pub resource: String,
    /// The id in the address, if there is one.
    pub resource_id: Option<Uuid>,
    /// The HTTP status; none: the answer was given up.
    pub status: Option<u16>,
    /// How many rows were read for the answer.
    pub rows_read: u64,
    /// Of which organisations the person was a member, or which had certified them.
    pub organisations_of_person: Vec<Uuid>,
    /// From which organisations the rows came.
    pub organisations_of_rows: Vec<Uuid>,
}

/// Records events, all or none.
pub async fn record(tx: &mut WorkerTx, events: &[Event]) -> Result<(), StoreError> {
    let events = serde_json::to_value(events).map_err(|error| StoreError::Other(error.to_string()))?;
    sqlx::query_file!("src/store/audit/record_access.sql", events).execute(tx).await?;
    Ok(())
}

/// Records that the service begins to record: what a crash before it lost shows as missing from now on.
pub async fn begin_recording(tx: &mut WorkerTx) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into certvakt.access_events
           (number, at, method, resource, rows_read, organisations_of_person, organisations_of_rows)
         values (nextval('certvakt.access_numbers'), now(), 'BEGIN', '', 0, '{}', '{}')"
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// What is known of some days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Recorded {
    /// Events that were recorded.
    pub events: i64,
    /// Events that a crash, a full buffer or the database lost. The last minute's do not count yet.
    pub lost: i64,
}

/// What was recorded and lost in the last `days`.
pub async fn recorded(tx: &mut WorkerTx, days: i32) -> Result<Recorded, StoreError> {
    Ok(sqlx::query_file_as!(Recorded, "src/store/audit/recorded_access.sql", days).fetch_one(tx).await?)
}

/// An event in which somebody read rows of an organisation that is not theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Across {
    /// The event's number.
    pub number: i64,
    /// When it came.
    pub at: DateTime<Utc>,
    /// Who asked.
    pub person_id: Option<Uuid>,
    /// The HTTP method.
    pub method: String,
    /// The address.
    pub resource: String,
    /// The id in the address.
    pub resource_id: Option<Uuid>,
    /// The short names of the person's organisations.
    pub of_person: Vec<String>,
    /// The short names of the others from which rows came.
    pub of_others: Vec<String>,
}

/// The events in which somebody read rows of an organisation that is not theirs, the latest first.
pub async fn across(tx: &mut WorkerTx, limit: i64) -> Result<Vec<Across>, StoreError> {
    Ok(sqlx::query_file_as!(Across, "src/store/audit/across.sql", limit).fetch_all(tx).await?)
}
