//! When the caller gets their digest.

use crate::{CallerTx, StoreError};

/// When a person gets their digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// `off`, `daily` or `weekly`.
    pub schedule: String,
    /// The day of a weekly digest, from 1 (Monday) to 7.
    pub weekday: i16,
}

impl Default for Schedule {
    /// As in the schema.
    fn default() -> Self {
        Self { schedule: "weekly".to_owned(), weekday: 1 }
    }
}

/// The caller's schedule; `None` if they never chose one.
pub async fn schedule(tx: &mut CallerTx) -> Result<Option<Schedule>, StoreError> {
    let found = sqlx::query_as!(
        Schedule,
        "select schedule, weekday from certvakt.digest_settings where person_id = (select certvakt.current_person())"
    );
    Ok(found.fetch_optional(tx).await?)
}

/// Sets the caller's schedule.
pub async fn set_schedule(tx: &mut CallerTx, chosen: &Schedule) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into certvakt.digest_settings as s (person_id, schedule, weekday)
         select certvakt.current_person(), $1, $2
         on conflict (person_id) do update set schedule = excluded.schedule, weekday = excluded.weekday",
        chosen.schedule,
        chosen.weekday,
    )
    .execute(tx)
    .await?;
    Ok(())
}
