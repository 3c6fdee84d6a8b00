//! The caller's listings at partners.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::error::on_constraint;
use crate::{CallerTx, StoreError};

/// A partner at which the caller is enrolled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The organisation that certified the caller.
    pub organisation_id: Uuid,
    /// Its name.
    pub organisation: String,
    /// The partner's short name.
    pub partner: String,
    /// The time of the caller's consent to being listed; `None` if they do not consent.
    pub consents_since: Option<DateTime<Utc>>,
    /// Whether the caller belongs on the listing: they consent and are certified.
    pub is_listed: bool,
}

crate::rows_read::of_organisation!(Listing);

/// The partners at which the caller is enrolled.
pub async fn mine(tx: &mut CallerTx) -> Result<Vec<Listing>, StoreError> {
    let found = sqlx::query_as!(
        Listing,
        r#"select organisation_id as "organisation_id!", organisation as "organisation!", partner as "partner!",
             consents_since, is_listed as "is_listed!"
           from certvakt.my_listings() order by organisation, partner"#
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.saw(&found);
    Ok(found)
}

/// A mentor's decision about being listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// They consent.
    Consent,
    /// They withdraw their consent.
    Withdraw,
}

/// The outcome of a change of consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// The consent was recorded or withdrawn.
    Recorded,
    /// The caller is not enrolled at the partner.
    Unknown,
    /// The login is not yet proven to be the person's own.
    Unproven,
}

/// Records the caller's decision about being listed.
pub async fn decide(
    tx: &mut CallerTx,
    organisation: Uuid,
    partner: &str,
    decision: Decision,
) -> Result<Consent, StoreError> {
    let noted = sqlx::query_scalar!(
        r#"select certvakt.consent_to_listing($1, $2, $3) as "is_known!""#,
        organisation,
        partner,
        decision == Decision::Consent,
    );
    let noted = noted.fetch_one(tx).await;
    on_constraint(noted.map(|is_known| if is_known { Consent::Recorded } else { Consent::Unknown }), |name| {
        (name == "login_unproven").then_some(Ok(Consent::Unproven))
    })
}
