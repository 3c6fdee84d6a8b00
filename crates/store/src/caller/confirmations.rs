//! Confirmations by administrators that an e-mail address belongs to a person.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::error::on_constraint;
use crate::{CallerTx, StoreError};

/// The confirmations of a person's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmations {
    /// The number of administrators who have confirmed it.
    pub number: i64,
    /// The time from which the confirmation counts; `None` until a second administrator confirms.
    pub counts_from: Option<DateTime<Utc>>,
}

/// The outcome of a confirmation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confirmed {
    /// It is recorded. Contains all confirmations of the address.
    By(Confirmations),
    /// The organisation has no such member with that address.
    Unknown,
    /// The login is not yet proven to be the administrator's own.
    Unproven,
}

/// Confirms, as an administrator of the organisation, that an e-mail address belongs to a member.
pub async fn confirm(
    tx: &mut CallerTx,
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
    let confirmed = confirmed.fetch_one(tx).await.map(|found| match found.confirmations {
        Some(number) => Confirmed::By(Confirmations { number, counts_from: found.counts_from }),
        None => Confirmed::Unknown,
    });
    on_constraint(confirmed, |name| (name == "login_unproven").then_some(Ok(Confirmed::Unproven)))
}

/// Deletes an organisation's confirmations of a person's address. Returns false if there were none.
pub async fn withdraw(tx: &mut CallerTx, organisation: Uuid, person: Uuid) -> Result<bool, StoreError> {
    let withdrawn = sqlx::query_scalar!(
        r#"select certvakt.withdraw_address_confirmations($1, $2) as "withdrawn!""#,
        organisation,
        person
    );
    Ok(withdrawn.fetch_one(tx).await?)
}
