//! The caller's listings at partners.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use uuid::Uuid;

use crate::error::on_constraint;
use crate::{CallerTx, ConsentOutcome, GivenAs, StoreError};

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

/// A consent that a mentor gave or withdrew.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Recorded {
    /// The organisation that certified the mentor.
    pub organisation_id: Uuid,
    /// The partner's short name.
    pub partner: String,
    /// Whether it was given; otherwise it was withdrawn.
    pub is_given: bool,
    /// The time.
    pub at: DateTime<Utc>,
    /// Whether the mentor recorded it themselves.
    pub is_own: bool,
    /// The name of the person who recorded it, if it is known.
    pub recorded_by: Option<String>,
    /// How it was given.
    pub given_as: Option<GivenAs>,
    /// The day on which it was given to the person who recorded it.
    pub given_on: Option<NaiveDate>,
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
             is_own as "is_own!", recorded_by, given_as as "given_as: GivenAs", given_on, text_version, locale
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

/// How a mentor gave consent to somebody else, who records it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GivenConsent<'a> {
    /// How.
    pub given_as: GivenAs,
    /// On which day.
    pub given_on: NaiveDate,
    /// To which text.
    pub text: ConsentText<'a>,
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

/// A partner at which the mentor of a certification is enrolled.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct MentorListing {
    /// The organisation that certified the mentor.
    pub organisation_id: Uuid,
    /// Its name.
    pub organisation: String,
    /// The partner's short name.
    pub partner: String,
    /// The time of the mentor's consent; `None` if they do not consent.
    pub consents_since: Option<DateTime<Utc>>,
    /// Whether somebody decided to keep the mentor off the listing until they consent again.
    pub is_excluded: bool,
    /// Whether the mentor belongs on the listing.
    pub is_listed: bool,
}

crate::rows_read::of_organisation!(MentorListing);

/// The partners at which the mentor of a certification is enrolled, if the caller may record the mentor's consent.
pub async fn of_certification(
    tx: &mut CallerTx,
    certification: Uuid,
) -> Result<Vec<MentorListing>, StoreError> {
    let found = sqlx::query_as!(
        MentorListing,
        r#"select organisation_id as "organisation_id!", organisation as "organisation!", partner as "partner!",
             consents_since, is_excluded as "is_excluded!", is_listed as "is_listed!"
           from certvakt.listings_of($1) order by partner"#,
        certification,
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.saw(&found);
    Ok(found)
}

/// The record of the consents of the mentor of a certification, latest first, if the caller may add to it.
pub async fn consents_of(tx: &mut CallerTx, certification: Uuid) -> Result<Vec<Recorded>, StoreError> {
    let found = sqlx::query_as!(
        Recorded,
        r#"select organisation_id as "organisation_id!", partner as "partner!", is_given as "is_given!", at as "at!",
             is_own as "is_own!", recorded_by, given_as as "given_as: GivenAs", given_on, text_version, locale
           from certvakt.consents_of($1)"#,
        certification,
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.saw(&found);
    Ok(found)
}

/// Records that the mentor of a certification gave consent to being listed at a partner, or withdrew it (`None`).
pub async fn record(
    tx: &mut CallerTx,
    certification: Uuid,
    partner: &str,
    given: Option<&GivenConsent<'_>>,
) -> Result<ConsentOutcome, StoreError> {
    let outcome = sqlx::query_scalar!(
        r#"select certvakt.record_consent($1, $2, $3, $4, $5, $6, $7) as "outcome!: ConsentOutcome""#,
        certification,
        partner,
        given.is_some(),
        given.map(|one| one.given_as.as_str()),
        given.map(|one| one.given_on),
        given.map(|one| one.text.version),
        given.map(|one| one.text.locale),
    );
    Ok(outcome.fetch_one(tx).await?)
}
