//! The chapters that the caller manages, with their people.

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
           where certvakt.administers(organisation_id) order by organisation_id, name, chapter_id"#
    );
    Ok(found.fetch_all(tx).await?)
}
