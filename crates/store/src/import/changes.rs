//! What an import would change, for a person who decides about it.

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{DatesAre, Target};
use crate::{RegistrarTx, StoreError};

/// A row with one of its consequences.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub struct ChangedRow {
    /// `added`, `renewed`, `corrected`, `suspended`, `reinstated`, `moved`, `edited`, `unchanged` or `missing`.
    pub consequence: String,
    /// The number of rows with this consequence.
    pub number: i64,
    /// The line in the file; `None` if the certification is missing from it.
    pub line: Option<i64>,
    /// The certification's id in the register.
    pub external_id: String,
    /// The person's name.
    pub name: Option<String>,
    /// The last valid day before.
    pub valid_until_before: Option<NaiveDate>,
    /// The last valid day after; `None` if the certification does not expire.
    pub valid_until: Option<NaiveDate>,
    /// The chapter before.
    pub chapter_before: Option<String>,
    /// The chapter after.
    pub chapter: Option<String>,
}

/// The first rows with each consequence, at most `most` of each, after the rows are matched and before they are merged.
pub async fn changed_rows(
    tx: &mut RegistrarTx,
    target: &Target,
    zone: Tz,
    most: i64,
) -> Result<Vec<ChangedRow>, StoreError> {
    Ok(sqlx::query_as(include_str!("changes.sql"))
        .bind(target.organisation_id)
        .bind(zone.name())
        .bind(most)
        .bind(target.dates_are.map(DatesAre::kind))
        .fetch_all(tx)
        .await?)
}

/// A new person of a register with the name of a known one, or one who is known by a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub struct CloseMatch {
    /// The line in the file.
    pub line: i64,
    /// The key of the person in the register.
    pub key: String,
    /// The certification's id in the register.
    pub external_id: String,
    /// The name in the register.
    pub name: String,
    /// The known person.
    pub person_id: Uuid,
    /// Their name.
    pub known_name: String,
    /// The ids of their certifications in the register.
    pub known_ids: Vec<String>,
    /// The names of the chapters of their certifications.
    pub known_chapters: Vec<String>,
}

/// The first close matches, after the rows are matched and before they are merged.
pub async fn close_matches(
    tx: &mut RegistrarTx,
    target: &Target,
    most: i64,
) -> Result<Vec<CloseMatch>, StoreError> {
    Ok(sqlx::query_as(include_str!("close_matches.sql"))
        .bind(target.organisation_id)
        .bind(most)
        .bind(target.same_people.iter().map(|one| one.key.as_str()).collect::<Vec<_>>())
        .bind(target.source.chapters())
        .fetch_all(tx)
        .await?)
}
