//! The people whom the caller may see.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{CallerTx, Role, StoreError};

/// A person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The person's id.
    pub id: Uuid,
    /// The person's name.
    pub name: Option<String>,
    /// The language that the person chose.
    pub locale: Option<String>,
    /// The time at which the person's data was erased, if it was.
    pub erased_at: Option<DateTime<Utc>>,
}

/// A filter of people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PersonFilter {
    /// Only members of this chapter.
    pub chapter_id: Option<Uuid>,
    /// Only people whose name contains this text.
    pub text: Option<String>,
}

/// Members of the chapters that the caller may see, by name, starting after the cursor `after`.
pub async fn people(
    tx: &mut CallerTx,
    which: &PersonFilter,
    after: Option<Uuid>,
    limit: u32,
) -> Result<Vec<Person>, StoreError> {
    Ok(sqlx::query_file_as!(
        Person,
        "src/caller/people.sql",
        i64::from(limit),
        after,
        which.chapter_id,
        which.text.as_deref().map(super::search::containing),
    )
    .fetch_all(tx)
    .await?)
}

/// One person, if the caller may see them.
pub async fn person(tx: &mut CallerTx, id: Uuid) -> Result<Option<Person>, StoreError> {
    Ok(sqlx::query_as!(
        Person,
        "select p.id, p.locale, p.erased_at, coalesce((
           select n.name from certvakt.person_names n where n.person_id = p.id order by n.organisation_id limit 1),
           p.name) as name
         from certvakt.people p where p.id = $1",
        id,
    )
    .fetch_optional(tx)
    .await?)
}

/// A membership, with its person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberOf {
    /// The person.
    pub person_id: Uuid,
    /// The organisation.
    pub organisation_id: Uuid,
    /// The chapter.
    pub chapter_id: Uuid,
    /// The role.
    pub role: Role,
}
crate::rows_read::of_organisation!(MemberOf);

/// The memberships of some people in the chapters that the caller may see.
pub async fn memberships_of(tx: &mut CallerTx, people: &[Uuid]) -> Result<Vec<MemberOf>, StoreError> {
    let found = sqlx::query_as!(
        MemberOf,
        r#"select person_id as "person_id!", organisation_id as "organisation_id!", chapter_id as "chapter_id!", role as "role!: Role"
           from certvakt.visible_memberships where person_id = any ($1) order by organisation_id, chapter_id, role"#,
        people,
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.saw(&found);
    Ok(found)
}

/// The names of some people, as far as the caller may see them.
pub async fn names(tx: &mut CallerTx, people: &[Uuid]) -> Result<HashMap<Uuid, String>, StoreError> {
    if people.is_empty() {
        return Ok(HashMap::new());
    }
    let found = sqlx::query!(
        r#"select p.id, coalesce((
             select n.name from certvakt.person_names n where n.person_id = p.id order by n.organisation_id limit 1),
             p.name) as "name?"
           from certvakt.people p where p.id = any ($1)"#,
        people,
    );
    let found = found.fetch_all(tx).await?;
    Ok(found.into_iter().filter_map(|row| Some((row.id, row.name?))).collect())
}
