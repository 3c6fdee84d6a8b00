//! The worker: claims deliveries, sends them outside any transaction, and records the outcomes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use certvakt_base::clock::Clock;
use certvakt_store::delivery::{self, Claimed, Contact, Cursor, Finished};
use certvakt_store::notice_text;
use certvakt_store::organisation::{self, Organisation};
use certvakt_store::{AttemptOutcome, DeliveryState};
use certvakt_store::{Database, StoreError};
use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use uuid::Uuid;

use super::DeliveryError;
use super::channels::{Address, Channel, Reach};
use super::outcome::{Ended, Verdict};
use super::refusals::Refusals;
use super::stops::Stops;
use super::validity::check_validity;
use super::wording::Wordings;
use crate::config::Config;

/// The pause after a failure to record outcomes.
const REST_AFTER_FAILURE: Duration = Duration::from_mins(1);
/// The maximum number of outcomes recorded at once.
const FINISH_BATCH: usize = 1_000;
/// The time for which outcomes are collected to be recorded together. Outcomes that are not recorded when the
/// process dies cause repeats.
const GATHER: Duration = Duration::from_millis(25);

/// A worker.
#[derive(Debug)]
pub struct Worker<'a> {
    /// The queue.
    pub database: &'a Database,
    /// The clock.
    pub clock: &'a Clock,
    /// The configuration.
    pub config: &'a Config,
    /// The channels, in the order in which they are tried.
    pub channels: &'a [Box<dyn Channel>],
    /// Becomes true at shutdown.
    pub ending: watch::Receiver<bool>,
}

/// The numbers of deliveries by outcome.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Tally {
    /// Accepted by a provider.
    pub delivered: u64,
    /// Scheduled for another attempt.
    pub retried: u64,
    /// Without a contact point, or refused permanently.
    pub unreachable: u64,
    /// No longer true.
    pub cancelled: u64,
    /// The channels that stopped, with the reason.
    pub stopped: Vec<(String, String)>,
}

impl Tally {
    fn add(&mut self, state: DeliveryState, deliveries: u64) {
        let (outcome, number) = match state {
            DeliveryState::Delivered => ("delivered", &mut self.delivered),
            DeliveryState::Unreachable => ("unreachable", &mut self.unreachable),
            DeliveryState::Cancelled => ("cancelled", &mut self.cancelled),
            DeliveryState::Pending | DeliveryState::Claimed => ("retried", &mut self.retried),
        };
        *number += deliveries;
        metrics::counter!("certvakt_deliveries_total", "outcome" => outcome).increment(deliveries);
    }
}

/// A claimed delivery, to be sent.
struct Taken {
    claimed: Claimed,
    /// The latest time at which sending may start.
    last_start: Instant,
    /// The organisations' own texts.
    wordings: Arc<Wordings>,
}

/// The state of one pass through the queue.
struct Lease<'a> {
    token: Uuid,
    organisations: &'a HashMap<Uuid, Organisation>,
    stopped: &'a Stops,
}

impl Worker<'_> {
    /// Delivers until nothing is due, or until shutdown.
    pub async fn drain(&self, progress: &indicatif::ProgressBar) -> Result<Tally, DeliveryError> {
        self.drain_with(&Stops::default(), progress).await
    }

    async fn drain_with(
        &self,
        stopped: &Stops,
        progress: &indicatif::ProgressBar,
    ) -> Result<Tally, DeliveryError> {
        self.release_expired().await?;
        self.pass(stopped, progress).await
    }

    /// Releases deliveries whose lease has expired.
    async fn release_expired(&self) -> Result<(), StoreError> {
        let mut tx = self.database.worker().await?;
        delivery::release_expired(&mut tx).await?;
        tx.commit().await
    }

    /// Delivers the due deliveries of the queue once.
    async fn pass(&self, stopped: &Stops, progress: &indicatif::ProgressBar) -> Result<Tally, DeliveryError> {
        let mut tally = Tally::default();
        let mut tx = self.database.worker().await?;
        let organisations = organisation::list(&mut tx).await?;
        let ids: Vec<Uuid> = organisations.iter().map(|one| one.id).collect();
        delivery::reopen_reachable(&mut tx, &ids, self.config.contact_kinds().as_deref()).await?;
        stopped.begin(delivery::stops(&mut tx).await?);
        tx.commit().await?;
        let organisations: HashMap<Uuid, Organisation> =
            organisations.into_iter().map(|one| (one.id, one)).collect();
        let lease = Lease { token: Uuid::new_v4(), organisations: &organisations, stopped };
        let (claimed, to_send) = mpsc::channel(self.config.delivery.batch as usize);
        let (sent, to_write) = mpsc::channel(FINISH_BATCH);
        // Three tasks claim, send and record, connected by bounded channels. An error ends its task and so
        // closes the channels to the other tasks; leases without an outcome expire.
        let (claiming, (), writing) = tokio::join!(
            self.claim(&lease, claimed),
            self.send(&lease, to_send, sent),
            self.write(&lease, to_write, &mut tally, progress),
        );
        claiming.and(writing)?;
        tally.stopped = stopped.reasons();
        Ok(tally)
    }

    /// Delivers due deliveries until shutdown.
    pub async fn run(&self) {
        let mut ending = self.ending.clone();
        let mut ticks =
            tokio::time::interval(Duration::from_secs(u64::from(self.config.delivery.poll_seconds)));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // Leases expire no earlier than their duration, so there is no need to check every few seconds.
        let between_looks = Duration::from_secs(u64::from(self.config.delivery.lease_seconds)) / 2;
        let mut looked: Option<Instant> = None;
        let stopped = Stops::default();
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                _ = ending.wait_for(|ending| *ending) => return,
            }
            let pass = if looked.is_none_or(|at| at.elapsed() >= between_looks) {
                looked = Some(Instant::now());
                self.drain_with(&stopped, &indicatif::ProgressBar::hidden()).await
            } else {
                self.pass(&stopped, &indicatif::ProgressBar::hidden()).await
            };
            if let Err(error) = pass {
                tracing::error!(code = error.code(), "the worker could not deliver: {error}");
                // Deliveries whose outcome was not recorded are sent again, so wait longer than a poll
                // interval.
                ticks.reset_after(REST_AFTER_FAILURE);
            }
        }
    }

    /// Claims batches until nothing is due, and passes each delivery on.
    async fn claim(&self, lease: &Lease<'_>, claimed: mpsc::Sender<Taken>) -> Result<(), StoreError> {
        let config = &self.config.delivery;
        let longest_send =
            config.timeout_seconds.saturating_mul(u32::try_from(self.channels.len()).unwrap_or(1));
        let time_to_start = Duration::from_secs(u64::from(config.lease_seconds.saturating_sub(longest_send)));
        let mut place = Cursor::START;
        while !*self.ending.borrow() {
            let now = self.clock.now();
            let open = lease.organisations.values().filter(|one| one.hours.is_open(now, one.zone));
            let open: Vec<Uuid> = open.map(|one| one.id).collect();
            // Measured from before the lease starts, so it ends here earlier than in the database.
            let last_start = Instant::now() + time_to_start;
            let mut tx = self.database.worker().await?;
            let (batch, reached) =
                delivery::claim(&mut tx, &open, config.batch, lease.token, config.lease_seconds, place)
                    .await?;
            let organisations: BTreeSet<Uuid> = batch.iter().map(|one| one.organisation_id).collect();
            let wordings = if organisations.is_empty() {
                Vec::new()
            } else {
                let organisations: Vec<Uuid> = organisations.into_iter().collect();
                notice_text::of_organisations(&mut tx, &organisations).await?
            };
            tx.commit().await?;
            let wordings = Arc::new(Wordings::read(&wordings));
            if batch.is_empty() {
                // Start once more from the beginning: an organisation's hours may have started in the
                // meantime, and a slow transaction can add rows before the cursor.
                if place == Cursor::START {
                    return Ok(());
                }
                place = Cursor::START;
                continue;
            }
            place = reached;
            for one in batch {
                let taken = Taken { claimed: one, last_start, wordings: Arc::clone(&wordings) };
                if claimed.send(taken).await.is_err() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Sends the claimed deliveries, with limited concurrency, in any order.
    async fn send(&self, lease: &Lease<'_>, claimed: mpsc::Receiver<Taken>, sent: mpsc::Sender<Ended>) {
        let claimed = stream::unfold(claimed, async |mut claimed| Some((claimed.recv().await?, claimed)));
        let mut outcomes = std::pin::pin!(
            claimed
                // Boxed, because it is large and is moved several times.
                .map(|taken| {
                    Box::pin(async move {
                        let Taken { claimed: one, last_start, .. } = &taken;
                        if *self.ending.borrow() || Instant::now() >= *last_start {
                            return Ended::new(one, DeliveryState::Pending, None);
                        }
                        let organisation = lease.organisations.get(&one.organisation_id);
                        self.deliver(&taken, organisation, lease.stopped).await
                    })
                })
                .buffer_unordered(self.config.delivery.concurrency as usize)
        );
        while let Some(ended) = outcomes.next().await {
            if sent.send(ended).await.is_err() {
                return;
            }
        }
    }

    /// Records outcomes, as many at once as are ready.
    async fn write(
        &self,
        lease: &Lease<'_>,
        mut sent: mpsc::Receiver<Ended>,
        tally: &mut Tally,
        progress: &indicatif::ProgressBar,
    ) -> Result<(), StoreError> {
        let mut ended = Vec::with_capacity(FINISH_BATCH);
        let mut refusals = Refusals::default();
        while sent.recv_many(&mut ended, FINISH_BATCH).await > 0 {
            let until = Instant::now() + GATHER;
            while ended.len() < FINISH_BATCH
                && let Ok(Some(one)) = tokio::time::timeout_at(until, sent.recv()).await
            {
                ended.push(one);
            }
            let finished: Vec<Finished> = ended
                .drain(..)
                .map(|mut one| {
                    refusals.count(&mut one);
                    one.finished
                })
                .collect();
            self.write_down(lease.token, &finished).await?;
            for one in &finished {
                tally.add(one.state, 1);
            }
            progress.inc(finished.len() as u64);
        }
        self.conclude(lease.stopped, refusals, tally).await
    }

    async fn write_down(&self, token: Uuid, finished: &[Finished]) -> Result<(), StoreError> {
        let mut tx = self.database.worker().await?;
        delivery::finish(&mut tx, token, finished).await?;
        let stopped =
            finished.iter().flat_map(|one| &one.tries).filter(|one| one.outcome == AttemptOutcome::Stopped);
        // In a fixed order, because two workers can record the same two channels.
        let stopped: BTreeMap<&str, &str> =
            stopped.filter_map(|one| Some((one.channel?, one.detail.as_deref()?))).collect();
        for (channel, reason) in stopped {
            tracing::error!(channel, "the channel has stopped, and its queue is kept: {reason}");
            delivery::stop_channel(&mut tx, channel, None, reason).await?;
        }
        tx.commit().await
    }

    /// Evaluates the refusals of a pass: the deliveries are unreachable, or the channel stops for the
    /// organisation.
    async fn conclude(
        &self,
        stopped: &Stops,
        refusals: Refusals,
        tally: &mut Tally,
    ) -> Result<(), StoreError> {
        let mut conclusion = refusals.conclude(|channel, whose| stopped.is_stopped(channel, whose));
        if conclusion.stops.is_empty() && conclusion.settled.is_empty() {
            return Ok(());
        }
        conclusion.stops.sort();
        let mut tx = self.database.worker().await?;
        for (channel, organisation_id, reason) in &conclusion.stops {
            tracing::error!(
                channel,
                organisation = %organisation_id,
                "the channel has stopped for an organisation, and its queue is kept: {reason}"
            );
            delivery::stop_channel(&mut tx, channel, Some(*organisation_id), reason).await?;
            stopped.hold(channel, Some(*organisation_id), reason);
        }
        delivery::settle(&mut tx, &conclusion.settled).await?;
        tx.commit().await?;
        tally.retried = tally.retried.saturating_sub(conclusion.unreachable);
        tally.add(DeliveryState::Unreachable, conclusion.unreachable);
        Ok(())
    }

    /// Waits until the channel's rate limit allows some messages. Returns false if that is not before the
    /// last start or shutdown.
    async fn turn(&self, channel: &dyn Channel, messages: usize, last_start: Instant) -> bool {
        let Some(pace) = channel.pace() else { return true };
        let mut ending = self.ending.clone();
        let waiting = async {
            for _ in 0..messages {
                pace.until_ready().await;
            }
        };
        tokio::select! {
            () = waiting => true,
            () = tokio::time::sleep_until(last_start) => false,
            _ = ending.wait_for(|ending| *ending) => false,
        }
    }

    /// Checks one delivery, and sends it if it is still true.
    async fn deliver(
        &self,
        Taken { claimed, last_start, wordings }: &Taken,
        organisation: Option<&Organisation>,
        stopped: &Stops,
    ) -> Ended {
        let again = |ended: Ended| ended.with(DeliveryState::Pending, None);
        let mut end = Ended::new(claimed, DeliveryState::Unreachable, Some("no contact point".to_owned()));
        let Some(organisation) = organisation else { return again(end) };
        if let Err(reason) = check_validity(claimed, organisation, self.clock.now()) {
            return end.with(DeliveryState::Cancelled, Some(reason.to_owned()));
        }
        let mut declined = None;
        for channel in self.channels {
            let addresses = addresses(channel.reaches(), claimed);
            if addresses.is_empty() {
                continue;
            }
            let name = channel.name().as_str();
            let Some(permission) = stopped.permit(name, organisation.id).await else { return end.rest(name) };
            let is_our_turn = self.turn(channel.as_ref(), addresses.len(), *last_start).await;
            // The wait may have passed the delivery hours or midnight.
            let now = self.clock.now();
            if !is_our_turn || !organisation.hours.is_open(now, organisation.zone) {
                return again(end);
            }
            let notice = match check_validity(claimed, organisation, now) {
                Ok(truth) => truth.notice(claimed, organisation, wordings),
                Err(reason) => return end.with(DeliveryState::Cancelled, Some(reason.to_owned())),
            };
            let sends = addresses.iter().map(|(_, address)| channel.send(&notice, address));
            let outcomes = join_all(sends).await;
            let contacts = addresses.iter().map(|(contact, _)| *contact);
            let verdict = end.note(name, contacts.zip(outcomes));
            stopped.learn(&permission, name, organisation.id, &verdict);
            match verdict {
                Verdict::Delivered => return end.with(DeliveryState::Delivered, None),
                Verdict::Retry(wait) => return end.again_after(wait),
                Verdict::Stopped(_) => return end.rest(name),
                // Another channel may accept it.
                Verdict::Declined(wait) => declined = declined.max(Some(wait)),
                Verdict::Refused => {}
            }
        }
        match declined {
            Some(wait) => end.again_after(wait),
            None => end,
        }
    }
}

/// The addresses at which a channel reaches the person, with their contact points.
fn addresses(reach: Reach, claimed: &Claimed) -> Vec<(Option<&Contact>, Address)> {
    let person_id = claimed.recipient_id;
    let kind = match reach {
        Reach::Everyone => return vec![(None, Address { person_id, contact: String::new() })],
        Reach::Push => "push",
        Reach::Email => "email",
    };
    claimed
        .contacts
        .iter()
        .filter(|contact| contact.kind == kind)
        .map(|contact| (Some(contact), Address { person_id, contact: contact.address.clone() }))
        .collect()
}
