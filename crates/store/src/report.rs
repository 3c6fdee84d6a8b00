//! Reports: forecast, status and verification.

use certvakt_rules::Stage;
use certvakt_rules::calendar::start_of_day;
use certvakt_rules::stage::{TOLD_AGAIN_AFTER_DAYS, shift};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::organisation::Organisation;
use super::run::{Calendar, Part, Windows, days_before};
use super::{DeliveryState, StoreError, WorkerTx};

/// The number of notices that will be due on a night.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Night {
    /// The night.
    pub night: NaiveDate,
    /// The stage.
    pub stage: String,
    /// The number of notices.
    pub notices: i64,
}

/// The numbers of an organisation's notices that will be due on each night from `first` to `last`, if every
/// run until then is complete.
pub async fn coming_due(
    tx: &mut WorkerTx,
    organisation: &Organisation,
    first: NaiveDate,
    last: NaiveDate,
) -> Result<Vec<Night>, StoreError> {
    let zone = organisation.zone;
    let groups = organisation.selection.groups();
    let rows: Vec<(i32, String, Stage)> = (0..)
        .zip(&groups)
        .flat_map(|(number, group)| {
            group.stages.iter().map(move |stage| (number, group.types.join(","), stage))
        })
        .collect();
    let starts = |day: NaiveDate| -> Vec<DateTime<Utc>> {
        rows.iter().map(|(.., stage)| start_of_day(shift(day, stage.days_before()), zone)).collect()
    };
    Ok(sqlx::query_file_as!(
        Night,
        "src/report/coming_due.sql",
        organisation.id,
        zone.name(),
        &rows.iter().map(|(.., stage)| stage.to_string()).collect::<Vec<_>>(),
        &rows.iter().map(|(.., stage)| days_before(*stage)).collect::<Vec<_>>(),
        &starts(first),
        &starts(shift(last, 1)),
        &rows.iter().map(|(_, types, _)| types.clone()).collect::<Vec<_>>(),
        &rows.iter().map(|(number, ..)| *number).collect::<Vec<_>>(),
        renotify_after_days(),
    )
    .fetch_all(tx)
    .await?)
}

/// A finding of the verification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The kind of finding. `missing` and `wrong key` are faults; the others are reasons why a notice cannot
    /// be verified.
    pub finding: String,
    /// The certification.
    pub certification_id: Uuid,
    /// The stage.
    pub stage: String,
    /// The stage's due date.
    pub due_date: Option<NaiveDate>,
    /// The total number of findings of this kind.
    #[serde(skip)]
    pub of_kind: i64,
}

/// The numbers of verified objects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Certifications in a stage on the date of the last complete run.
    pub in_stage: i64,
    /// The notices.
    pub notices: i64,
}

/// Compares an organisation's log with the notices that its last complete run must have recorded. Returns at
/// most 100 findings of each kind.
pub async fn verify(
    tx: &mut WorkerTx,
    organisation: &Organisation,
    run_date: NaiveDate,
    calendar: &Calendar,
) -> Result<(Checked, Vec<Finding>), StoreError> {
    let selection = calendar.selection.as_ref().unwrap_or(&organisation.selection);
    let windows = Windows::new(run_date, None, selection, organisation.zone, Part::Whole);
    let checked = sqlx::query_file_as!(
        Checked,
        "src/report/checked.sql",
        organisation.id,
        &windows.current_from,
        &windows.current_before,
        &windows.types,
        &windows.selections,
    )
    .fetch_one(&mut *tx)
    .await?;
    let findings = sqlx::query_file_as!(
        Finding,
        "src/report/verify.sql",
        organisation.id,
        organisation.zone.name(),
        &windows.stages,
        &windows.days_before,
        &windows.current_from,
        &windows.current_before,
        renotify_after_days(),
        calendar.read_through.as_deref(),
        &windows.types,
        &windows.selections,
    )
    .fetch_all(tx)
    .await?;
    Ok((checked, findings))
}

fn renotify_after_days() -> i32 {
    i32::try_from(TOLD_AGAIN_AFTER_DAYS).unwrap_or(i32::MAX)
}

/// The state of an organisation's runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunStatus {
    /// The organisation.
    pub organisation_id: Uuid,
    /// The date of the last complete run.
    pub last_complete: Option<NaiveDate>,
    /// The time at which it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// The date of a held run without a later complete run.
    pub held: Option<NaiveDate>,
    /// The number of notices of the held run.
    pub held_notices: Option<i64>,
    /// The number of its notices that an administrator approved; 0 to check it again within its limit. `None`: it waits.
    pub approved_notices: Option<i64>,
    /// The error code of the last failed run without a later complete run.
    pub failed: Option<String>,
    /// The number of missed nights in the last 30 days that a later run covered.
    pub missed: i64,
}

/// The state of every organisation's runs.
pub async fn runs(tx: &mut WorkerTx) -> Result<Vec<RunStatus>, StoreError> {
    Ok(sqlx::query_file_as!(RunStatus, "src/report/runs.sql").fetch_all(tx).await?)
}

/// The state of the queue.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Queue {
    /// The pending deliveries.
    pub pending: i64,
    /// The claimed deliveries.
    pub claimed: i64,
    /// The unreachable people.
    pub unreachable: i64,
    /// The age of the queue: seconds for which the oldest open delivery could have been sent, within its
    /// organisation's hours.
    pub oldest_seconds: i64,
}

/// The age in seconds above which the queue needs a person: 12 hours, as in `docs/deploy/alerts.yml`.
pub const QUEUE_OLD_SECONDS: i64 = 12 * 60 * 60;

impl Queue {
    /// Whether deliveries have waited for so long that a person is needed.
    pub fn is_old(&self) -> bool {
        self.oldest_seconds > QUEUE_OLD_SECONDS
    }
}

/// The state of the queue of some organisations.
pub async fn queue(tx: &mut WorkerTx, organisations: &[Organisation]) -> Result<Queue, StoreError> {
    let open = sqlx::query_file!("src/report/queue.sql").fetch_all(tx).await?;
    let count = |state| open.iter().filter(|part| part.state == state).map(|part| part.deliveries).sum();
    let ages = open.iter().filter(|part| part.state != DeliveryState::Unreachable).filter_map(|waiting| {
        let one = organisations.iter().find(|one| one.id == waiting.organisation_id)?;
        Some((waiting.now - one.hours.next_open(waiting.opened_at, one.zone)).num_seconds())
    });
    Ok(Queue {
        pending: count(DeliveryState::Pending),
        claimed: count(DeliveryState::Claimed),
        unreachable: count(DeliveryState::Unreachable),
        oldest_seconds: ages.max().unwrap_or(0).max(0),
    })
}

/// A person whom no channel reaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unreachable {
    /// The organisation's slug.
    pub organisation: String,
    /// The name of the chapter, whose coordinators should be informed.
    pub chapter: String,
    /// The certification.
    pub certification_id: Uuid,
    /// The certification's id in the register.
    pub external_id: Option<String>,
    /// The stage of the notice.
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

/// The number of people of a chapter whom no channel reaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnreachableInChapter {
    /// The organisation's slug.
    pub organisation: String,
    /// The chapter's name.
    pub chapter: String,
    /// The number of people.
    pub people: i64,
}

/// The number of people whom no channel reaches, by chapter.
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

/// A stop of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChannelStop {
    /// The channel.
    pub channel: String,
    /// The slug of the organisation whose messages are refused; `None` for all.
    pub organisation: Option<String>,
    /// The provider's reason.
    pub reason: String,
    /// The time of the stop.
    pub stopped_at: DateTime<Utc>,
}

/// The stops of channels.
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
    /// The table's name.
    pub name: String,
    /// PostgreSQL's estimate of the number of rows, if there is one.
    pub rows: Option<i64>,
    /// The size in bytes, including indexes.
    pub bytes: i64,
    /// The number of rows added in the last 30 days, if the table has a time stamp.
    pub grown: Option<i64>,
}

/// The sizes of the tables that grow.
pub async fn sizes(tx: &mut WorkerTx) -> Result<Vec<TableSize>, StoreError> {
    Ok(sqlx::query_file_as!(TableSize, "src/report/sizes.sql").fetch_all(tx).await?)
}

/// A chapter that has mentors, and of which neither it nor a chapter above has a coordinator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WithoutCoordinator {
    /// The slug of its organisation.
    pub organisation: String,
    /// Its name.
    pub chapter: String,
}

/// The chapters that have mentors, but no coordinator, also not above them.
pub async fn without_coordinator(tx: &mut WorkerTx) -> Result<Vec<WithoutCoordinator>, StoreError> {
    let found = sqlx::query_as!(
        WithoutCoordinator,
        r#"select o.slug as organisation, w.name as "chapter!" from certvakt.chapters_without_coordinator w
           join certvakt.organisations o on o.id = w.organisation_id order by o.slug, w.name, w.chapter_id"#
    );
    Ok(found.fetch_all(tx).await?)
}
