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

/// What became of a confirmation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confirmed {
    /// It is recorded, beside those of others.
    By(Confirmations),
    /// There is no such member with that address.
    Unknown,
    /// Nothing shows yet that the login is the administrator's own.
    Unproven,
}

/// Confirms, as an administrator of an organisation, that a mail address of a member is theirs.
pub async fn confirm(
    tx: &mut TenantTx,
    organisation: Uuid,
    person: Uuid,
    address: &str,
) -> Result<Confirmed, StoreError> {
    let confirmed = sqlx::query!(
        "select confirmations, counts_from from certvakt.confirm_address($1, $2, $3)",
        organisation,
        person,
        address,
    );
    match confirmed.fetch_one(tx).await {
        Ok(found) => Ok(match found.confirmations {
            Some(number) => Confirmed::By(Confirmations { number, counts_from: found.counts_from }),
            None => Confirmed::Unknown,
        }),
        Err(error) => match error.as_database_error().and_then(|error| error.constraint()) {
            Some("login_unproven") => Ok(Confirmed::Unproven),
            _ => Err(error.into()),
        },
    }
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
