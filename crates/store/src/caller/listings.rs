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

/// A consent that the caller gave or withdrew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The organisation that certified the caller.
    pub organisation_id: Uuid,
    /// The partner's short name.
    pub partner: String,
    /// Whether it was given; otherwise it was withdrawn.
    pub is_given: bool,
    /// The time.
    pub at: DateTime<Utc>,
    /// Whether the caller decided themselves.
    pub is_own: bool,
    /// The version of the text, if it is known.
    pub text_version: Option<String>,
    /// The language of the text, if it is known.
    pub locale: Option<String>,
}

crate::rows_read::of_organisation!(Recorded);

/// The record of the caller's consents, latest first.
pub async fn consents(tx: &mut CallerTx) -> Result<Vec<Recorded>, StoreError> {
    let found = sqlx::query_as!(
        Recorded,
        r#"select organisation_id as "organisation_id!", partner as "partner!", is_given as "is_given!", at as "at!",
             is_own as "is_own!", text_version, locale
           from certvakt.my_consents()"#
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

/// The text that a person saw when they decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsentText<'a> {
    /// Its version.
    pub version: &'a str,
    /// Its language: `nb` or `en`.
    pub locale: &'a str,
}

/// Records the caller's decision about being listed, and the text of a consent, if it is known.
pub async fn decide(
    tx: &mut CallerTx,
    organisation: Uuid,
    partner: &str,
    decision: Decision,
    text: Option<ConsentText<'_>>,
) -> Result<Consent, StoreError> {
    let noted = sqlx::query_scalar!(
        r#"select certvakt.consent_to_listing($1, $2, $3, $4, $5) as "is_known!""#,
        organisation,
        partner,
        decision == Decision::Consent,
        text.map(|text| text.version),
        text.map(|text| text.locale),
    );
    let noted = noted.fetch_one(tx).await;
    on_constraint(noted.map(|is_known| if is_known { Consent::Recorded } else { Consent::Unknown }), |name| {
        (name == "login_unproven").then_some(Ok(Consent::Unproven))
    })
}
