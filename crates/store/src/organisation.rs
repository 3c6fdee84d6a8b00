//! Organisations, their chapters and their types of certification.

use std::collections::BTreeMap;

use certvakt_base::suggest::nearest;
use certvakt_rules::renewal::Rule;
use certvakt_rules::{DeliveryHours, Selection, Stage};
use chrono::NaiveTime;
use chrono_tz::Tz;
use serde::Serialize;
use sqlx::types::Json;
use sqlx::{Executor, Postgres};
use uuid::Uuid;

use super::error::on_constraint;
use super::{RegistrarTx, StoreError, WorkerTx, Zone};

/// An organisation, with its settings for runs and deliveries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Organisation {
    /// The organisation's id.
    pub id: Uuid,
    /// The organisation's short name.
    pub slug: String,
    /// The organisation's name.
    pub name: String,
    /// The time zone of all the organisation's dates.
    #[serde(rename = "timezone")]
    pub zone: Tz,
    /// The default language for people: `nb` or `en`.
    pub locale: String,
    /// The local time of its nightly run.
    pub run_at: NaiveTime,
    /// The local hours in which notices are sent.
    #[serde(skip)]
    pub hours: DeliveryHours,
    /// The stages of its certifications.
    #[serde(flatten)]
    pub selection: Selection,
    /// The declared stages, except `expired`, which always applies.
    #[serde(skip)]
    pub declared: Vec<Stage>,
    /// A run is held if its number of notices exceeds both this number and `limit_percent`.
    pub limit_floor: i64,
    /// The limit as a percentage of the valid certifications.
    pub limit_percent: u16,
    /// Whether lock screens may name the association and the certification.
    pub names_certification: bool,
    /// Whether the digests of coordinators may name mentors.
    pub digest_names: bool,
}

/// A new organisation.
#[derive(Debug)]
pub struct NewOrganisation<'a> {
    /// The short name: lower-case letters, digits and hyphens.
    pub slug: &'a str,
    /// The name.
    pub name: &'a str,
    /// The time zone.
    pub zone: Tz,
    /// The default language: `nb` or `en`.
    pub locale: &'a str,
}

/// Adds an organisation, after which no setup token is accepted.
pub async fn add(tx: &mut RegistrarTx, new: &NewOrganisation<'_>) -> Result<Uuid, StoreError> {
    let withdrawn = sqlx::query!(
        "update certvakt.installation set setup_hash = null, setup_ends_at = null where setup_hash is not null"
    );
    withdrawn.execute(&mut *tx).await?;
    let organisation = sqlx::query_scalar!(
        "insert into certvakt.organisations (slug, name, time_zone, locale) values ($1, $2, $3, $4) returning id",
        new.slug,
        new.name,
        new.zone.name(),
        new.locale,
    );
    added(organisation.fetch_one(tx).await, "organisation", new.slug)
}

/// Every organisation, by slug.
pub async fn list(tx: &mut WorkerTx) -> Result<Vec<Organisation>, StoreError> {
    let rows = sqlx::query_as!(
        Row,
        r#"select id, slug, name, time_zone as "zone: Zone", locale, run_at, deliver_from, deliver_until,
             expired_grace_days, run_limit_floor, run_limit_percent, names_certification, digest_names, lead_times,
             (select jsonb_object_agg(t.code, t.lead_times) from certvakt.certification_types t
              where t.organisation_id = organisations.id and t.lead_times is not null)
               as "lead_times_of_types: Json<LeadTimesOfTypes>",
             array(select s.days_before from certvakt.stages s where s.days_before > 0) as "declared!"
           from certvakt.organisations order by slug"#
    )
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The organisation with a slug, or all organisations.
pub async fn named(tx: &mut WorkerTx, slug: Option<&str>) -> Result<Vec<Organisation>, StoreError> {
    let all = list(tx).await?;
    let Some(slug) = slug else { return Ok(all) };
    match all.iter().find(|organisation| organisation.slug == slug) {
        Some(found) => Ok(vec![found.clone()]),
        None => Err(unknown(
            "organisation",
            "add",
            slug,
            all.iter().map(|organisation| organisation.slug.as_str()),
        )),
    }
}

/// Adds a chapter, at the top level or below another chapter.
pub async fn add_chapter(
    tx: &mut RegistrarTx,
    organisation: &str,
    slug: &str,
    name: &str,
    parent: Option<&str>,
    external_id: Option<&str>,
) -> Result<Uuid, StoreError> {
    let organisation_id = id_of(tx, organisation).await?;
    let parent_id = match parent {
        Some(parent) => Some(chapter_id(tx, organisation_id, parent).await?),
        None => None,
    };
    insert_chapter(&mut *tx, organisation_id, slug, name, parent_id, external_id).await?;
    chapter_id(tx, organisation_id, slug).await
}

/// Adds a chapter within the transaction's policies. It returns no id, because a person's statement does not see the chapter
/// that it adds.
pub(crate) async fn insert_chapter<'c>(
    tx: impl Executor<'c, Database = Postgres>,
    organisation_id: Uuid,
    slug: &str,
    name: &str,
    parent_id: Option<Uuid>,
    external_id: Option<&str>,
) -> Result<(), StoreError> {
    let chapter = sqlx::query!(
        "insert into certvakt.chapters (organisation_id, parent_id, slug, name, external_id) values ($1, $2, $3, $4, $5)",
        organisation_id,
        parent_id,
        slug,
        name,
        external_id,
    );
    added(chapter.execute(tx).await, "chapter", slug).map(drop)
}

/// How certifications of a type are renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RenewalTerms {
    /// The rule for the last valid day of a renewal.
    pub rule: Rule,
    /// The number of days before the last valid day from which a renewal is accepted; `None` for any day.
    pub window_days: Option<i16>,
}

/// A new type of certification.
#[derive(Debug)]
pub struct NewType<'a> {
    /// The code: lower-case letters, digits and hyphens.
    pub code: &'a str,
    /// The name.
    pub name: &'a str,
    /// The validity in months; `None` if each certification has its own date.
    pub validity_months: Option<i16>,
    /// How it is renewed.
    pub renewal: RenewalTerms,
    /// The lead times of its notices in days; `None` for those of the organisation.
    pub lead_times: Option<&'a [i32]>,
    /// Its number in registers.
    pub external_id: Option<&'a str>,
}

/// Adds a type of certification.
pub async fn add_type(tx: &mut RegistrarTx, organisation: &str, new: &NewType<'_>) -> Result<(), StoreError> {
    let organisation_id = id_of(tx, organisation).await?;
    check_declared(&mut *tx, new.lead_times).await?;
    insert_type(tx, organisation_id, new).await
}

/// Adds a type within the transaction's policies.
pub(crate) async fn insert_type<'c>(
    tx: impl Executor<'c, Database = Postgres>,
    organisation_id: Uuid,
    new: &NewType<'_>,
) -> Result<(), StoreError> {
    let kind = sqlx::query!(
        "insert into certvakt.certification_types (organisation_id, code, name, validity_months, renewal_rule,
           renewal_window_days, lead_times, external_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        organisation_id,
        new.code,
        new.name,
        new.validity_months,
        new.renewal.rule.to_string(),
        new.renewal.window_days,
        new.lead_times,
        new.external_id,
    );
    added(kind.execute(tx).await, "type", new.code).map(drop)
}

/// Checks that lead times are declared.
pub(crate) async fn check_declared<'c>(
    tx: impl Executor<'c, Database = Postgres>,
    lead_times: Option<&[i32]>,
) -> Result<(), StoreError> {
    let Some(lead_times) = lead_times else { return Ok(()) };
    let declared = sqlx::query_scalar!(
        "select days_before from certvakt.stages where days_before > 0 order by days_before desc"
    )
    .fetch_all(tx)
    .await?;
    let Some(days) = lead_times.iter().find(|days| !declared.contains(days)) else { return Ok(()) };
    let declared = declared.iter().map(i32::to_string).collect::<Vec<_>>().join(", ");
    Err(StoreError::Invalid(format!(
        "the lead time of {days} days is not declared: select among {declared}, or declare it as the owner of the schema \
         with `certvakt stage add {days}`"
    )))
}

/// The id of the organisation with a slug.
pub async fn id_of(tx: &mut RegistrarTx, slug: &str) -> Result<Uuid, StoreError> {
    let all = sqlx::query!("select id, slug from certvakt.organisations").fetch_all(tx).await?;
    match all.iter().find(|row| row.slug == slug) {
        Some(row) => Ok(row.id),
        None => Err(unknown("organisation", "add", slug, all.iter().map(|row| row.slug.as_str()))),
    }
}

/// The time zone of an organisation.
pub async fn zone_of(tx: &mut RegistrarTx, organisation_id: Uuid) -> Result<Tz, StoreError> {
    let zone = sqlx::query_scalar!(
        r#"select time_zone as "zone: Zone" from certvakt.organisations where id = $1"#,
        organisation_id,
    )
    .fetch_one(tx)
    .await?;
    Ok(zone.0)
}

/// The id of an organisation's chapter.
pub async fn chapter_id(tx: &mut RegistrarTx, organisation_id: Uuid, slug: &str) -> Result<Uuid, StoreError> {
    let all =
        sqlx::query!("select id, slug from certvakt.chapters where organisation_id = $1", organisation_id)
            .fetch_all(tx)
            .await?;
    match all.iter().find(|row| row.slug == slug) {
        Some(row) => Ok(row.id),
        None => Err(unknown("chapter", "add", slug, all.iter().map(|row| row.slug.as_str()))),
    }
}

/// A chapter or type of an organisation, with the names by which registers refer to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The id; types have none.
    pub id: Option<Uuid>,
    /// A chapter's short name, or a type's code.
    pub key: String,
    /// The name.
    pub name: String,
    /// The number in registers.
    pub external_id: Option<String>,
}

impl Named {
    /// The identifier in rows of certifications: a chapter's id, or a type's code.
    pub fn identifier(&self) -> String {
        self.id.map_or_else(|| self.key.clone(), |id| id.to_string())
    }
}

/// The chapters of an organisation.
pub async fn chapters(tx: &mut RegistrarTx, organisation_id: Uuid) -> Result<Vec<Named>, StoreError> {
    Ok(sqlx::query_as!(
        Named,
        r#"select id as "id?", slug as key, name, external_id from certvakt.chapters
           where organisation_id = $1 order by slug"#,
        organisation_id,
    )
    .fetch_all(tx)
    .await?)
}

/// The types of an organisation.
pub async fn types(tx: &mut RegistrarTx, organisation_id: Uuid) -> Result<Vec<Named>, StoreError> {
    Ok(sqlx::query_as!(
        Named,
        r#"select null::uuid as "id?", code as key, name, external_id from certvakt.certification_types
           where organisation_id = $1 order by code"#,
        organisation_id,
    )
    .fetch_all(tx)
    .await?)
}

/// Checks that an organisation has a type of certification.
pub async fn check_type(tx: &mut RegistrarTx, organisation_id: Uuid, code: &str) -> Result<(), StoreError> {
    let all = sqlx::query_scalar!(
        "select code from certvakt.certification_types where organisation_id = $1",
        organisation_id
    )
    .fetch_all(tx)
    .await?;
    if all.iter().any(|known| known == code) {
        return Ok(());
    }
    Err(unknown("type", "add", code, all.iter().map(String::as_str)))
}

/// The error for a name that does not exist, with the nearest one. `creates` is the subcommand that creates one.
pub(super) fn unknown<'a>(
    what: &'static str,
    creates: &str,
    name: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> StoreError {
    let hint = match nearest(name, known.clone()) {
        Some(near) => format!("did you mean '{near}'?"),
        None if known.clone().next().is_none() => {
            format!("none exists yet, add one with `certvakt {what} {creates}`")
        }
        None => format!("known are {}", known.take(10).collect::<Vec<_>>().join(", ")),
    };
    StoreError::Unknown { what, name: name.to_owned(), hint }
}

/// The result of adding or changing something that has a short name and a name.
pub(crate) fn added<T>(
    result: Result<T, sqlx::Error>,
    what: &'static str,
    name: &str,
) -> Result<T, StoreError> {
    on_constraint(result, |constraint| {
        Some(Err(match constraint {
            taken if ["_key", "_pkey", "_unique"].iter().any(|end| taken.ends_with(end)) => {
                StoreError::Exists { what, name: name.to_owned() }
            }
            form if form.ends_with("_slug_form") || form.ends_with("_code_form") => {
                StoreError::Invalid(format!(
                    "'{name}' is not a valid short name for a {what}: use at most 63 lower-case letters, digits and hyphens"
                ))
            }
            form if form.ends_with("_name_form") => {
                StoreError::Invalid("a name must have 1 to 200 characters: give it with --name".to_owned())
            }
            // The stage was removed after `check_declared`.
            declared if declared.ends_with("_lead_times_declared") => StoreError::Invalid(
                "a lead time is not declared any more: `certvakt stage list` shows those that are".to_owned(),
            ),
            range if range.ends_with("_validity_range") => StoreError::Invalid(
                "a validity must be between 1 and 1200 months: write it like 24mo or 2y".to_owned(),
            ),
            _ => return None,
        }))
    })
}

struct Row {
    id: Uuid,
    slug: String,
    name: String,
    zone: Zone,
    locale: String,
    run_at: NaiveTime,
    deliver_from: NaiveTime,
    deliver_until: NaiveTime,
    expired_grace_days: i16,
    run_limit_floor: i64,
    run_limit_percent: i16,
    names_certification: bool,
    digest_names: bool,
    lead_times: Vec<i32>,
    lead_times_of_types: Option<Json<LeadTimesOfTypes>>,
    declared: Vec<i32>,
}

/// The lead times of the types that select for themselves, by the code of the type.
pub(crate) type LeadTimesOfTypes = BTreeMap<String, Vec<u16>>;

/// The stages of an organisation's settings.
pub(crate) fn selection(
    lead_times: &[i32],
    of_types: Option<Json<LeadTimesOfTypes>>,
    grace_days: i16,
) -> Selection {
    let of_types = of_types.map(|of_types| of_types.0).unwrap_or_default();
    Selection::new(&days(lead_times).collect::<Vec<_>>(), of_types, grace_days.unsigned_abs())
}

/// Days as the schema limits them.
pub(crate) fn days(days: &[i32]) -> impl Iterator<Item = u16> + '_ {
    days.iter().filter_map(|days| u16::try_from(*days).ok())
}

impl From<Row> for Organisation {
    fn from(row: Row) -> Self {
        Self {
            zone: row.zone.0,
            id: row.id,
            slug: row.slug,
            name: row.name,
            locale: row.locale,
            run_at: row.run_at,
            hours: DeliveryHours { from: row.deliver_from, until: row.deliver_until },
            selection: selection(&row.lead_times, row.lead_times_of_types, row.expired_grace_days),
            declared: days(&row.declared).map(Stage::Warning).collect(),
            limit_floor: row.run_limit_floor,
            limit_percent: row.run_limit_percent.unsigned_abs(),
            names_certification: row.names_certification,
            digest_names: row.digest_names,
        }
    }
}
