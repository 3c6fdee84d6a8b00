//! The types of certification of all organisations, and the lead times that a type selects.

use serde::Serialize;
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
    let changed = sqlx::query!(
        "update certvakt.certification_types set lead_times = $3 where organisation_id = $1 and code = $2",
        organisation_id,
        code,
        lead_times,
    );
    added(changed.execute(tx).await, "type", code).map(drop)
}

/// A type as an administrator changed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedType {
    /// Its name.
    pub name: String,
    /// The validity of new renewals in months; `None` if each renewal must give a date.
    pub validity_months: Option<i16>,
    /// The selected lead times in days; `None` for those of the organisation.
    pub lead_times: Option<Vec<i32>>,
}

/// Changes a type of an organisation that the caller administers. Returns false if there is no such type.
pub async fn change_administered(
    tx: &mut CallerTx,
    organisation_id: Uuid,
    code: &str,
    changed: &ChangedType,
) -> Result<bool, StoreError> {
    check_declared(&mut *tx, changed.lead_times.as_deref()).await?;
    let done = sqlx::query!(
        "update certvakt.certification_types set name = $3, validity_months = $4, lead_times = $5
         where organisation_id = $1 and code = $2",
        organisation_id,
        code,
        changed.name,
        changed.validity_months,
        changed.lead_times.as_deref(),
    );
    added(done.execute(tx).await, "type", code).map(|done| done.rows_affected() > 0)
}
