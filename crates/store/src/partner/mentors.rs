//! The mentors of a partner: enrolment, consent, and decisions after manual removals.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::caller::listings::GivenConsent;
use crate::error::on_constraint;
use crate::{RegistrarTx, StoreError};

/// A mentor to enrol at a partner.
#[derive(Debug, Clone, Copy)]
pub struct Enrolment<'a> {
    /// The mentor.
    pub person_id: Uuid,
    /// The portal's key for the mentor.
    pub key: &'a str,
    /// Whether the mentor consents to being listed; `None` to leave the consent unchanged.
    pub consents: Option<bool>,
    /// The time of the consent.
    pub at: DateTime<Utc>,
}

/// Says how the mentors gave the consents that the transaction records. Without it, the database refuses them.
pub async fn explain_consents(tx: &mut RegistrarTx, given: &GivenConsent<'_>) -> Result<(), StoreError> {
    let explained = sqlx::query!(
        "select set_config(name, value, true) from (values ('certvakt.consent_given_as', $1), ('certvakt.consent_given_on', $2),
           ('certvakt.consent_text', $3), ('certvakt.consent_locale', $4)) as t (name, value)",
        given.given_as.as_str(),
        given.given_on.to_string(),
        given.text.version,
        given.text.locale,
    );
    explained.fetch_all(tx).await?;
    Ok(())
}

/// Enrols a mentor at a partner. Returns false if the mentor is already enrolled with the same key.
pub async fn enrol(
    tx: &mut RegistrarTx,
    organisation_id: Uuid,
    partner: &str,
    mentor: &Enrolment<'_>,
) -> Result<bool, StoreError> {
    let known = sqlx::query_scalar!(
        r#"select listing_consent_at is not null as "consents!" from certvakt.listings
           where organisation_id = $1 and partner = $2 and partner_key = $3 and person_id = $4"#,
        organisation_id,
        partner,
        mentor.key,
        mentor.person_id,
    );
    if let Some(consents) = known.fetch_optional(&mut *tx).await? {
        return match mentor.consents {
            Some(said) if said != consents => Err(StoreError::Invalid(
                "the mentor is already enrolled with a different consent: record the change with `certvakt partner consent`"
                    .to_owned(),
            )),
            _ => Ok(false),
        };
    }
    let enrolled = sqlx::query!(
        "insert into certvakt.listings (organisation_id, partner, partner_key, person_id, listing_consent_at)
         values ($1, $2, $3, $4, $5)",
        organisation_id,
        partner,
        mentor.key,
        mentor.person_id,
        mentor.consents.unwrap_or(false).then_some(mentor.at),
    );
    on_constraint(enrolled.execute(tx).await.map(|_| true), |name| {
        Some(Err(StoreError::Invalid(match name {
            "listings_pkey" | "partner_events_in_order" => format!(
                "the key '{}' belongs to another mentor at this partner: check which mentor it belongs to",
                mentor.key
            ),
            "listings_once_a_person" => {
                "the mentor already has another key at this partner: a mentor can have only one".to_owned()
            }
            "listings_partner_key_form" => {
                "a partner's key must have 1 to 200 characters, without line breaks and tabs".to_owned()
            }
            "person_erased" => "the person was erased: create a new person, with a new id".to_owned(),
            name => unexplained(name)?.to_owned(),
        })))
    })
}

/// Enrols different mentors. Returns the position of each who is enrolled now with their consent, from 0, and whether
/// they were not enrolled before; the others need [`enrol`], which explains why they cannot be enrolled. `None` if a rule
/// of the database refused one of them, which ends the transaction.
pub async fn enrol_all(
    tx: &mut RegistrarTx,
    organisation_id: Uuid,
    partner: &str,
    mentors: &[Enrolment<'_>],
    at: DateTime<Utc>,
) -> Result<Option<Vec<(usize, bool)>>, StoreError> {
    let people: Vec<Uuid> = mentors.iter().map(|one| one.person_id).collect();
    let keys: Vec<String> = mentors.iter().map(|one| one.key.to_owned()).collect();
    let consents: Vec<Option<bool>> = mentors.iter().map(|one| one.consents).collect();
    let enrolled = sqlx::query_file!(
        "src/partner/enrol_all.sql",
        organisation_id,
        partner,
        &people,
        &keys,
        &consents as &[Option<bool>],
        at,
    );
    let enrolled = enrolled.fetch_all(tx).await.map(|rows| {
        Some(
            rows.iter()
                .map(|row| (usize::try_from(row.position - 1).unwrap_or(usize::MAX), row.is_new))
                .collect(),
        )
    });
    on_constraint(enrolled, |name| {
        (matches!(name, "partner_events_in_order" | "listings_partner_key_form" | "person_erased")
            || unexplained(name).is_some())
        .then_some(Ok(None))
    })
}

/// Records that a mentor gave or withdrew consent. Returns `None` if the mentor is not enrolled, and false if
/// nothing changed.
pub async fn consent(
    tx: &mut RegistrarTx,
    organisation_id: Uuid,
    partner: &str,
    person_id: Uuid,
    consent_at: Option<DateTime<Utc>>,
) -> Result<Option<bool>, StoreError> {
    let before = sqlx::query_scalar!(
        r#"select listing_consent_at is not null and (excluded_at is null or $4) as "is_given!" from certvakt.listings
           where organisation_id = $1 and partner = $2 and person_id = $3 for update"#,
        organisation_id,
        partner,
        person_id,
        // An excluded mentor can consent again, which ends the exclusion. A withdrawal has the same effect in
        // both cases.
        consent_at.is_none(),
    );
    let Some(is_given) = before.fetch_optional(&mut *tx).await? else { return Ok(None) };
    if is_given == consent_at.is_some() {
        return Ok(Some(false));
    }
    let noted = sqlx::query!(
        "update certvakt.listings set listing_consent_at = $4 where organisation_id = $1 and partner = $2 and person_id = $3",
        organisation_id,
        partner,
        person_id,
        consent_at,
    );
    on_constraint(noted.execute(tx).await.map(|_| Some(true)), |name| {
        unexplained(name).map(|what| Err(StoreError::Invalid(what.to_owned())))
    })
}

/// What is wrong with the explanation of a consent that a constraint refuses.
fn unexplained(constraint: &str) -> Option<&'static str> {
    Some(match constraint {
        "listing_consents_explained" => "say how, on which day, and to which text the mentor consented",
        "listing_consents_given_on_past" => "the mentor cannot have consented on a day in the future",
        "listing_consents_text_version_form" => "the version of the text must have 1 to 50 characters",
        _ => return None,
    })
}

/// Schedules the states of mentors with an event since a time to be sent again, or of one mentor. Returns
/// their number.
pub async fn replay(
    tx: &mut RegistrarTx,
    organisation_id: Uuid,
    partner: &str,
    since: DateTime<Utc>,
    key: Option<&str>,
) -> Result<u64, StoreError> {
    let replayed = sqlx::query_file!("src/partner/replay.sql", organisation_id, partner, since, key as _);
    Ok(replayed.execute(tx).await?.rows_affected())
}

/// Records a decision about a mentor who was removed manually at the portal, or changes an earlier decision
/// to keep the mentor off. Returns false if there is nothing to decide.
pub async fn resolve_removal(
    tx: &mut RegistrarTx,
    organisation_id: Uuid,
    partner: &str,
    person_id: Uuid,
    excluded_at: Option<DateTime<Utc>>,
) -> Result<bool, StoreError> {
    let answered = sqlx::query!(
        "update certvakt.listings set removed_by_hand_since = null, excluded_at = $4,
           accepted_number = case when $4::timestamptz is null then number - 1 else accepted_number end,
           replays = replays + ($4::timestamptz is null)::int, available_at = now()
         where organisation_id = $1 and partner = $2 and person_id = $3
           and (removed_by_hand_since is not null or $4::timestamptz is null and excluded_at is not null)",
        organisation_id,
        partner,
        person_id,
        excluded_at,
    );
    Ok(answered.execute(tx).await?.rows_affected() > 0)
}
