//! The outlook: when the valid certifications of the caller's chapters expire, and how many mentors a chapter needs.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::rows_read::of_organisation;
use crate::{CallerTx, StoreError};

of_organisation!(ManagedChapter);

/// A chapter that the caller manages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManagedChapter {
    /// Its id.
    pub id: Uuid,
    /// Its organisation.
    pub organisation_id: Uuid,
    /// Its name.
    pub name: String,
    /// The number of valid mentors that it needs, if somebody has set it.
    pub required_mentors: Option<i16>,
}

/// The chapters that the caller manages, by name.
pub async fn managed_chapters(tx: &mut CallerTx) -> Result<Vec<ManagedChapter>, StoreError> {
    let found = sqlx::query_as!(
        ManagedChapter,
        r#"select id, organisation_id, name, required_mentors from certvakt.chapters
           where id = any ((select certvakt.visible_chapters())::uuid[])
           order by organisation_id, certvakt.alphabetical(name), id"#
    );
    let found = found.fetch_all(&mut *tx).await?;
    tx.saw(&found);
    Ok(found)
}

/// The valid certifications of a chapter that expire in a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiring {
    /// The chapter.
    pub chapter_id: Uuid,
    /// The number of months from the present one; `None` for later than the last month, or never.
    pub month: Option<i32>,
    /// The number of certifications.
    pub certifications: i64,
    /// The number of mentors of whom no certification of the chapter is valid afterwards.
    pub mentors: i64,
}

/// The valid certifications of the chapters that the caller manages, by the month in which they expire. `days` are the organisations with the start of today in each.
pub async fn expiring(
    tx: &mut CallerTx,
    days: &[(Uuid, DateTime<Utc>)],
    months: u32,
) -> Result<Vec<Expiring>, StoreError> {
    let (organisations, today): (Vec<Uuid>, Vec<DateTime<Utc>>) = days.iter().copied().unzip();
    let found = sqlx::query_file_as!(
        Expiring,
        "src/caller/outlook.sql",
        &organisations,
        &today,
        i32::try_from(months).unwrap_or(i32::MAX),
    );
    Ok(found.fetch_all(tx).await?)
}

/// Sets how many valid mentors a chapter needs. Returns false if the caller does not administer its organisation.
pub async fn require_mentors(
    tx: &mut CallerTx,
    chapter: Uuid,
    number: Option<i16>,
) -> Result<bool, StoreError> {
    let set =
        sqlx::query_scalar!(r#"select certvakt.require_mentors($1, $2) as "is_set!""#, chapter, number,);
    Ok(set.fetch_one(tx).await?)
}
