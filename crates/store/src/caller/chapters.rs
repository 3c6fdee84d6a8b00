//! The chapters that the caller manages, with their people, and a chapter's hand-over to a new coordinator.

use uuid::Uuid;

use crate::rows_read::of_organisation;
use crate::{CallerTx, StoreError};

of_organisation!(ChapterPeople);

/// A chapter with its people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChapterPeople {
    /// Its id.
    pub id: Uuid,
    /// Its organisation.
    pub organisation_id: Uuid,
    /// Its name.
    pub name: String,
    /// Whether the caller administers its organisation.
    pub is_administered: bool,
    /// The number of its mentors.
    pub mentors: i64,
    /// The names of its coordinators.
    pub coordinators: Vec<String>,
    /// Whether it has mentors, and neither it nor a chapter above has a coordinator.
    pub lacks_coordinator: bool,
}

/// The chapters that the caller manages, by name.
pub async fn with_people(tx: &mut CallerTx) -> Result<Vec<ChapterPeople>, StoreError> {
    let found = sqlx::query_file_as!(ChapterPeople, "src/caller/chapters.sql").fetch_all(&mut *tx).await?;
    tx.saw(&found);
    Ok(found)
}

/// The names of the chapters of organisations that the caller administers that have mentors but no coordinator, also not
/// above them.
pub async fn without_coordinator(tx: &mut CallerTx) -> Result<Vec<String>, StoreError> {
    let found = sqlx::query_scalar!(
        r#"select name as "name!" from certvakt.chapters_without_coordinator
           where certvakt.administers(organisation_id) order by organisation_id, certvakt.alphabetical(name), chapter_id"#
    );
    Ok(found.fetch_all(tx).await?)
}

/// Somebody who coordinates a chapter, or can.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The person.
    pub person_id: Uuid,
    /// Their name.
    pub name: String,
    /// The names of their chapters in the organisation that the caller may see.
    pub chapters: Vec<String>,
}

/// The coordinators of a chapter, by name.
pub async fn coordinators(tx: &mut CallerTx, chapter: Uuid) -> Result<Vec<Member>, StoreError> {
    Ok(sqlx::query_file_as!(Member, "src/caller/coordinators.sql", chapter).fetch_all(tx).await?)
}

/// People of an organisation whose name contains a text, by name.
pub async fn members(
    tx: &mut CallerTx,
    organisation: Uuid,
    text: &str,
    limit: u32,
) -> Result<Vec<Member>, StoreError> {
    let pattern = super::search::containing(text);
    let found =
        sqlx::query_file_as!(Member, "src/caller/members.sql", organisation, pattern, i64::from(limit));
    Ok(found.fetch_all(tx).await?)
}

/// Makes somebody coordinator of a chapter, and ends that role of others. Returns false if the caller may not, or if the
/// successor does not belong to the organisation.
pub async fn hand_over(
    tx: &mut CallerTx,
    chapter: Uuid,
    successor: Uuid,
    relieved: &[Uuid],
) -> Result<bool, StoreError> {
    let is_done = sqlx::query_scalar!(
        r#"select certvakt.hand_over_chapter($1, $2, $3) as "is_done!""#,
        chapter,
        successor,
        relieved,
    );
    Ok(is_done.fetch_one(tx).await?)
}
