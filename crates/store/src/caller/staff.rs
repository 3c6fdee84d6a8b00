//! People and their roles, for administrators.

use uuid::Uuid;

use crate::rows_read::of_organisation;
use crate::{CallerTx, Role, RoleEnd, StoreError};

of_organisation!(Holder, Namesake);

/// Somebody of an organisation, with their roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The organisation.
    pub organisation_id: Uuid,
    /// The person.
    pub person_id: Uuid,
    /// Their name.
    pub name: String,
    /// Whether a login is linked to them.
    pub has_login: bool,
    /// Whether they have an open invitation.
    pub is_invited: bool,
    /// Whether an invitation can be mailed to them.
    pub has_address: bool,
    /// Their roles in the organisation.
    pub roles: Vec<Held>,
}

/// A role in a chapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The role.
    pub role: Role,
    /// The chapter. An administrator's role holds in the whole organisation.
    pub chapter_id: Uuid,
    /// The name of the chapter.
    pub chapter: String,
}

/// Which people of an organisation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Which<'a> {
    /// Everybody whose name contains this text; without it, coordinators and administrators.
    pub text: Option<&'a str>,
    /// This person only.
    pub person: Option<Uuid>,
    /// The last person of the previous page.
    pub after: Option<Uuid>,
}

/// People of an organisation that the caller administers, by name; nobody if they do not.
pub async fn people(
    tx: &mut CallerTx,
    organisation: Uuid,
    which: &Which<'_>,
    limit: u32,
) -> Result<Vec<Holder>, StoreError> {
    let found = sqlx::query!(
        r#"select person_id as "person_id!", name as "name!", has_login as "has_login!", is_invited as "is_invited!",
             has_address as "has_address!", roles, chapter_ids, chapters
           from certvakt.people_of($1, certvakt.folded($2), $3, $4, $5)"#,
        organisation,
        which.text.map(super::search::containing),
        which.person,
        which.after,
        i64::from(limit),
    );
    let found = found.fetch_all(&mut *tx).await?;
    let holders: Vec<Holder> = found
        .into_iter()
        .map(|row| {
            let (ids, names) = (row.chapter_ids.unwrap_or_default(), row.chapters.unwrap_or_default());
            let held = row.roles.unwrap_or_default().into_iter().zip(ids).zip(names);
            Holder {
                organisation_id: organisation,
                person_id: row.person_id,
                name: row.name,
                has_login: row.has_login,
                is_invited: row.is_invited,
                has_address: row.has_address,
                roles: held
                    .filter_map(|((role, chapter_id), chapter)| {
                        Some(Held { role: role.parse().ok()?, chapter_id, chapter })
                    })
                    .collect(),
            }
        })
        .collect();
    tx.saw(&holders);
    Ok(holders)
}

/// Somebody of an organisation who has the name of a new person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namesake {
    /// The organisation.
    pub organisation_id: Uuid,
    /// The person.
    pub person_id: Uuid,
    /// Their name.
    pub name: String,
    /// The names of their chapters.
    pub chapters: Vec<String>,
    /// Whether they died or left.
    pub has_ended: bool,
    /// Their last certification.
    pub certification_id: Option<Uuid>,
}

/// The people of an organisation that the caller administers who have a name, written in any way that a register matches.
pub async fn namesakes(
    tx: &mut CallerTx,
    organisation: Uuid,
    name: &str,
) -> Result<Vec<Namesake>, StoreError> {
    let found = sqlx::query_as!(
        Namesake,
        r#"select $1 as "organisation_id!", person_id as "person_id!", name as "name!", chapters as "chapters!",
             has_ended as "has_ended!", certification_id
           from certvakt.namesakes($1, $2)"#,
        organisation,
        name,
    );
    let found = found.fetch_all(&mut *tx).await?;
    tx.saw(&found);
    Ok(found)
}

/// A new person of an organisation that the caller administers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Added<'a> {
    /// The new id. A repeated request with the same id has no effect.
    pub person_id: Uuid,
    /// The organisation.
    pub organisation_id: Uuid,
    /// The first role.
    pub role: Role,
    /// The chapter; `None` for an administrator.
    pub chapter_id: Option<Uuid>,
    /// The name.
    pub name: &'a str,
    /// The mail address.
    pub email: Option<&'a str>,
    /// The phone number, as E.164 writes it.
    pub phone: Option<&'a str>,
}

/// Adds a person. Returns false if the caller may not, or if the chapter does not belong to the organisation.
pub async fn add_person(tx: &mut CallerTx, new: &Added<'_>) -> Result<bool, StoreError> {
    let is_added = sqlx::query_scalar!(
        r#"select certvakt.add_person($1, $2, $3, $4, $5, $6, $7) as "is_added!""#,
        new.person_id,
        new.organisation_id,
        new.chapter_id,
        new.role.as_str(),
        new.name,
        new.email,
        new.phone,
    );
    Ok(is_added.fetch_one(tx).await?)
}

/// Makes somebody mentor or coordinator of a chapter, or administrator. Returns false if the caller may not, or if the person or the
/// chapter does not belong to the organisation.
pub async fn give_role(
    tx: &mut CallerTx,
    organisation: Uuid,
    person: Uuid,
    role: Role,
    chapter: Option<Uuid>,
) -> Result<bool, StoreError> {
    let is_given = sqlx::query_scalar!(
        r#"select certvakt.give_role($1, $2, $3, $4) as "is_given!""#,
        person,
        organisation,
        role.as_str(),
        chapter,
    );
    Ok(is_given.fetch_one(tx).await?)
}

/// Ends a role of somebody; that of the last coordinator of a chapter, and the last of a mentor, only if `may_be_last`. With
/// the last role of a mentor, their certifications must be withdrawn in the same transaction.
pub async fn end_role(
    tx: &mut CallerTx,
    organisation: Uuid,
    person: Uuid,
    role: Role,
    chapter: Option<Uuid>,
    may_be_last: bool,
) -> Result<RoleEnd, StoreError> {
    let end = sqlx::query_scalar!(
        r#"select certvakt.end_role($1, $2, $3, $4, $5) as "end!: RoleEnd""#,
        person,
        organisation,
        role.as_str(),
        chapter,
        may_be_last,
    );
    Ok(end.fetch_one(tx).await?)
}

/// Withdraws the open invitations of somebody. Returns false if the caller may not.
pub async fn withdraw_invitation(
    tx: &mut CallerTx,
    organisation: Uuid,
    person: Uuid,
) -> Result<bool, StoreError> {
    let is_withdrawn = sqlx::query_scalar!(
        r#"select certvakt.withdraw_invitation($1, $2) as "is_withdrawn!""#,
        person,
        organisation,
    );
    Ok(is_withdrawn.fetch_one(tx).await?)
}
