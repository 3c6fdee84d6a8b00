//! Changes of a certification: renewals, corrections, suspensions, withdrawals.

use std::collections::HashMap;
use std::future::Future;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;
use sqlx::types::Json;
use sqlx::{Executor, Postgres};
use uuid::Uuid;

use super::rows_read::OfOrganisation;
use super::{RegistrarTx, StoreError, TenantTx, WorkerTx};

/// A certification, as whoever changes it needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurrentState {
    /// The organisation that certified.
    pub organisation_id: Uuid,
    /// The organisation's time zone, a name of the IANA database.
    pub time_zone: String,
    /// When it was issued.
    pub issued_at: Option<DateTime<Utc>>,
    /// When it ends; none: never.
    pub expires_at: Option<DateTime<Utc>>,
    /// `active`, `expired` or `suspended`.
    pub status: String,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// How long its type is valid, in months.
    pub validity_months: Option<i16>,
    /// From when that is counted.
    pub renewal_rule: String,
    /// Whether it was withdrawn.
    pub is_withdrawn: bool,
    /// Whether its history has the entry that was asked about.
    pub is_made: bool,
}

impl OfOrganisation for CurrentState {
    fn organisation_id(&self) -> Uuid {
        self.organisation_id
    }
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// It is made.
    Yes,
    /// The certification has changed since it was seen, or is not theirs to change.
    NotAsSeen,
    /// The database takes no more entries.
    HistoryFull,
    /// It was withdrawn meanwhile.
    Withdrawn,
    /// Its mentor was erased.
    Erased,
    /// It has lapsed, and is not reinstated by wishing.
    Lapsed,
}

/// Whoever may change certifications: the register's keeper, or a person as far as policies let them.
pub trait Keeper: Send {
    /// A certification, if it is theirs to see, and whether its history has an entry of that id.
    fn standing(
        &mut self,
        id: Uuid,
        entry: Uuid,
    ) -> impl Future<Output = Result<Option<CurrentState>, StoreError>> + Send;

    /// Changes a certification that stands as it was seen. `said` is what its history says beside the
    /// dates. Whatever but success ends the transaction, but for [`Made::NotAsSeen`].
    fn change(
        &mut self,
        id: Uuid,
        seen: DateTime<Utc>,
        expires_at: Option<DateTime<Utc>>,
        status: &str,
        said: &Value,
    ) -> impl Future<Output = Result<Made, StoreError>> + Send;
}

impl Keeper for RegistrarTx {
    async fn standing(&mut self, id: Uuid, entry: Uuid) -> Result<Option<CurrentState>, StoreError> {
        standing(self, id, entry).await
    }

    async fn change(
        &mut self,
        id: Uuid,
        seen: DateTime<Utc>,
        expires_at: Option<DateTime<Utc>>,
        status: &str,
        said: &Value,
    ) -> Result<Made, StoreError> {
        change(self, id, seen, expires_at, status, said).await
    }
}

impl Keeper for TenantTx {
    async fn standing(&mut self, id: Uuid, entry: Uuid) -> Result<Option<CurrentState>, StoreError> {
        let found = standing(&mut *self, id, entry).await?;
        self.saw(found.as_slice());
        Ok(found)
    }

    async fn change(
        &mut self,
        id: Uuid,
        seen: DateTime<Utc>,
        expires_at: Option<DateTime<Utc>>,
        status: &str,
        said: &Value,
    ) -> Result<Made, StoreError> {
        change(self, id, seen, expires_at, status, said).await
    }
}

async fn standing<'c>(
    tx: impl Executor<'c, Database = Postgres>,
    id: Uuid,
    entry: Uuid,
) -> Result<Option<CurrentState>, StoreError> {
    Ok(sqlx::query_file_as!(CurrentState, "src/store/renewal/standing.sql", id, entry.to_string())
        .fetch_optional(tx)
        .await?)
}

async fn change<'c>(
    tx: impl Executor<'c, Database = Postgres>,
    id: Uuid,
    seen: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    status: &str,
    said: &Value,
) -> Result<Made, StoreError> {
    let changed = sqlx::query_scalar!(
        r#"select certvakt.change_certification($1, $2, $3, $4, $5) as "is_changed!""#,
        id,
        seen,
        expires_at,
        status,
        said,
    );
    match changed.fetch_one(tx).await {
        Ok(true) => Ok(Made::Yes),
        Ok(false) => Ok(Made::NotAsSeen),
        Err(error) => match error.as_database_error().and_then(|refused| refused.constraint()) {
            Some("history_full") => Ok(Made::HistoryFull),
            Some("certification_withdrawn") => Ok(Made::Withdrawn),
            Some("person_erased") => Ok(Made::Erased),
            Some("certification_lapsed") => Ok(Made::Lapsed),
            _ => Err(error.into()),
        },
    }
}

/// An entry of a history, with what was written about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// Which entry, from 1.
    pub number: i64,
    /// The entry, as it was written.
    pub entry: Value,
    /// What shows that it was earned.
    pub evidence: Option<String>,
    /// A note.
    pub note: Option<String>,
    /// Whether there were words, and they were erased.
    pub is_erased: bool,
}

/// The history of a certification that who is asking may see, the oldest entry first.
pub async fn history(tx: &mut TenantTx, certification: Uuid) -> Result<Vec<Written>, StoreError> {
    Ok(sqlx::query_as!(
        Written,
        r#"select number as "number!", entry as "entry!", evidence, note, is_erased as "is_erased!"
           from certvakt.history_of($1) order by number"#,
        certification,
    )
    .fetch_all(tx)
    .await?)
}

/// What was written about a renewal.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Remarks {
    /// The salt of its digest, in hex.
    pub salt: String,
    /// What shows that it was earned.
    pub evidence: Option<String>,
    /// A note.
    pub note: Option<String>,
}

/// A certification with its whole history.
#[derive(Debug, Clone, PartialEq)]
pub struct CertificationHistory {
    /// Its id.
    pub id: Uuid,
    /// The organisation that certified.
    pub organisation_id: Uuid,
    /// The organisation's short name.
    pub organisation: String,
    /// The organisation's time zone, a name of the IANA database.
    pub time_zone: String,
    /// The name of the chapter that it belongs to now.
    pub chapter: String,
    /// The mentor.
    pub mentor_id: Uuid,
    /// Its id in the organisation's register.
    pub external_id: Option<String>,
    /// The name of its type.
    pub type_name: String,
    /// When it was issued.
    pub issued_at: Option<DateTime<Utc>>,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
    /// When it ends; none: never.
    pub expires_at: Option<DateTime<Utc>>,
    /// `active`, `expired` or `suspended`.
    pub status: String,
    /// The entries, as they were written, the oldest first.
    pub history: Json<Vec<Value>>,
    /// What was written about them, by the entry's id.
    pub words: Json<HashMap<Uuid, Remarks>>,
}

/// Which certifications to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryFilter {
    /// Of an organisation.
    pub organisation_id: Option<Uuid>,
    /// Of the chapter of that short name.
    pub chapter: Option<String>,
    /// Of a person.
    pub person_id: Option<Uuid>,
    /// Those without a history as well.
    pub with_none: bool,
}

/// Certifications with their histories, by id, after the last one seen.
pub async fn histories(
    tx: &mut WorkerTx,
    which: &HistoryFilter,
    after: Uuid,
    limit: i64,
) -> Result<Vec<CertificationHistory>, StoreError> {
    Ok(sqlx::query_file_as!(
        CertificationHistory,
        "src/store/renewal/histories.sql",
        after,
        limit,
        which.organisation_id,
        which.chapter,
        which.person_id,
        which.with_none,
    )
    .fetch_all(tx)
    .await?)
}

/// The notices of some certifications: which certification, which stage, when it was recorded.
pub async fn told(
    tx: &mut WorkerTx,
    certifications: &[Uuid],
) -> Result<Vec<(Uuid, String, DateTime<Utc>)>, StoreError> {
    let found = sqlx::query!(
        "select certification_id, notification_type, sent_at from public.cert_notification_log
         where certification_id = any ($1) order by certification_id, id",
        certifications,
    );
    let found = found.fetch_all(tx).await?;
    Ok(found.into_iter().map(|row| (row.certification_id, row.notification_type, row.sent_at)).collect())
}

/// Before when notices may have been deleted for their age; none: none has been.
pub async fn log_deleted_before(tx: &mut WorkerTx) -> Result<Option<DateTime<Utc>>, StoreError> {
    let found = sqlx::query_scalar!("select log_deleted_before from certvakt.installation");
    Ok(found.fetch_optional(tx).await?.flatten())
}

/// Certifications whose histories are long, by organisation: its short name, and how many.
pub async fn long_histories(tx: &mut WorkerTx) -> Result<Vec<(String, i64)>, StoreError> {
    let found = sqlx::query!(
        r#"select o.slug, count(*) as "number!"
           from certvakt.long_histories l
           join public.peer_mentor_certifications c on c.id = l.certification_id
           join certvakt.organisations o on o.id = c.organisation_id
           group by o.slug order by o.slug"#
    );
    Ok(found.fetch_all(tx).await?.into_iter().map(|row| (row.slug, row.number)).collect())
}

/// With more entries than this a history is long.
pub async fn long_history(tx: &mut RegistrarTx) -> Result<i32, StoreError> {
    let found = sqlx::query_scalar!("select long_history from certvakt.installation");
    Ok(found.fetch_optional(tx).await?.unwrap_or(500))
}

/// Sets with more than how many entries a history is long.
pub async fn set_long_history(tx: &mut RegistrarTx, entries: i32) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into certvakt.installation (long_history) values ($1)
         on conflict (only_row) do update set long_history = excluded.long_history",
        entries,
    )
    .execute(&mut *tx)
    .await?;
    // What is not long any more is news when it is again.
    sqlx::query!(
        "delete from certvakt.long_histories l using public.peer_mentor_certifications c
         where c.id = l.certification_id and certvakt.length_of_history(c.id, c.renewal_history) <= $1",
        entries,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Writes to the administrators of organisations whose histories have grown long, each time once.
pub async fn tell_of_long_histories(tx: &mut WorkerTx) -> Result<(), StoreError> {
    sqlx::query_file!("src/store/renewal/tell_of_long.sql").execute(tx).await?;
    Ok(())
}

/// How many certifications of an organisation have a history that is to be moved to rows of its own.
pub async fn to_normalise(tx: &mut WorkerTx, organisation_id: Uuid) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "number!" from public.peer_mentor_certifications c
           where c.organisation_id = $1 and c.renewal_history <> '[]'
             and not exists (select from certvakt.certification_renewal_events e where e.certification_id = c.id)"#,
        organisation_id,
    )
    .fetch_one(tx)
    .await?)
}

/// Histories that were moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// The last certification; none: there was none after the last one seen.
    pub last: Option<Uuid>,
    /// How many.
    pub certifications: i64,
    /// Their entries.
    pub entries: i64,
}

/// Moves the histories of an organisation's next few certifications, each whole.
pub async fn normalise(
    tx: &mut WorkerTx,
    organisation_id: Uuid,
    after: Uuid,
    batch: i32,
) -> Result<Moved, StoreError> {
    Ok(sqlx::query_as!(
        Moved,
        r#"select last, certifications as "certifications!", entries as "entries!"
           from certvakt.normalise_histories($1, $2, $3)"#,
        organisation_id,
        after,
        batch,
    )
    .fetch_one(tx)
    .await?)
}

/// Certifications whose rows and own field do not hold the same, of an organisation or of all: the first
/// hundred; and how many have rows at all.
pub async fn differences(
    tx: &mut WorkerTx,
    organisation_id: Option<Uuid>,
) -> Result<(i64, Vec<Uuid>), StoreError> {
    let found = sqlx::query_file!("src/store/renewal/differences.sql", organisation_id).fetch_one(tx).await?;
    Ok((found.moved, found.different))
}
