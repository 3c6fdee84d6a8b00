//! The queue of deliveries: claiming, finishing, and releasing expired leases.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::{AttemptOutcome, DeliveryState, StoreError, WorkerTx};

/// A claimed delivery, with the data for sending it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The delivery.
    pub id: i64,
    /// The number of claims, including this one.
    pub attempt: i32,
    /// The organisation.
    pub organisation_id: Uuid,
    /// The certification.
    pub certification_id: Uuid,
    /// The recipient.
    pub recipient_id: Uuid,
    /// The stage of the notice.
    pub stage: String,
    /// The due date of the notice.
    pub due_date: NaiveDate,
    /// The key of the notice.
    pub idempotency_key: String,
    /// The certification's current expiry.
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether the certification is currently suspended.
    pub suspended: bool,
    /// The code of the certification's type.
    pub type_code: String,
    /// The certification's name.
    pub certification: String,
    /// The name of the certification's chapter.
    pub chapter: String,
    /// The person's name.
    pub recipient_name: Option<String>,
    /// The person's language.
    pub recipient_locale: Option<String>,
    /// The person's contact points, except those that they opted out of and those that refused this notice.
    pub contacts: Vec<Contact>,
}

/// A contact point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// The contact point's id.
    pub id: Uuid,
    /// `push` or `email`.
    pub kind: String,
    /// The device's token or the e-mail address.
    pub address: String,
}

/// A worker's position in the queue: the time at which the last claimed delivery became available, and its
/// id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor(DateTime<Utc>, i64);

impl Cursor {
    /// The start of the queue.
    pub const START: Self = Self(DateTime::UNIX_EPOCH, 0);
}

/// Claims a batch under a lease, from organisations within their delivery hours. Returns the new position in
/// the queue.
pub async fn claim(
    tx: &mut WorkerTx,
    open: &[Uuid],
    batch: u32,
    token: Uuid,
    lease_seconds: u32,
    after: Cursor,
) -> Result<(Vec<Claimed>, Cursor), StoreError> {
    by_index_only(tx).await?;
    let rows = sqlx::query_file!(
        "src/delivery/claim.sql",
        open,
        i64::from(batch),
        token,
        f64::from(lease_seconds),
        after.0,
        after.1,
    )
    .fetch_all(tx)
    .await?;
    let place = rows.last().map_or(after, |row| Cursor(row.available_at, row.id));
    let mut claimed: Vec<Claimed> = Vec::with_capacity(rows.len());
    for row in rows {
        let contact = match (row.contact_id, row.contact_kind, row.contact_address) {
            (Some(id), Some(kind), Some(address)) => Some(Contact { id, kind, address }),
            _ => None,
        };
        match claimed.last_mut().filter(|last| last.id == row.id) {
            Some(last) => last.contacts.extend(contact),
            None => claimed.push(Claimed {
                id: row.id,
                attempt: row.attempt,
                organisation_id: row.organisation_id,
                certification_id: row.certification_id,
                recipient_id: row.recipient_id,
                stage: row.stage,
                due_date: row.due_date,
                idempotency_key: row.idempotency_key,
                expires_at: row.expires_at,
                suspended: row.suspended,
                type_code: row.type_code,
                certification: row.certification,
                chapter: row.chapter,
                recipient_name: row.recipient_name,
                recipient_locale: row.recipient_locale,
                contacts: contact.into_iter().collect(),
            }),
        }
    }
    Ok((claimed, place))
}

/// Makes a transaction use the queue's index and look up each delivery by its id, regardless of the
/// statistics, which are older than the queue: one scan of a large table would take longer than the batch.
/// Hardly any key repeats, so caching lookups (memoize) costs more than it saves.
async fn by_index_only(tx: &mut WorkerTx) -> Result<(), StoreError> {
    sqlx::query!(
        "select set_config(name, 'off', true) as setting
         from unnest(array['enable_seqscan', 'enable_bitmapscan', 'enable_hashjoin', 'enable_mergejoin',
           'enable_memoize']) as name"
    )
    .fetch_all(tx)
    .await?;
    Ok(())
}

/// The outcome of a claimed delivery.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// The delivery.
    pub id: i64,
    /// The attempt. The outcome is ignored if the delivery has a later attempt.
    pub attempt: i32,
    /// The new state.
    pub state: DeliveryState,
    /// The reason of the state, if there is one.
    pub reason: Option<String>,
    /// Seconds until the next attempt.
    pub wait_seconds: f64,
    /// The messages of the attempt.
    pub tries: Vec<Try>,
    /// The contact points that refused this notice permanently.
    pub refused: Vec<Uuid>,
    /// The contact points that are dead.
    pub dead: Vec<Uuid>,
}

/// A message to one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Try {
    /// The channel; `None` if no channel was tried.
    pub channel: Option<&'static str>,
    /// Its outcome.
    pub outcome: AttemptOutcome,
    /// The provider's code or message id.
    pub detail: Option<String>,
}

/// The input of `finish.sql`: the fields of the database's type, in its order.
#[derive(Debug, sqlx::Type)]
#[sqlx(type_name = "certvakt.delivery_outcome")]
struct DeliveryOutcome {
    id: i64,
    attempt: i32,
    state: String,
    reason: Option<String>,
    wait_seconds: f64,
    refused: Vec<Uuid>,
}

impl DeliveryOutcome {
    fn of(finished: &Finished) -> Self {
        Self {
            id: finished.id,
            attempt: finished.attempt,
            state: finished.state.to_string(),
            reason: finished.reason.clone(),
            wait_seconds: finished.wait_seconds,
            refused: finished.refused.clone(),
        }
    }
}

/// The input of `finish.sql`: the fields of the database's type, in its order.
#[derive(Debug, sqlx::Type)]
#[sqlx(type_name = "certvakt.message_outcome")]
struct MessageOutcome {
    delivery_id: i64,
    attempt: i32,
    message: i16,
    channel: Option<String>,
    outcome: String,
    detail: Option<String>,
}

impl MessageOutcome {
    fn all_of(finished: &Finished) -> impl Iterator<Item = Self> {
        (1..).zip(&finished.tries).map(|(message, one)| Self {
            delivery_id: finished.id,
            attempt: finished.attempt,
            message,
            channel: one.channel.map(str::to_owned),
            outcome: one.outcome.to_string(),
            detail: one.detail.clone(),
        })
    }
}

/// Records the outcomes of a batch of claimed deliveries. Ignores deliveries whose lease was lost or that
/// were deleted.
pub async fn finish(tx: &mut WorkerTx, token: Uuid, finished: &[Finished]) -> Result<(), StoreError> {
    let deliveries: Vec<DeliveryOutcome> = finished.iter().map(DeliveryOutcome::of).collect();
    let messages: Vec<MessageOutcome> = finished.iter().flat_map(MessageOutcome::all_of).collect();
    by_index_only(tx).await?;
    sqlx::query_file!(
        "src/delivery/finish.sql",
        token,
        deliveries as Vec<DeliveryOutcome>,
        messages as Vec<MessageOutcome>,
    )
    .execute(&mut *tx)
    .await?;
    let dead: Vec<Uuid> = finished.iter().flat_map(|one| one.dead.iter().copied()).collect();
    if !dead.is_empty() {
        sqlx::query!("delete from certvakt.contact_points where id = any($1)", &dead).execute(tx).await?;
    }
    Ok(())
}

/// Releases deliveries whose lease has expired. Returns their number.
pub async fn release_expired(tx: &mut WorkerTx) -> Result<u64, StoreError> {
    Ok(sqlx::query_file!("src/delivery/release_expired.sql").execute(tx).await?.rows_affected())
}

/// Reopens the deliveries of people who were unreachable and are now reachable. Returns their number.
pub async fn reopen_reachable(
    tx: &mut WorkerTx,
    organisations: &[Uuid],
    contact_kinds: Option<&[String]>,
) -> Result<u64, StoreError> {
    Ok(sqlx::query_file!("src/delivery/reopen_reachable.sql", organisations, contact_kinds)
        .execute(tx)
        .await?
        .rows_affected())
}

/// The outcome of a delivery that addresses refused, at the end of the pass.
#[derive(Debug, Clone, PartialEq)]
pub struct Settled {
    /// The delivery.
    pub id: i64,
    /// The attempt in which it was refused. The outcome is ignored if the delivery has a later attempt.
    pub attempt: i32,
    /// The contact points that refused the notice permanently.
    pub refused: Vec<Uuid>,
    /// Whether no contact point is left.
    pub is_unreachable: bool,
    /// Seconds until the next attempt, if that changes.
    pub wait_seconds: Option<f64>,
    /// The reason of the refusal.
    pub reason: Option<String>,
}

/// Settles deliveries that addresses refused.
pub async fn settle(tx: &mut WorkerTx, settled: &[Settled]) -> Result<(), StoreError> {
    let ids: Vec<i64> = settled.iter().map(|one| one.id).collect();
    let attempts: Vec<i32> = settled.iter().map(|one| one.attempt).collect();
    let unreachable: Vec<bool> = settled.iter().map(|one| one.is_unreachable).collect();
    let waits: Vec<Option<f64>> = settled.iter().map(|one| one.wait_seconds).collect();
    let reasons: Vec<Option<String>> = settled.iter().map(|one| one.reason.clone()).collect();
    let refused = settled.iter().flat_map(|one| one.refused.iter().map(|contact| (one.id, *contact)));
    let (refused_deliveries, refused_contacts): (Vec<i64>, Vec<Uuid>) = refused.unzip();
    by_index_only(tx).await?;
    sqlx::query_file!(
        "src/delivery/settle.sql",
        &ids,
        &attempts,
        &unreachable,
        &waits as &[Option<f64>],
        &reasons as &[Option<String>],
        &refused_deliveries,
        &refused_contacts,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// A stop of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// The channel.
    pub channel: String,
    /// The organisation whose messages are refused; `None` for all.
    pub organisation_id: Option<Uuid>,
    /// The reason, as certvakt's own text.
    pub reason: String,
}

/// The recorded stops.
pub async fn stops(tx: &mut WorkerTx) -> Result<Vec<Stop>, StoreError> {
    let stops = sqlx::query_as!(Stop, "select channel, organisation_id, reason from certvakt.channel_stops");
    Ok(stops.fetch_all(tx).await?)
}

/// Records that a channel refuses the messages of an organisation, or of all.
pub async fn stop_channel(
    tx: &mut WorkerTx,
    channel: &str,
    organisation_id: Option<Uuid>,
    reason: &str,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into certvakt.channel_stops (channel, organisation_id, reason) values ($1, $2, $3)
         on conflict (channel, organisation_id) do update set reason = excluded.reason",
        channel,
        organisation_id,
        reason,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Deletes the record of a channel's stop for all, because the channel has just accepted a message.
pub async fn start_channel(tx: &mut WorkerTx, channel: &str) -> Result<(), StoreError> {
    sqlx::query!(
        "delete from certvakt.channel_stops where channel = $1 and organisation_id is null",
        channel
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The number of open deliveries: pending and claimed.
pub async fn open(tx: &mut WorkerTx) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from certvakt.deliveries
           where finished_at is null and state in ('pending', 'claimed')"#
    )
    .fetch_one(tx)
    .await?)
}
