//! The queries and changes of people. Every function takes the caller's transaction, and row-level security
//! decides which rows it reaches.

pub mod access;
pub mod addresses;
pub mod alarms;
mod certifications;
pub mod change_results;
pub mod chapters;
pub mod confirmations;
pub mod contact_points;
pub mod contacts;
pub mod devices;
pub mod digest;
pub mod explanation;
mod kept_form;
pub mod keys;
pub mod letters;
mod list;
pub mod listings;
pub mod mentor;
pub mod notices;
pub mod opt_outs;
mod organisations;
pub mod outlook;
pub mod overview;
pub mod partners;
pub mod people;
mod profile;
mod search;
pub mod sessions;
pub mod staff;
pub mod uploads;

use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

pub use self::certifications::{
    Certification, Certified, NewCertification, Notice, certification, certifications_by_id,
    certifications_of, certify, hold_mentor, latest_notices, notices, unreachable,
};
pub use self::kept_form::{KeptForm, discard_kept_form, kept_form};
pub use self::list::{
    After, Filter, InState, Place, RangeOfType, certifications, certifications_by_name, matching, places,
};
pub use self::organisations::{Organisation, organisations};
pub use self::profile::{Profile, profile};
use super::error::code_of;
use super::rows_read::of_organisation;
use super::{CallerTx, Role, StoreError};

of_organisation!(Membership, Chapter);

/// A person's role in a chapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The organisation.
    pub organisation_id: Uuid,
    /// The chapter.
    pub chapter_id: Uuid,
    /// The role.
    pub role: Role,
}

/// The caller's memberships.
pub async fn memberships(tx: &mut CallerTx) -> Result<Vec<Membership>, StoreError> {
    let found = sqlx::query_as!(
        Membership,
        r#"select organisation_id as "organisation_id!", chapter_id as "chapter_id!", role as "role!: Role"
           from certvakt.visible_memberships
           where person_id = (select certvakt.current_person()) order by organisation_id, chapter_id, role"#
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.saw(&found);
    Ok(found)
}

/// The check of a login at the start of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    /// The person; `None` if no person is linked to the login.
    pub person_id: Option<Uuid>,
    /// The organisations that the person is a member of, or that certified them.
    pub organisations: Vec<Uuid>,
    /// Whether people's access to certifications is closed for one of these organisations.
    pub is_closed: bool,
    /// The sequence number of this request in the access log, if the login is linked to a person.
    pub number: Option<i64>,
}

/// Checks the caller. The worker's role runs it before the transaction switches to the caller's role, because
/// only the worker may take a sequence number of the access log.
pub(super) const ADMISSION: &str =
    "select person_id, organisations, is_closed, number from certvakt.admission()";

impl Admission {
    /// Reads the row of [`ADMISSION`].
    pub(super) fn of(row: &PgRow) -> Result<Self, StoreError> {
        Ok(Self {
            person_id: row.try_get(0)?,
            organisations: row.try_get(1)?,
            is_closed: row.try_get(2)?,
            number: row.try_get(3)?,
        })
    }
}

/// Whether the caller administers an organisation.
pub async fn is_administrator(tx: &mut CallerTx) -> Result<bool, StoreError> {
    let found = sqlx::query_scalar!(
        r#"select exists (
             select from certvakt.visible_memberships m
             where m.person_id = (select certvakt.current_person()) and m.role = 'org_admin') as "is_administrator!""#
    );
    Ok(found.fetch_one(tx).await?)
}

/// The organisations of the caller's login. The query adds nothing to the access log.
pub async fn organisations_of_login(tx: &mut CallerTx) -> Result<Vec<Uuid>, StoreError> {
    Ok(sqlx::query_scalar!(r#"select certvakt.current_organisations() as "organisations!""#)
        .fetch_one(tx)
        .await?)
}

/// A chapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chapter {
    /// Its id.
    pub id: Uuid,
    /// Its organisation.
    pub organisation_id: Uuid,
    /// The parent chapter, which the caller may not be able to see; null at the top.
    pub parent_id: Option<Uuid>,
    /// Its name.
    pub name: String,
}

/// The chapters that the caller coordinates or belongs to.
pub async fn chapters(tx: &mut CallerTx) -> Result<Vec<Chapter>, StoreError> {
    let found = sqlx::query_as!(
        Chapter,
        r#"select id, organisation_id, parent_id, name from certvakt.chapters
           order by organisation_id, certvakt.alphabetical(name), id"#
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.saw(&found);
    Ok(found)
}

/// The outcome of accepting an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acceptance {
    /// The login is now linked to this person.
    Accepted(Uuid),
    /// The invitation is unknown, used or expired.
    NotInvited,
    /// The login is already linked to another person.
    LoginTaken,
}

/// Queues an invitation by e-mail. Returns false unless the person exists, has an e-mail address, and the
/// caller may invite them.
pub async fn invite(tx: &mut CallerTx, person: Uuid) -> Result<bool, StoreError> {
    let invited = sqlx::query_scalar!(r#"select certvakt.invite($1) as "invited!""#, person);
    Ok(invited.fetch_one(tx).await?)
}

/// Links the caller's login to the invited person. Any other outcome than an acceptance has ended the
/// transaction.
pub async fn accept_invitation(tx: &mut CallerTx, token: &str) -> Result<Acceptance, StoreError> {
    let accepted = sqlx::query_scalar!(r#"select certvakt.accept_invitation($1) as "id!""#, token);
    match accepted.fetch_one(tx).await {
        Ok(person) => Ok(Acceptance::Accepted(person)),
        Err(error) => match code_of(&error).as_deref() {
            Some("P0002") => Ok(Acceptance::NotInvited),
            Some("23505") => Ok(Acceptance::LoginTaken),
            _ => Err(error.into()),
        },
    }
}
