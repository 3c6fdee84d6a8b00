//! The worker: claims deliveries, sends them outside any transaction, and writes down what became of them.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

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
use super::truth::still_true;
use crate::clock::Clock;
use crate::config::Config;
use crate::store::delivery::{self, Claimed, Contact, Cursor, Finished};
use crate::store::organisation::{self, Organisation};
use crate::store::{Database, StoreError};

/// How long the worker rests when it could not write down what it did.
const REST_AFTER_FAILURE: Duration = Duration::from_mins(1);
/// Outcomes written down at once, at most.
const FINISH_BATCH: usize = 1_000;
/// How long outcomes are gathered to be written down together. What is not written down when the process
/// dies is sent again.
const GATHER: Duration = Duration::from_millis(25);

/// What a worker works with.
#[derive(Debug)]
pub struct Worker<'a> {
    /// The queue.
    pub database: &'a Database,
    /// What time it is where the organisations are.
    pub clock: &'a Clock,
    /// The figures of `[delivery]`.
    pub config: &'a Config,
    /// The channels, in the order in which they are tried.
    pub channels: &'a [Box<dyn Channel>],
    /// Turns true when the process is asked to end.
    pub ending: watch::Receiver<bool>,
}

/// What a worker did.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Tally {
    /// Taken by a provider.
    pub delivered: u64,
    /// To be tried again.
    pub retried: u64,
    /// Nobody to deliver to, or refused for good.
    pub unreachable: u64,
    /// No longer true when it was their turn.
    pub cancelled: u64,
    /// Channels that refused us, or what an organisation sends, with the reason.
    pub stopped: Vec<(String, String)>,
}

impl Tally {
    fn add(&mut self, state: &str, deliveries: u64) {
        let (outcome, number) = match state {
            "delivered" => ("delivered", &mut self.delivered),
            "unreachable" => ("unreachable", &mut self.unreachable),
            "cancelled" => ("cancelled", &mut self.cancelled),
            _ => ("retried", &mut self.retried),
        };
        *number += deliveries;
        metrics::counter!("certvakt_deliveries_total", "outcome" => outcome).increment(deliveries);
    }
}

/// What a worker holds while it looks through the queue once.
struct Lease<'a> {
    token: Uuid,
    organisations: &'a HashMap<Uuid, Organisation>,
    stopped: &'a Stops,
}

impl Worker<'_> {
    /// Delivers until nothing is due, or the process is asked to end.
    pub async fn drain(&self, progress: &indicatif::ProgressBar) -> Result<Tally, DeliveryError> {
        self.drain_with(&Stops::default(), progress).await
    }

    async fn drain_with(
        &self,
        stopped: &Stops,
        progress: &indicatif::ProgressBar,
    ) -> Result<Tally, DeliveryError> {
        self.take_back().await?;
        self.pass(stopped, progress).await
    }

    /// Gives back what a worker claimed and did not finish in its time.
    async fn take_back(&self) -> Result<(), StoreError> {
        let mut tx = self.database.worker().await?;
        delivery::take_back(&mut tx).await?;
        tx.commit().await
    }

    /// Delivers what is in the queue.
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
        // One claims, one sends, one writes down, each as far ahead as its channel is long. An error ends
        // its own part and so closes the channels beside it; leases that nobody reports on run out.
        let (claiming, (), writing) = tokio::join!(
            self.claim(&lease, claimed),
            self.send(&lease, to_send, sent),
            self.write(&lease, to_write, &mut tally, progress),
        );
        claiming.and(writing)?;
        tally.stopped = stopped.reasons();
        Ok(tally)
    }

    /// Delivers whatever comes due, until the process is asked to end.
    pub async fn run(&self) {
        let mut ending = self.ending.clone();
        let mut ticks =
            tokio::time::interval(Duration::from_secs(u64::from(self.config.delivery.poll_seconds)));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // A lease runs out after its time, not before: no need to look for that every few seconds.
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
                // What was sent and could not be written down is sent again: not every few seconds.
                ticks.reset_after(REST_AFTER_FAILURE);
            }
        }
    }

    /// Claims batch after batch until nothing is due, and passes each delivery on with the latest time at
    /// which its sending may begin.
    async fn claim(
        &self,
        lease: &Lease<'_>,
        claimed: mpsc::Sender<(Claimed, Instant)>,
    ) -> Result<(), StoreError> {
        let config = &self.config.delivery;
        let longest_send =
            config.timeout_seconds.saturating_mul(u32::try_from(self.channels.len()).unwrap_or(1));
        let time_to_start = Duration::from_secs(u64::from(config.lease_seconds.saturating_sub(longest_send)));
        let mut place = Cursor::START;
        while !*self.ending.borrow() {
            let now = self.clock.now();
            let open = lease.organisations.values().filter(|one| one.hours.is_open(now, one.zone));
            let open: Vec<Uuid> = open.map(|one| one.id).collect();
            // Measured from before the lease begins, so we think it ends before the database does.
            let last_start = Instant::now() + time_to_start;
            let mut tx = self.database.worker().await?;
            let (batch, reached) =
                delivery::claim(&mut tx, &open, config.batch, lease.token, config.lease_seconds, place)
                    .await?;
            tx.commit().await?;
            if batch.is_empty() {
                // Once more from the start: an organisation's hours may have begun meanwhile, and what a
                // slow transaction recorded stands before what we saw.
                if place == Cursor::START {
                    return Ok(());
                }
                place = Cursor::START;
                continue;
            }
            place = reached;
            for one in batch {
                if claimed.send((one, last_start)).await.is_err() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Sends what was claimed, a limited number at once, in whichever order the answers come.
    async fn send(
        &self,
        lease: &Lease<'_>,
        claimed: mpsc::Receiver<(Claimed, Instant)>,
        sent: mpsc::Sender<Ended>,
    ) {
        let claimed = stream::unfold(claimed, async |mut claimed| Some((claimed.recv().await?, claimed)));
        let mut outcomes = std::pin::pin!(
            claimed
                // On the heap at once: it is large, and handed on several times.
                .map(|(one, last_start)| {
                    Box::pin(async move {
                        if *self.ending.borrow() || Instant::now() >= last_start {
                            return Ended::new(&one, "pending", None);
                        }
                        let organisation = lease.organisations.get(&one.organisation_id);
                        self.deliver(&one, organisation, lease.stopped, last_start).await
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

    /// Writes down what became of the deliveries, as many at once as have ended meanwhile.
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
        let stopped = finished.iter().flat_map(|one| &one.tries).filter(|one| one.outcome == "stopped");
        // In one order everywhere: two workers may write down the same two.
        let stopped: BTreeMap<&str, &str> =
            stopped.filter_map(|one| Some((one.channel?, one.detail.as_deref()?))).collect();
        for (channel, reason) in stopped {
            tracing::error!(channel, "the channel has stopped, and its queue is kept: {reason}");
            delivery::stop_channel(&mut tx, channel, None, reason).await?;
        }
        tx.commit().await
    }

    /// Counts the refusals of a pass together: they reach nobody, or the channel stops for the organisation.
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
        tally.add("unreachable", conclusion.unreachable);
        Ok(())
    }

    /// Waits until some messages may leave by a channel; false, if that is not before the last start
    /// or the end of the process.
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

    /// Decides about one delivery, and sends it where it is still true.
    async fn deliver(
        &self,
        claimed: &Claimed,
        organisation: Option<&Organisation>,
        stopped: &Stops,
        last_start: Instant,
    ) -> Ended {
        let again = |ended: Ended| ended.with("pending", None);
        let mut end = Ended::new(claimed, "unreachable", Some("no contact point".to_owned()));
        let Some(organisation) = organisation else { return again(end) };
        if let Err(reason) = still_true(claimed, organisation, self.clock.now()) {
            return end.with("cancelled", Some(reason.to_owned()));
        }
        let mut declined = None;
        for channel in self.channels {
            let addresses = addresses(channel.reaches(), claimed);
            if addresses.is_empty() {
                continue;
            }
            let name = channel.name().as_str();
            let Some(permission) = stopped.permit(name, organisation.id).await else { return end.rest(name) };
            let is_our_turn = self.turn(channel.as_ref(), addresses.len(), last_start).await;
            // Waiting may have taken us past the hours, or past midnight.
            let now = self.clock.now();
            if !is_our_turn || !organisation.hours.is_open(now, organisation.zone) {
                return again(end);
            }
            let notice = match still_true(claimed, organisation, now) {
                Ok(truth) => truth.notice(claimed, organisation),
                Err(reason) => return end.with("cancelled", Some(reason.to_owned())),
            };
            let sends = addresses.iter().map(|(_, address)| channel.send(&notice, address));
            let outcomes = join_all(sends).await;
            let contacts = addresses.iter().map(|(contact, _)| *contact);
            let verdict = end.note(name, contacts.zip(outcomes));
            stopped.learn(&permission, name, organisation.id, &verdict);
            match verdict {
                Verdict::Delivered => return end.with("delivered", None),
                Verdict::Retry(wait) => return end.again_after(wait),
                Verdict::Stopped(_) => return end.rest(name),
                // Another channel may take it.
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

/// Where a channel can reach the person, with the contact point that says so.
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
