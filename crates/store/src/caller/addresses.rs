//! The addresses of mentors, which coordinators and administrators see and correct.

use uuid::Uuid;

use crate::rows_read::OfOrganisation;
use crate::{AddressOutcome, CallerTx, StoreError};

/// A contact point of a mentor: an e-mail address, a phone number or a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The organisation of the certification.
    pub organisation_id: Uuid,
    /// Its id.
    pub id: Uuid,
    /// `email`, `phone` or `push`.
    pub kind: String,
    /// The address, a phone number as E.164 writes it; `None` if the caller may not read it.
    pub address: Option<String>,
    /// Whether it is the mentor's own, and not the organisation's.
    pub is_own: bool,
    /// Whether the mentor declined notices of its kind.
    pub is_declined: bool,
    /// Whether it refused a notice of the certification that the mentor has not got yet.
    pub has_refused: bool,
}

impl OfOrganisation for Address {
    fn organisation_id(&self) -> Uuid {
        self.organisation_id
    }

    fn shows_address(&self) -> bool {
        self.address.is_some()
    }
}

/// The contact points of the mentor of a certification, if the caller manages its chapter or is the mentor; the mentor's own
/// first.
pub async fn addresses(tx: &mut CallerTx, certification: Uuid) -> Result<Vec<Address>, StoreError> {
    let found = sqlx::query_as!(
        Address,
        r#"select organisation_id as "organisation_id!", id as "id!", kind as "kind!", address, is_own as "is_own!", is_declined as "is_declined!", has_refused as "has_refused!"
           from certvakt.addresses_of($1)"#,
        certification,
    );
    let found = found.fetch_all(&mut *tx).await?;
    tx.saw(&found);
    Ok(found)
}

/// An address of a mentor that the caller may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readable {
    /// The certification of the mentor.
    pub certification_id: Uuid,
    /// The organisation of the certification.
    pub organisation_id: Uuid,
    /// `email` or `phone`.
    pub kind: String,
    /// The address, a phone number as E.164 writes it.
    pub address: String,
}

impl OfOrganisation for Readable {
    fn organisation_id(&self) -> Uuid {
        self.organisation_id
    }

    fn shows_address(&self) -> bool {
        true
    }
}

/// The addresses of some kinds of the mentors of some certifications that the caller may read, each once for a certification;
/// the mentor's own first.
pub async fn readable(
    tx: &mut CallerTx,
    certifications: &[Uuid],
    kinds: &[&str],
) -> Result<Vec<Readable>, StoreError> {
    if certifications.is_empty() {
        return Ok(Vec::new());
    }
    let kinds: Vec<String> = kinds.iter().map(|kind| (*kind).to_owned()).collect();
    let found = sqlx::query_as!(
        Readable,
        r#"select certification_id as "certification_id!", organisation_id as "organisation_id!", kind as "kind!", address as "address!"
           from certvakt.readable_addresses($1, $2)"#,
        certifications,
        &kinds,
    );
    let found = found.fetch_all(&mut *tx).await?;
    tx.saw(&found);
    Ok(found)
}

/// Adds an e-mail address or a phone number to those that the organisation of a certification has of its mentor, and removes
/// the one that it replaces.
pub async fn add(
    tx: &mut CallerTx,
    certification: Uuid,
    kind: &str,
    address: &str,
    replaced: Option<Uuid>,
) -> Result<AddressOutcome, StoreError> {
    let outcome = sqlx::query_scalar!(
        r#"select certvakt.add_address($1, $2, $3, $4) as "outcome!: AddressOutcome""#,
        certification,
        kind,
        address,
        replaced,
    );
    Ok(outcome.fetch_one(tx).await?)
}

/// Removes one of the e-mail addresses and phone numbers that the organisation of a certification has of its mentor.
pub async fn remove(
    tx: &mut CallerTx,
    certification: Uuid,
    point: Uuid,
) -> Result<AddressOutcome, StoreError> {
    let outcome = sqlx::query_scalar!(
        r#"select certvakt.remove_address($1, $2) as "outcome!: AddressOutcome""#,
        certification,
        point,
    );
    Ok(outcome.fetch_one(tx).await?)
}
