//! Changes of a certification: renewals, corrections, suspensions, withdrawals.

pub mod batch;

use std::collections::HashMap;
use std::future::Future;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use serde_json::Value;
use sqlx::types::Json;
use sqlx::{Executor, Postgres};
use uuid::Uuid;

use super::error::on_constraint;
use super::rows_read::OfOrganisation;
use super::{CallerTx, CertificationStatus, RegistrarTx, StoreError, WorkerTx, Zone};

/// The current state of a certification, for a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurrentState {
    /// The certification.
    pub id: Uuid,
    /// The organisation that certified.
    pub organisation_id: Uuid,
    /// The organisation's time zone.
    pub zone: Zone,
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
    /// The validity of its type, in months.
    pub validity_months: Option<i16>,
    /// The rule for the last valid day of a renewal.
    pub renewal_rule: String,
    /// The number of days before the last valid day from which the type can be renewed; `None` for any day.
    pub renewal_window_days: Option<i16>,
    /// Whether the certification was withdrawn.
    pub is_withdrawn: bool,
    /// Whether its history already has the entry of the request.
    pub has_entry: bool,
}

impl OfOrganisation for CurrentState {
    fn organisation_id(&self) -> Uuid {
        self.organisation_id
    }
}

/// The new state of a certification.
#[derive(Debug, Clone)]
pub struct NewState {
    /// The certification.
    pub id: Uuid,
    /// The time of the last change that the caller has read.
    pub seen: DateTime<Utc>,
    /// The end of the validity; `None` if it does not expire.
    pub expires_at: Option<DateTime<Utc>>,
    /// The status.
    pub status: CertificationStatus,
    /// The last day of a suspension that ends by itself.
    pub suspended_until: Option<NaiveDate>,
    /// The additional fields of the history entry.
    pub said: Value,
}

/// The outcome of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeResult {
    /// The change is made.
    Yes,
    /// The certification has changed since it was read, or the caller may not change it.
    NotAsSeen,
    /// The history is full.
    HistoryFull,
    /// The certification has been withdrawn in the meantime.
    Withdrawn,
    /// The mentor was erased.
    Erased,
    /// The mentor has died or left.
    Ended,
    /// The certification has lapsed, so it cannot be reinstated.
    Lapsed,
}

/// A transaction that can change certifications: the registrar's, or a person's within the policies.
pub trait ChangeTx: Send {
    /// The state of a certification, if it is visible, and whether its history has an entry with an id.
    fn standing(
        &mut self,
        id: Uuid,
        entry: Uuid,
    ) -> impl Future<Output = Result<Option<CurrentState>, StoreError>> + Send;

    /// Changes a certification that has not changed since it was read. Any outcome except success and [`ChangeResult::NotAsSeen`] ends the transaction.
    fn change(&mut self, becomes: &NewState)
    -> impl Future<Output = Result<ChangeResult, StoreError>> + Send;
}

impl ChangeTx for RegistrarTx {
    async fn standing(&mut self, id: Uuid, entry: Uuid) -> Result<Option<CurrentState>, StoreError> {
        standing(self, id, entry).await
    }

    async fn change(&mut self, becomes: &NewState) -> Result<ChangeResult, StoreError> {
        change(self, becomes).await
    }
}

impl ChangeTx for CallerTx {
    async fn standing(&mut self, id: Uuid, entry: Uuid) -> Result<Option<CurrentState>, StoreError> {
        let found = standing(&mut *self, id, entry).await?;
        self.saw(found.as_slice());
        Ok(found)
    }

    async fn change(&mut self, becomes: &NewState) -> Result<ChangeResult, StoreError> {
        change(self, becomes).await
    }
}

async fn standing<'c>(
    tx: impl Executor<'c, Database = Postgres>,
    id: Uuid,
    entry: Uuid,
) -> Result<Option<CurrentState>, StoreError> {
    Ok(sqlx::query_file_as!(CurrentState, "src/renewal/standings.sql", &[id], &[entry])
        .fetch_optional(tx)
        .await?)
}

async fn change<'c>(
    tx: impl Executor<'c, Database = Postgres>,
    becomes: &NewState,
) -> Result<ChangeResult, StoreError> {
    let changed = sqlx::query_scalar!(
        r#"select certvakt.change_certification($1, $2, $3, $4, $5, $6) as "is_changed!""#,
        becomes.id,
        becomes.seen,
        becomes.expires_at,
        becomes.status.as_str(),
        becomes.suspended_until,
        becomes.said,
    );
    let changed = changed.fetch_one(tx).await;
    on_constraint(
        changed.map(|is_changed| if is_changed { ChangeResult::Yes } else { ChangeResult::NotAsSeen }),
        |name| {
            Some(Ok(match name {
                "history_full" => ChangeResult::HistoryFull,
                "certification_withdrawn" => ChangeResult::Withdrawn,
                "person_erased" => ChangeResult::Erased,
                "person_ended" => ChangeResult::Ended,
                "certification_lapsed" => ChangeResult::Lapsed,
                _ => return None,
            }))
        },
    )
}

/// An entry of a history, with its evidence and note.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// The number of the entry, from 1.
    pub number: i64,
    /// The entry as stored.
    pub entry: Value,
    /// The evidence.
    pub evidence: Option<String>,
    /// The note.
    pub note: Option<String>,
    /// Whether the evidence and the note were erased.
    pub is_erased: bool,
}

/// The history of a certification that the caller may see, oldest entry first.
pub async fn history(tx: &mut CallerTx, certification: Uuid) -> Result<Vec<Written>, StoreError> {
    Ok(sqlx::query_as!(
        Written,
        r#"select number as "number!", entry as "entry!", evidence, note, is_erased as "is_erased!"
           from certvakt.history_of($1) order by number"#,
        certification,
    )
    .fetch_all(tx)
    .await?)
}

/// The evidence and the note of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Remarks {
    /// The salt of their digest, in hexadecimal.
    pub salt: String,
    /// The evidence.
    pub evidence: Option<String>,
    /// The note.
    pub note: Option<String>,
}

/// A certification with its whole history.
#[derive(Debug, Clone, PartialEq)]
pub struct CertificationHistory {
    /// The certification's id.
    pub id: Uuid,
    /// The organisation that certified.
    pub organisation_id: Uuid,
    /// The organisation's short name.
    pub organisation: String,
    /// The organisation's time zone.
    pub zone: Zone,
    /// The name of the current chapter.
    pub chapter: String,
    /// The mentor.
    pub mentor_id: Uuid,
    /// The certification's id in the organisation's register.
    pub external_id: Option<String>,
    /// The name of the certification's type.
    pub type_name: String,
    /// The time of issue.
    pub issued_at: Option<DateTime<Utc>>,
    /// The time at which it was first recorded.
    pub created_at: DateTime<Utc>,
    /// The end of the validity; `None` if it does not expire.
    pub expires_at: Option<DateTime<Utc>>,
    /// The status.
    pub status: CertificationStatus,
    /// The entries as stored, oldest first.
    pub history: Json<Vec<Value>>,
    /// The evidence and notes, by the entry's id.
    pub words: Json<HashMap<Uuid, Remarks>>,
}

/// A filter of certifications.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryFilter {
    /// Only certifications of this organisation.
    pub organisation_id: Option<Uuid>,
    /// Only certifications of the chapter with this short name.
    pub chapter: Option<String>,
    /// Only certifications of this person.
    pub person_id: Option<Uuid>,
    /// Whether to include certifications without a history.
    pub with_none: bool,
}

/// Certifications with their histories, by id, starting after the cursor `after`.
pub async fn histories(
    tx: &mut WorkerTx,
    which: &HistoryFilter,
    after: Uuid,
    limit: i64,
) -> Result<Vec<CertificationHistory>, StoreError> {
    Ok(sqlx::query_file_as!(
        CertificationHistory,
        "src/renewal/histories.sql",
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

/// The notices of certifications: the certification, the stage, and the time at which it was recorded.
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

/// The time before which notices may have been deleted because of their age; `None` if none was deleted.
pub async fn log_deleted_before(tx: &mut WorkerTx) -> Result<Option<DateTime<Utc>>, StoreError> {
    let found = sqlx::query_scalar!("select log_deleted_before from certvakt.installation");
    Ok(found.fetch_optional(tx).await?.flatten())
}

/// The number of certifications with a long history, by the organisation's short name.
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

/// The number of entries above which a history counts as long.
pub async fn long_history(tx: &mut RegistrarTx) -> Result<i32, StoreError> {
    let found = sqlx::query_scalar!("select long_history from certvakt.installation");
    Ok(found.fetch_optional(tx).await?.unwrap_or(500))
}

/// Sets the number of entries above which a history counts as long.
pub async fn set_long_history(tx: &mut RegistrarTx, entries: i32) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into certvakt.installation (long_history) values ($1)
         on conflict (only_row) do update set long_history = excluded.long_history",
        entries,
    )
    .execute(&mut *tx)
    .await?;
    // A history that no longer counts as long causes a new alert when it does again.
    sqlx::query!(
        "delete from certvakt.long_histories l using public.peer_mentor_certifications c
         where c.id = l.certification_id and certvakt.length_of_history(c.id, c.renewal_history) <= $1",
        entries,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Queues one alert to the administrators of organisations for each history that has become long.
pub async fn queue_long_history_alerts(tx: &mut WorkerTx) -> Result<(), StoreError> {
    sqlx::query_file!("src/renewal/queue_long_history_alerts.sql").execute(tx).await?;
    Ok(())
}

/// The number of an organisation's certifications whose history is not moved to rows yet.
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

/// The result of moving a batch of histories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// The last certification of the batch; `None` if there are no more.
    pub last: Option<Uuid>,
    /// The number of certifications.
    pub certifications: i64,
    /// The number of entries.
    pub entries: i64,
}

/// Moves the complete histories of an organisation's next certifications to rows.
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

/// Finds certifications whose rows and own copy differ, of an organisation or of all. Returns the number of
/// certifications with rows, and the first hundred that differ.
pub async fn differences(
    tx: &mut WorkerTx,
    organisation_id: Option<Uuid>,
) -> Result<(i64, Vec<Uuid>), StoreError> {
    let found = sqlx::query_file!("src/renewal/differences.sql", organisation_id).fetch_one(tx).await?;
    Ok((found.moved, found.different))
}
