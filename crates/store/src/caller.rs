//! The queries and changes of people. Every function takes the caller's transaction, and row-level security
//! decides which rows it reaches.

pub mod confirmations;
pub mod devices;
pub mod keys;
pub mod listings;
pub mod notices;
pub mod opt_outs;
mod organisations;
pub mod overview;
pub mod partners;
pub mod people;
pub mod sessions;
pub mod uploads;

use certvakt_rules::Stages;
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::Row;
use sqlx::postgres::PgRow;
use sqlx::postgres::types::PgRange;
use uuid::Uuid;

pub use self::organisations::{Organisation, organisations};
use super::error::{code_of, on_constraint};
use super::organisation::days;
use super::{CallerTx, CertificationStatus, DeliveryState, StoreError, Zone};

/// Implements the count of read rows for types with a column `organisation_id`.
macro_rules! of_organisation {
    ($($row:ty),+ $(,)?) => {
        $(impl $crate::rows_read::OfOrganisation for $row {
            fn organisation_id(&self) -> Uuid {
                self.organisation_id
            }
        })+
    };
}
use of_organisation;
of_organisation!(Membership, Chapter, Certification, Notice);

/// The caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Me {
    /// The person's id.
    pub person_id: Uuid,
    /// The person's name.
    pub name: Option<String>,
    /// The language that the person chose, if any.
    pub locale: Option<String>,
}

/// The caller's person; `None` if no person is linked to the login.
pub async fn me(tx: &mut CallerTx) -> Result<Option<Me>, StoreError> {
    Ok(sqlx::query_as!(
        Me,
        "select p.id as person_id, p.locale, coalesce(p.name, (
           select n.name from certvakt.person_names n where n.person_id = p.id order by n.organisation_id limit 1)) as name
         from certvakt.people p where p.id = (select certvakt.current_person())"
    )
    .fetch_optional(tx)
    .await?)
}

/// A person's role in a chapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The organisation.
    pub organisation_id: Uuid,
    /// The chapter.
    pub chapter_id: Uuid,
    /// `mentor`, `coordinator` or `org_admin`.
    pub role: String,
}

/// The caller's memberships.
pub async fn memberships(tx: &mut CallerTx) -> Result<Vec<Membership>, StoreError> {
    let found = sqlx::query_as!(
        Membership,
        r#"select organisation_id as "organisation_id!", chapter_id as "chapter_id!", role as "role!"
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
        "select id, organisation_id, parent_id, name from certvakt.chapters order by organisation_id, name, id"
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.saw(&found);
    Ok(found)
}

/// A certification that the caller may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certification {
    /// Its id.
    pub id: Uuid,
    /// The organisation that certified.
    pub organisation_id: Uuid,
    /// The chapter that certified.
    pub chapter_id: Uuid,
    /// The chapter's name; `None` if the caller may not see it.
    pub chapter: Option<String>,
    /// The mentor.
    pub mentor_id: Uuid,
    /// The mentor's name, if there is one.
    pub mentor: Option<String>,
    /// Whether the mentor was erased, and so has no name.
    pub is_mentor_erased: bool,
    /// The code of the certification's type.
    pub type_code: String,
    /// The name of the certification's type.
    pub type_name: Option<String>,
    /// The certification's id in the organisation's register.
    pub external_id: Option<String>,
    /// The time of issue.
    pub issued_at: Option<DateTime<Utc>>,
    /// The end of the validity; `None` if it does not expire.
    pub expires_at: Option<DateTime<Utc>>,
    /// The status.
    pub status: CertificationStatus,
    /// The last day of a suspension that ends by itself.
    pub suspended_until: Option<NaiveDate>,
    /// The time of the last change.
    pub updated_at: DateTime<Utc>,
    /// The organisation's time zone.
    pub zone: Zone,
    /// The number of days for which the stage `expired` stays current.
    pub expired_grace_days: i16,
    /// The lead times in days that its type or its organisation selected.
    pub lead_times: Vec<i32>,
}

impl Certification {
    /// Its stages.
    pub fn stages(&self) -> Stages {
        Stages::new(&days(&self.lead_times).collect::<Vec<_>>(), self.expired_grace_days.unsigned_abs())
    }
}

/// The range of expiry times of a type that are in a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InStage {
    /// The organisation.
    pub organisation_id: Uuid,
    /// The type's code.
    pub type_code: String,
    /// The start of the range.
    pub since: DateTime<Utc>,
    /// The end of the range, exclusive.
    pub before: DateTime<Utc>,
}

/// A filter of certifications.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only certifications of this chapter.
    pub chapter_id: Option<Uuid>,
    /// Only certifications of the type with this code.
    pub type_code: Option<String>,
    /// Only certifications whose mentor's name or register id contains this text.
    pub text: Option<String>,
    /// Only certifications in a stage, by these ranges of expiry times.
    pub in_stage: Option<Vec<InStage>>,
}

/// A cursor in a list of certifications: the expiry and the id of the last one on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct After {
    /// The expiry; `None` for a certification that does not expire.
    pub expires_at: Option<DateTime<Utc>>,
    /// The id.
    pub id: Uuid,
}

/// The certifications that the caller may see, the next to expire first.
pub async fn certifications(
    tx: &mut CallerTx,
    filter: &Filter,
    after: Option<After>,
    limit: u32,
) -> Result<Vec<Certification>, StoreError> {
    let (expiry, id) = match after {
        None => ("-infinity".to_owned(), Uuid::nil()),
        Some(After { expires_at, id }) => {
            (expires_at.map_or("infinity".to_owned(), |at| at.to_rfc3339()), id)
        }
    };
    let text = filter.text.as_deref().map(containing);
    let stage = filter.in_stage.as_deref();
    let types: Option<Vec<String>> =
        stage.map(|all| all.iter().map(|one| format!("{}/{}", one.organisation_id, one.type_code)).collect());
    let ranges: Option<Vec<PgRange<DateTime<Utc>>>> =
        stage.map(|all| all.iter().map(|one| PgRange::from(one.since..one.before)).collect());
    let found = sqlx::query_file_as!(
        Certification,
        "src/caller/page.sql",
        i64::from(limit),
        expiry,
        id,
        filter.chapter_id,
        filter.type_code,
        text,
        types.as_deref(),
        ranges.as_deref(),
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.saw(&found);
    Ok(found)
}

/// A LIKE pattern for texts that contain this one, with its special characters escaped. The database folds the pattern
/// and the texts in the same way.
fn containing(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}

/// One certification, if the caller may see it.
pub async fn certification(tx: &mut CallerTx, id: Uuid) -> Result<Option<Certification>, StoreError> {
    Ok(some(tx, Some(id), None).await?.pop())
}

/// The certifications of a person that the caller may see, the next to expire first.
pub async fn certifications_of(tx: &mut CallerTx, person: Uuid) -> Result<Vec<Certification>, StoreError> {
    some(tx, None, Some(person)).await
}

async fn some(
    tx: &mut CallerTx,
    id: Option<Uuid>,
    person: Option<Uuid>,
) -> Result<Vec<Certification>, StoreError> {
    let found = sqlx::query_file_as!(
        Certification,
        "src/caller/by_certification_or_mentor.sql",
        id as _,
        person as _
    );
    let found = found.fetch_all(&mut *tx).await?;
    tx.saw(&found);
    Ok(found)
}

/// A notice, as people may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The organisation that certified.
    pub organisation_id: Uuid,
    /// The stage.
    pub stage: String,
    /// The day on which it came due.
    pub due_date: NaiveDate,
    /// The time at which the run recorded it.
    pub recorded_at: DateTime<Utc>,
    /// The state of its delivery.
    pub state: DeliveryState,
    /// The reason of the state, if there is one.
    pub reason: Option<String>,
    /// The time at which its delivery ended.
    pub finished_at: Option<DateTime<Utc>>,
}

/// The notices of a certification, oldest first.
pub async fn notices(tx: &mut CallerTx, certification: Uuid) -> Result<Vec<Notice>, StoreError> {
    let found = sqlx::query_as!(
        Notice,
        r#"select organisation_id as "organisation_id!", stage as "stage!", due_date as "due_date!", recorded_at as "recorded_at!", state as "state!: DeliveryState",
             reason, finished_at
           from certvakt.notices_of(array[$1::uuid]) order by recorded_at, id"#,
        certification,
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.saw(&found);
    Ok(found)
}

/// A new certification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCertification<'a> {
    /// The chapter that certifies.
    pub chapter_id: Uuid,
    /// The mentor, who belongs to the chapter.
    pub mentor_id: Uuid,
    /// The code of the certification's type.
    pub type_code: &'a str,
    /// The time of issue.
    pub issued_at: Option<DateTime<Utc>>,
    /// The end of the validity; `None` if it does not expire.
    pub expires_at: Option<DateTime<Utc>>,
}

/// The outcome of recording a certification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certified {
    /// It is recorded.
    As(Uuid),
    /// The caller does not manage the chapter, or the mentor is not a member of it.
    NotTheirs,
    /// The organisation has no such type.
    UnknownType,
}

/// Records a certification. Any other outcome than success has ended the transaction.
pub async fn certify(tx: &mut CallerTx, new: &NewCertification<'_>) -> Result<Certified, StoreError> {
    let recorded = sqlx::query_scalar!(
        "insert into public.peer_mentor_certifications
           (organisation_id, chapter_id, peer_mentor_id, certification_type, issued_at, expires_at)
         select h.organisation_id, h.id, $2, $3, $4, $5 from certvakt.chapters h where h.id = $1
         returning id",
        new.chapter_id,
        new.mentor_id,
        new.type_code,
        new.issued_at,
        new.expires_at,
    );
    match recorded.fetch_optional(tx).await {
        Err(error) if code_of(&error).as_deref() == Some("42501") => Ok(Certified::NotTheirs),
        recorded => {
            let recorded = recorded.map(|id| id.map_or(Certified::NotTheirs, Certified::As));
            on_constraint(recorded, |name| {
                (name == "peer_mentor_certifications_type_inside_organisation")
                    .then_some(Ok(Certified::UnknownType))
            })
        }
    }
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
