//! The types of certification of all organisations, and the lead times that a type selects.

use serde::Serialize;
use sqlx::{Executor, Postgres};
use uuid::Uuid;

use super::organisation::{NewType, added, check_declared, check_type, id_of, insert_type};
use super::{CallerTx, RegistrarTx, StoreError, WorkerTx};

/// A type of certification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CertificationType {
    /// The organisation's slug.
    pub organisation: String,
    /// The type's code.
    pub code: String,
    /// The type's name.
    pub name: String,
    /// The validity in months; `None` if each renewal must give a date.
    pub validity_months: Option<i16>,
    /// The rule for the last valid day of a renewal.
    pub renewal_rule: String,
    /// The number of days before the last valid day from which a renewal is accepted; `None` for any day.
    pub renewal_window_days: Option<i16>,
    /// The selected lead times in days, the longest first; `None` for those of the organisation.
    pub lead_times: Option<Vec<i32>>,
}

/// Every type, by organisation and code, or those of one organisation.
pub async fn list(
    tx: &mut WorkerTx,
    organisation: Option<&str>,
) -> Result<Vec<CertificationType>, StoreError> {
    let types = sqlx::query_as!(
        CertificationType,
        "select o.slug as organisation, t.code, t.name, t.validity_months, t.renewal_rule, t.renewal_window_days,
           t.lead_times
         from certvakt.certification_types t join certvakt.organisations o on o.id = t.organisation_id
         where $1::text is null or o.slug = $1
         order by o.slug, t.code",
        organisation,
    );
    Ok(types.fetch_all(tx).await?)
}

/// Adds a type of certification to an organisation that the caller administers.
pub async fn add_administered(
    tx: &mut CallerTx,
    organisation_id: Uuid,
    new: &NewType<'_>,
) -> Result<(), StoreError> {
    check_declared(&mut *tx, new.lead_times).await?;
    insert_type(tx, organisation_id, new).await
}

/// Selects declared lead times for a type, in days, or those of its organisation.
pub async fn select_lead_times(
    tx: &mut RegistrarTx,
    organisation: &str,
    code: &str,
    lead_times: Option<&[i32]>,
) -> Result<(), StoreError> {
    let organisation_id = id_of(tx, organisation).await?;
    check_type(tx, organisation_id, code).await?;
    check_declared(&mut *tx, lead_times).await?;
    update_lead_times(tx, organisation_id, code, lead_times).await.map(drop)
}

/// The same for a type of an organisation that the caller administers. Returns false if there is no such type.
pub async fn select_administered_lead_times(
    tx: &mut CallerTx,
    organisation_id: Uuid,
    code: &str,
    lead_times: Option<&[i32]>,
) -> Result<bool, StoreError> {
    check_declared(&mut *tx, lead_times).await?;
    Ok(update_lead_times(tx, organisation_id, code, lead_times).await? > 0)
}

/// Selects lead times within the transaction's policies. Returns the number of changed types.
async fn update_lead_times<'c>(
    tx: impl Executor<'c, Database = Postgres>,
    organisation_id: Uuid,
    code: &str,
    lead_times: Option<&[i32]>,
) -> Result<u64, StoreError> {
    let changed = sqlx::query!(
        "update certvakt.certification_types set lead_times = $3 where organisation_id = $1 and code = $2",
        organisation_id,
        code,
        lead_times,
    );
    added(changed.execute(tx).await, "type", code).map(|done| done.rows_affected())
}
