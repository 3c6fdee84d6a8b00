//! The certifications that the caller may see, with their notices, and recording one.

use certvakt_rules::Stages;
use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use crate::error::{code_of, on_constraint};
use crate::organisation::days;
use crate::{CallerTx, CertificationStatus, DeliveryState, StoreError, Zone};

crate::rows_read::of_organisation!(Certification, Notice);

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
    /// The mentor's family name, if a register separates it.
    pub family_name: Option<String>,
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
    /// Whether it was withdrawn, and so is suspended until somebody reinstates it.
    pub is_withdrawn: bool,
    /// Whether the caller may change it: they manage its chapter, and it is not their own.
    pub is_managed: bool,
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

/// One certification, if the caller may see it.
pub async fn certification(tx: &mut CallerTx, id: Uuid) -> Result<Option<Certification>, StoreError> {
    Ok(some(tx, &[id], None).await?.pop())
}

/// Those of some certifications that the caller may see, the next to expire first.
pub async fn certifications_by_id(tx: &mut CallerTx, ids: &[Uuid]) -> Result<Vec<Certification>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    some(tx, ids, None).await
}

/// The certifications that the caller may see, in all their chapters or in one, with a notice that waits for an address that
/// works: those with the latest notices, at most `limit`.
pub async fn unreachable(
    tx: &mut CallerTx,
    chapter: Option<Uuid>,
    limit: u32,
) -> Result<Vec<Certification>, StoreError> {
    let found = sqlx::query_file_as!(
        Certification,
        "src/caller/unreachable_certifications.sql",
        chapter as _,
        i64::from(limit)
    );
    let found = found.fetch_all(&mut *tx).await?;
    tx.saw(&found);
    Ok(found)
}

/// The certifications of a person that the caller may see, the next to expire first.
pub async fn certifications_of(tx: &mut CallerTx, person: Uuid) -> Result<Vec<Certification>, StoreError> {
    some(tx, &[], Some(person)).await
}

async fn some(
    tx: &mut CallerTx,
    ids: &[Uuid],
    person: Option<Uuid>,
) -> Result<Vec<Certification>, StoreError> {
    let found =
        sqlx::query_file_as!(Certification, "src/caller/by_certification_or_mentor.sql", ids, person as _);
    let found = found.fetch_all(&mut *tx).await?;
    tx.saw(&found);
    Ok(found)
}

/// A notice, as people may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its id.
    pub id: i64,
    /// The organisation that certified.
    pub organisation_id: Uuid,
    /// The certification.
    pub certification_id: Uuid,
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
    /// The channel that accepted it.
    pub channel: Option<String>,
}

/// The notices of a certification, oldest first.
pub async fn notices(tx: &mut CallerTx, certification: Uuid) -> Result<Vec<Notice>, StoreError> {
    let mut found = latest_notices(tx, &[certification], u32::MAX).await?;
    found.reverse();
    Ok(found)
}

/// The notices of some certifications, latest first, at most `limit`.
pub async fn latest_notices(
    tx: &mut CallerTx,
    certifications: &[Uuid],
    limit: u32,
) -> Result<Vec<Notice>, StoreError> {
    let found = sqlx::query_as!(
        Notice,
        r#"select id as "id!", organisation_id as "organisation_id!", certification_id as "certification_id!", stage as "stage!",
             due_date as "due_date!", recorded_at as "recorded_at!", state as "state!: DeliveryState", reason, finished_at, channel
           from certvakt.notices_of($1) order by recorded_at desc, id desc limit $2"#,
        certifications,
        i64::from(limit),
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

/// Makes other transactions that certify a mentor through a form wait until this one ends, so that a form that is sent twice
/// at once certifies once.
pub async fn hold_mentor(tx: &mut CallerTx, mentor: Uuid) -> Result<(), StoreError> {
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1::uuid::text, 0))", mentor)
        .execute(tx)
        .await?;
    Ok(())
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
