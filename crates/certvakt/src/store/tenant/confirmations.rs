//! Administrators confirm that a mail address is a person's.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::store::{StoreError, TenantTx};

/// What administrators have confirmed of a person's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmations {
    /// How many of them.
    pub number: i64,
    /// From when it counts; none: another administrator is missing.
    pub counts_from: Option<DateTime<Utc>>,
}

/// Confirms, as an administrator of an organisation, that the address of a member is theirs. None: there is no such
/// member with an address.
pub async fn confirm(
    tx: &mut TenantTx,
    organisation: Uuid,
    person: Uuid,
) -> Result<Option<Confirmations>, StoreError> {
    let confirmed = sqlx::query!(
        "select confirmations, counts_from from certvakt.confirm_address($1, $2)",
        organisation,
        person
    );
    let found = confirmed.fetch_one(tx).await?;
    Ok(found.confirmations.map(|number| Confirmations { number, counts_from: found.counts_from }))
}

/// Takes back what administrators of an organisation have confirmed of a person. False: nothing is confirmed.
pub async fn withdraw(tx: &mut TenantTx, organisation: Uuid, person: Uuid) -> Result<bool, StoreError> {
    let withdrawn = sqlx::query_scalar!(
        r#"select certvakt.withdraw_address_confirmations($1, $2) as "withdrawn!""#,
        organisation,
        person
    );
    Ok(withdrawn.fetch_one(tx).await?)
}
