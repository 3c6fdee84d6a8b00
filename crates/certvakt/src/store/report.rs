//! What the database can say of itself: forecast, status, verification.

use certvakt_rules::calendar::start_of_day;
use certvakt_rules::stage::{Stage, TOLD_AGAIN_AFTER_DAYS, shift, windows};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::organisation::Organisation;
use super::run::Calendar;
use super::{StoreError, WorkerTx};

/// Notices that will come due on a night.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Night {
    /// The night.
    pub night: NaiveDate,
    /// The stage.
    pub stage: String,
    /// How many.
    pub notices: i64,
}

/// The notices of an organisation that come due on each night from `first` to `last`, if every run
/// until then is complete.
pub async fn coming_due(
    tx: &mut WorkerTx,
    organisation: &Organisation,
    first: NaiveDate,
    last: NaiveDate,
) -> Result<Vec<Night>, StoreError> {
    let zone = organisation.zone;
    let stages: Vec<String> = Stage::ALL.map(|stage| stage.to_string()).into();
    let days: Vec<i32> =
        Stage::ALL.map(|stage| i32::try_from(stage.days_before()).unwrap_or(i32::MAX)).into();
    let from: Vec<DateTime<Utc>> =
        Stage::ALL.map(|stage| start_of_day(shift(first, stage.days_before()), zone)).into();
    let before: Vec<DateTime<Utc>> =
        Stage::ALL.map(|stage| start_of_day(shift(last, stage.days_before() + 1), zone)).into();
    Ok(sqlx::query_file_as!(
        Night,
        "src/store/report/coming_due.sql",
        organisation.id,
        zone.name(),
        &stages,
        &days,
        &from,
        &before,
        told_again_after(),
    )
    .fetch_all(tx)
    .await?)
}

/// Something that verification looked at and could not call right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// `missing` and `wrong key` are faults; the others say why nothing can be said.
    pub finding: String,
    /// The certification.
    pub certification_id: Uuid,
    /// The stage.
    pub stage: String,
    /// Its due date.
    pub due_date: Option<NaiveDate>,
    /// How many findings of this kind there are in all.
    #[serde(skip)]
    pub of_kind: i64,
}

/// What verification looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Certifications in a stage on the date of the last complete run.
    pub in_stage: i64,
    /// Notices.
    pub notices: i64,
}

/// Compares an organisation's log with what its last complete run must have recorded. Of each kind
/// of finding at most 100 come back.
pub async fn verify(
    tx: &mut WorkerTx,
    organisation: &Organisation,
    run_date: NaiveDate,
    calendar: &Calendar,
) -> Result<(Checked, Vec<Finding>), StoreError> {
    let zone = organisation.zone;
    let windows = windows(run_date, None, calendar.grace_days.unwrap_or(organisation.grace_days));
    let stages: Vec<String> = windows.iter().map(|window| window.stage.to_string()).collect();
    let days: Vec<i32> =
        windows.iter().map(|window| i32::try_from(window.stage.days_before()).unwrap_or(i32::MAX)).collect();
    let from: Vec<DateTime<Utc>> = windows.iter().map(|window| start_of_day(window.first, zone)).collect();
    let before: Vec<DateTime<Utc>> =
        windows.iter().map(|window| start_of_day(shift(window.last, 1), zone)).collect();
    let checked =
        sqlx::query_file_as!(Checked, "src/store/report/checked.sql", organisation.id, &from, &before)
            .fetch_one(&mut *tx)
            .await?;
    let findings = sqlx::query_file_as!(
        Finding,
        "src/store/report/verify.sql",
        organisation.id,
        zone.name(),
        &stages,
        &days,
        &from,
        &before,
        told_again_after(),
        calendar.read_through.as_deref(),
    )
    .fetch_all(tx)
    .await?;
    Ok((checked, findings))
}

fn told_again_after() -> i32 {
    i32::try_from(TOLD_AGAIN_AFTER_DAYS).unwrap_or(i32::MAX)
}

/// How an organisation's runs stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunStatus {
    /// The organisation.
    pub organisation_id: Uuid,
    /// The date of the last complete run.
    pub last_complete: Option<NaiveDate>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// The date of a held run that no complete one has followed.
    pub held: Option<NaiveDate>,
    /// How many notices it would have recorded.
    pub held_notices: Option<i64>,
    /// The code of the last failure that no complete run has followed.
    pub failed: Option<String>,
    /// Nights of the last 30 days that were missed and made up for.
    pub missed: i64,
}

/// How every organisation's runs stand.
pub async fn runs(tx: &mut WorkerTx) -> Result<Vec<RunStatus>, StoreError> {
    Ok(sqlx::query_file_as!(RunStatus, "src/store/report/runs.sql").fetch_all(tx).await?)
}

/// How the queue stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Queue {
    /// Waiting for their turn.
    pub pending: i64,
    /// Under way.
    pub claimed: i64,
    /// Nobody to deliver to.
    pub unreachable: i64,
    /// The queue's age: seconds since the oldest open delivery could have left for the first time,
    /// its organisation's hours considered.
    pub oldest_seconds: i64,
}

/// How the queue of some organisations stands.
pub async fn queue(tx: &mut WorkerTx, organisations: &[Organisation]) -> Result<Queue, StoreError> {
    let open = sqlx::query_file!("src/store/report/queue.sql").fetch_all(tx).await?;
    let count = |state| open.iter().filter(|part| part.state == state).map(|part| part.deliveries).sum();
    let ages = open.iter().filter(|part| part.state != "unreachable").filter_map(|waiting| {
        let one = organisations.iter().find(|one| one.id == waiting.organisation_id)?;
        Some((waiting.now - one.hours.next_open(waiting.opened_at, one.zone)).num_seconds())
    });
    Ok(Queue {
        pending: count("pending"),
        claimed: count("claimed"),
        unreachable: count("unreachable"),
        oldest_seconds: ages.max().unwrap_or(0).max(0),
    })
}

/// A person whom no channel reaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unreachable {
    /// The organisation's slug.
    pub organisation: String,
    /// The chapter's name, whose coordinators should know.
    pub chapter: String,
    /// The certification.
    pub certification_id: Uuid,
    /// Its id in the register.
    pub external_id: Option<String>,
    /// The stage to be told of.
    pub stage: String,
}

/// People whom no channel reaches, at most `limit`.
pub async fn unreachable(tx: &mut WorkerTx, limit: i64) -> Result<Vec<Unreachable>, StoreError> {
    Ok(sqlx::query_as!(
        Unreachable,
        "select o.slug as organisation, h.name as chapter, l.certification_id, c.external_id, d.stage
         from certvakt.deliveries d
         join public.cert_notification_log l on l.id = d.id
         join public.peer_mentor_certifications c on c.id = l.certification_id
         join certvakt.chapters h on h.id = c.chapter_id
         join certvakt.organisations o on o.id = d.organisation_id
         where d.finished_at is null and d.available_at is null
         order by o.slug, h.name, d.id limit $1",
        limit,
    )
    .fetch_all(tx)
    .await?)
}

/// How many people of a chapter no channel reaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnreachableInChapter {
    /// The organisation's slug.
    pub organisation: String,
    /// The chapter's name.
    pub chapter: String,
    /// How many.
    pub people: i64,
}

/// How many people of each chapter no channel reaches.
pub async fn unreachable_by_chapter(tx: &mut WorkerTx) -> Result<Vec<UnreachableInChapter>, StoreError> {
    Ok(sqlx::query_as!(
        UnreachableInChapter,
        r#"select o.slug as organisation, h.name as chapter, count(distinct l.recipient_id) as "people!"
           from certvakt.deliveries d
           join public.cert_notification_log l on l.id = d.id
           join public.peer_mentor_certifications c on c.id = l.certification_id
           join certvakt.chapters h on h.id = c.chapter_id
           join certvakt.organisations o on o.id = d.organisation_id
           where d.finished_at is null and d.available_at is null
           group by o.slug, h.name order by o.slug, h.name"#
    )
    .fetch_all(tx)
    .await?)
}

/// A channel whose provider refuses us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChannelStop {
    /// The channel.
    pub channel: String,
    /// The organisation whose messages are refused, by its slug; none: everybody's are.
    pub organisation: Option<String>,
    /// What its provider said.
    pub reason: String,
    /// Since when.
    pub stopped_at: DateTime<Utc>,
}

/// The channels whose provider refuses us.
pub async fn channel_stops(tx: &mut WorkerTx) -> Result<Vec<ChannelStop>, StoreError> {
    Ok(sqlx::query_as!(
        ChannelStop,
        r#"select s.channel, o.slug as "organisation?", s.reason, s.stopped_at
           from certvakt.channel_stops s left join certvakt.organisations o on o.id = s.organisation_id
           order by s.channel, o.slug nulls first"#
    )
    .fetch_all(tx)
    .await?)
}

/// A table's size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableSize {
    /// Its name.
    pub name: String,
    /// Rows, as PostgreSQL estimates them, once it has.
    pub rows: Option<i64>,
    /// Bytes, indexes included.
    pub bytes: i64,
    /// Rows added in the last 30 days, where the table says.
    pub grown: Option<i64>,
}

/// The sizes of the tables that grow.
pub async fn sizes(tx: &mut WorkerTx) -> Result<Vec<TableSize>, StoreError> {
    Ok(sqlx::query_file_as!(TableSize, "src/store/report/sizes.sql").fetch_all(tx).await?)
}
