//! The queue of deliveries: claiming, finishing, taking back.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::{StoreError, WorkerTx};

/// A claimed delivery, with all that its sending needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The delivery.
    pub id: i64,
    /// How often it was claimed, this time included.
    pub attempt: i32,
    /// Whose it is.
    pub organisation_id: Uuid,
    /// The certification.
    pub certification_id: Uuid,
    /// The person to be told.
    pub recipient_id: Uuid,
    /// The stage of the notice.
    pub stage: String,
    /// The due date of the notice.
    pub due_date: NaiveDate,
    /// The key of the notice.
    pub idempotency_key: String,
    /// The certification's expiry as it is now.
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether the certification is suspended now.
    pub suspended: bool,
    /// The certification's name.
    pub certification: String,
    /// The person's name.
    pub recipient_name: Option<String>,
    /// The person's language.
    pub recipient_locale: Option<String>,
    /// Where the person can be reached, without what they opted out of and what refused this notice.
    pub contacts: Vec<Contact>,
}

/// A contact point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Its id.
    pub id: Uuid,
    /// `push` or `email`.
    pub kind: String,
    /// The device's token or the mail address.
    pub address: String,
}

/// How far a worker has come in the queue: when the last delivery that it claimed had become available,
/// and its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor(DateTime<Utc>, i64);

impl Cursor {
    /// Before everything.
    pub const START: Self = Self(DateTime::UNIX_EPOCH, 0);
}

/// Claims a batch for the length of a lease, from organisations whose hours are open, and says how far
/// in the queue that reaches.
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
        "src/store/delivery/claim.sql",
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
                certification: row.certification,
                recipient_name: row.recipient_name,
                recipient_locale: row.recipient_locale,
                contacts: contact.into_iter().collect(),
            }),
        }
    }
    Ok((claimed, place))
}

/// Has a transaction walk the queue in its order and find each delivery by its id, whatever the statistics
/// say: they are older than the queue, and one scan of a large table would take longer than the batch.
/// Hardly any key comes twice, so remembering what it led to costs more than it saves.
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

/// How a claimed delivery ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// The delivery.
    pub id: i64,
    /// The attempt that ended; another attempt's end changes nothing.
    pub attempt: i32,
    /// Its new state.
    pub state: &'static str,
    /// Why, where that is not plain.
    pub reason: Option<String>,
    /// Seconds until it is due again.
    pub wait_seconds: f64,
    /// What was tried.
    pub tries: Vec<Try>,
    /// Contact points that refused this notice for good.
    pub refused: Vec<Uuid>,
    /// Contact points that reach nobody any more.
    pub dead: Vec<Uuid>,
}

/// One message to one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Try {
    /// The channel; none if no channel was asked.
    pub channel: Option<&'static str>,
    /// Its outcome.
    pub outcome: &'static str,
    /// The provider's code or message id.
    pub detail: Option<String>,
}

/// Ends a batch of claimed deliveries. Those whose lease was lost or that are gone are left alone.
pub async fn finish(tx: &mut WorkerTx, token: Uuid, finished: &[Finished]) -> Result<(), StoreError> {
    let ids: Vec<i64> = finished.iter().map(|one| one.id).collect();
    let attempts: Vec<i32> = finished.iter().map(|one| one.attempt).collect();
    let states: Vec<String> = finished.iter().map(|one| one.state.to_owned()).collect();
    let reasons: Vec<Option<String>> = finished.iter().map(|one| one.reason.clone()).collect();
    let waits: Vec<f64> = finished.iter().map(|one| one.wait_seconds).collect();
    let refused: Vec<(i64, Uuid)> =
        finished.iter().flat_map(|one| one.refused.iter().map(|contact| (one.id, *contact))).collect();
    let (refused_deliveries, refused_contacts): (Vec<i64>, Vec<Uuid>) = refused.into_iter().unzip();
    let tries: Vec<(&Finished, i16, &Try)> = finished
        .iter()
        .flat_map(|one| (1..).zip(&one.tries).map(move |(number, a)| (one, number, a)))
        .collect();
    let tried: Vec<i64> = tries.iter().map(|(one, ..)| one.id).collect();
    let tried_in: Vec<i32> = tries.iter().map(|(one, ..)| one.attempt).collect();
    let messages: Vec<i16> = tries.iter().map(|(_, number, _)| *number).collect();
    let channels: Vec<Option<String>> = tries.iter().map(|(.., a)| a.channel.map(str::to_owned)).collect();
    let outcomes: Vec<String> = tries.iter().map(|(.., a)| a.outcome.to_owned()).collect();
    let details: Vec<Option<String>> = tries.iter().map(|(.., a)| a.detail.clone()).collect();
    by_index_only(tx).await?;
    sqlx::query_file!(
        "src/store/delivery/finish.sql",
        token,
        &ids,
        &attempts,
        &states,
        &reasons as &[Option<String>],
        &waits,
        &refused_deliveries,
        &refused_contacts,
        &tried,
        &tried_in,
        &messages,
        &channels as &[Option<String>],
        &outcomes,
        &details as &[Option<String>],
    )
    .execute(&mut *tx)
    .await?;
    let dead: Vec<Uuid> = finished.iter().flat_map(|one| one.dead.iter().copied()).collect();
    if !dead.is_empty() {
        sqlx::query!("delete from certvakt.contact_points where id = any($1)", &dead).execute(tx).await?;
    }
    Ok(())
}

/// Gives back what a worker claimed and did not finish in its time. Returns how many.
pub async fn take_back(tx: &mut WorkerTx) -> Result<u64, StoreError> {
    Ok(sqlx::query_file!("src/store/delivery/take_back.sql").execute(tx).await?.rows_affected())
}

/// Opens the deliveries of people who could not be reached and now can. Returns how many.
pub async fn reopen_reachable(
    tx: &mut WorkerTx,
    organisations: &[Uuid],
    contact_kinds: Option<&[String]>,
) -> Result<u64, StoreError> {
    Ok(sqlx::query_file!("src/store/delivery/reopen_reachable.sql", organisations, contact_kinds)
        .execute(tx)
        .await?
        .rows_affected())
}

/// What becomes of a delivery that addresses refused, at the end of the pass that tried it.
#[derive(Debug, Clone, PartialEq)]
pub struct Settled {
    /// The delivery.
    pub id: i64,
    /// The attempt in which it was refused; after another attempt nothing changes.
    pub attempt: i32,
    /// Contact points that refused the notice for good.
    pub refused: Vec<Uuid>,
    /// Whether nobody is left to deliver to.
    pub is_unreachable: bool,
    /// Seconds until it is due again, if its turn changes.
    pub wait_seconds: Option<f64>,
    /// Why it was refused.
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
        "src/store/delivery/settle.sql",
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
    /// Whose messages are refused; none: everybody's.
    pub organisation_id: Option<Uuid>,
    /// Why, in our words.
    pub reason: String,
}

/// The stops that are on record.
pub async fn stops(tx: &mut WorkerTx) -> Result<Vec<Stop>, StoreError> {
    let stops = sqlx::query_as!(Stop, "select channel, organisation_id, reason from certvakt.channel_stops");
    Ok(stops.fetch_all(tx).await?)
}

/// Remembers that a channel refuses an organisation's messages, or everybody's.
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

/// Forgets that a channel refused everybody's messages: it has just taken one.
pub async fn start_channel(tx: &mut WorkerTx, channel: &str) -> Result<(), StoreError> {
    sqlx::query!(
        "delete from certvakt.channel_stops where channel = $1 and organisation_id is null",
        channel
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// How many deliveries are open: due now or later, and under way.
pub async fn open(tx: &mut WorkerTx) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from certvakt.deliveries
           where finished_at is null and state in ('pending', 'claimed')"#
    )
    .fetch_one(tx)
    .await?)
}
