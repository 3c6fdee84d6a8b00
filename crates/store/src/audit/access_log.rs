//! The access log: people's requests, and lost events.

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use crate::{StoreError, WorkerTx};

/// A request of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// The sequence number.
    pub number: i64,
    /// The time of the request.
    pub at: DateTime<Utc>,
    /// The caller.
    pub person_id: Uuid,
    /// The HTTP method.
    pub method: String,
    /// The route of the request.
    pub resource: String,
    /// The last id in the path, if there is one.
    pub resource_id: Option<Uuid>,
    /// The HTTP status; `None` if the request was cancelled.
    pub status: Option<u16>,
    /// The number of rows read for the response.
    pub rows_read: u64,
    /// How many of them are addresses and phone numbers of mentors.
    pub addresses_read: u64,
    /// The organisations that the person was a member of, or that had certified them.
    pub organisations_of_person: Vec<Uuid>,
    /// The organisations of the rows.
    pub organisations_of_rows: Vec<Uuid>,
}

/// Records all events in one statement.
pub async fn record(tx: &mut WorkerTx, events: &[Event]) -> Result<(), StoreError> {
    let events = serde_json::to_value(events).map_err(|error| StoreError::Other(error.to_string()))?;
    sqlx::query_file!("src/audit/record_access.sql", events).execute(tx).await?;
    Ok(())
}

/// Records the start of the service, so that the events that an earlier crash lost count as lost from now on.
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

/// The numbers of events in a range of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Recorded {
    /// The number of recorded events.
    pub events: i64,
    /// The number of events lost because of a crash, a full buffer or a database error, except those of the
    /// last minute.
    pub lost: i64,
}

/// The numbers of recorded and lost events in the last `days`.
pub async fn recorded(tx: &mut WorkerTx, days: i32) -> Result<Recorded, StoreError> {
    Ok(sqlx::query_file_as!(Recorded, "src/audit/recorded_access.sql", days).fetch_one(tx).await?)
}

/// A request that read rows of an organisation to which the caller does not belong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Across {
    /// The sequence number.
    pub number: i64,
    /// The time of the request.
    pub at: DateTime<Utc>,
    /// The caller.
    pub person_id: Option<Uuid>,
    /// The HTTP method.
    pub method: String,
    /// The route of the request.
    pub resource: String,
    /// The id in the path.
    pub resource_id: Option<Uuid>,
    /// The short names of the person's organisations.
    pub of_person: Vec<String>,
    /// The short names of the other organisations of the rows.
    pub of_others: Vec<String>,
}

/// The requests that read rows of an organisation to which the caller does not belong, latest first.
pub async fn across(tx: &mut WorkerTx, limit: i64) -> Result<Vec<Across>, StoreError> {
    Ok(sqlx::query_file_as!(Across, "src/audit/across.sql", limit).fetch_all(tx).await?)
}
