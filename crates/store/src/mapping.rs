//! Saved options for reading an organisation's registers.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::organisation::unknown;
use super::{RegistrarTx, StoreError};

/// A saved mapping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mapping {
    /// Its name.
    pub name: String,
    /// The options for reading the register.
    pub options: Value,
    /// The names of the file's columns when it was saved; empty if it was saved without a file.
    pub header: Vec<String>,
    /// The time at which it was saved.
    pub updated_at: DateTime<Utc>,
}

/// The mappings of an organisation, or of a coordinator in it, by name.
pub async fn list(
    tx: &mut RegistrarTx,
    organisation_id: Uuid,
    owner: Option<Uuid>,
) -> Result<Vec<Mapping>, StoreError> {
    Ok(sqlx::query_as!(
        Mapping,
        "select name, options, header, updated_at from certvakt.import_mappings
         where organisation_id = $1 and owner_id is not distinct from $2 order by name",
        organisation_id,
        owner,
    )
    .fetch_all(tx)
    .await?)
}

/// The mapping with a name, of an organisation or of a coordinator in it.
pub async fn named(
    tx: &mut RegistrarTx,
    organisation_id: Uuid,
    owner: Option<Uuid>,
    name: &str,
) -> Result<Mapping, StoreError> {
    let all = list(tx, organisation_id, owner).await?;
    match all.iter().find(|one| one.name == name) {
        Some(found) => Ok(found.clone()),
        None => Err(unknown("mapping", "set", name, all.iter().map(|one| one.name.as_str()))),
    }
}

/// Saves a mapping of an organisation, or of a coordinator in it, in place of one with the same name. Without a header, that of the old one stays.
pub async fn save(
    tx: &mut RegistrarTx,
    organisation_id: Uuid,
    owner: Option<Uuid>,
    name: &str,
    options: &Value,
    header: Option<&[String]>,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into certvakt.import_mappings as m (organisation_id, name, options, header, owner_id)
         values ($1, $2, $3, coalesce($4::text[], '{}'), $5)
         on conflict (organisation_id, owner_id, name) do update
         set options = excluded.options, header = coalesce($4::text[], m.header), updated_at = now()",
        organisation_id,
        name,
        options,
        header,
        owner,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Removes a mapping of an organisation.
pub async fn remove(tx: &mut RegistrarTx, organisation_id: Uuid, name: &str) -> Result<(), StoreError> {
    named(tx, organisation_id, None, name).await?;
    sqlx::query!(
        "delete from certvakt.import_mappings where organisation_id = $1 and owner_id is null and name = $2",
        organisation_id,
        name,
    )
    .execute(tx)
    .await?;
    Ok(())
}
