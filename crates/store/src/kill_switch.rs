//! The kill switch: people's access to certifications, closed and opened at once.

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::{RegistrarTx, StoreError, WorkerTx};

/// Closes people's access to certifications, of one organisation or of all. Returns false if it is already
/// closed.
pub async fn close(
    tx: &mut RegistrarTx,
    organisation_id: Option<Uuid>,
    reason: &str,
) -> Result<bool, StoreError> {
    if reason.trim().is_empty() || reason.chars().count() > 500 {
        return Err(StoreError::Invalid(
            "a reason must have 1 to 500 characters: give it with --reason".to_owned(),
        ));
    }
    let closed = sqlx::query!(
        "insert into certvakt.access_closures (resource, organisation_id, reason) values ('certifications', $1, $2)
         on conflict do nothing",
        organisation_id,
        reason,
    );
    Ok(closed.execute(tx).await?.rows_affected() > 0)
}

/// Opens people's access to certifications again, of one organisation, or the closure for all. Returns false
/// if it was not closed.
pub async fn open(tx: &mut RegistrarTx, organisation_id: Option<Uuid>) -> Result<bool, StoreError> {
    let opened = sqlx::query!(
        "update certvakt.access_closures set opened_at = now(), opened_by = session_user, opened_operator = certvakt.operator()
         where resource = 'certifications' and opened_at is null and organisation_id is not distinct from $1",
        organisation_id,
    );
    Ok(opened.execute(tx).await?.rows_affected() > 0)
}

/// A closure in effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Closure {
    /// The closed resource.
    pub resource: String,
    /// The organisation's short name; `None` for all.
    pub organisation: Option<String>,
    /// The reason.
    pub reason: String,
    /// The time of the closure.
    pub closed_at: DateTime<Utc>,
    /// The database's login that closed it.
    pub closed_by: String,
    /// The operator who ran the command, as account@host.
    pub operator: Option<String>,
}

/// The closures in effect, oldest first.
pub async fn closures(tx: &mut WorkerTx) -> Result<Vec<Closure>, StoreError> {
    Ok(sqlx::query_as!(
        Closure,
        r#"select c.resource, o.slug as "organisation?", c.reason, c.closed_at, c.closed_by, c.operator
           from certvakt.access_closures c left join certvakt.organisations o on o.id = c.organisation_id
           where c.opened_at is null order by c.closed_at, c.id"#
    )
    .fetch_all(tx)
    .await?)
}
