//! What needs the caller besides certifications, in one statement.

use chrono::NaiveDate;
use uuid::Uuid;

use crate::{CallerTx, StoreError};

/// The highest number of waiting reports of a partner that is counted.
pub const MOST_REPORTS: i64 = 10;

/// A held run; or a partner to which sending has stopped, or with reports for the caller to settle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// The organisation.
    pub organisation_id: Uuid,
    /// The date of the run that waits for a decision; `None` if this is about a partner.
    pub held_on: Option<NaiveDate>,
    /// The organisation's name, if this is about a partner.
    pub organisation: Option<String>,
    /// The partner's short name; `None` if this is about a run.
    pub partner: Option<String>,
    /// Whether the caller administers the partner's organisation.
    pub is_administered: bool,
    /// Whether sending to the partner stopped.
    pub is_stopped: bool,
    /// The number of its reports for the caller to settle: [`MOST_REPORTS`] plus one stands for more.
    pub reports_waiting: i64,
}

crate::rows_read::of_organisation!(Alarm);

/// The alarms of the organisations in which the caller is a coordinator or an administrator.
pub async fn alarms(tx: &mut CallerTx) -> Result<Vec<Alarm>, StoreError> {
    let found = sqlx::query_file_as!(Alarm, "src/caller/alarms.sql").fetch_all(&mut *tx).await?;
    tx.saw(&found);
    Ok(found)
}
