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
use super::outcome::{Stops, Verdict, note, rest};
use super::truth::still_true;
use crate::clock::Clock;
use crate::config::Config;
use crate::store::delivery::{self, Claimed, Contact, Finished, Place};
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
    /// Channels that refused our credentials, with the reason.
    pub stopped: Vec<(String, String)>,
}

impl Tally {
    fn add(&mut self, finished: &Finished) {
        let (outcome, number) = match finished.state {
            "delivered" => ("delivered", &mut self.delivered),
            "unreachable" => ("unreachable", &mut self.unreachable),
            "cancelled" => ("cancelled", &mut self.cancelled),
            _ => ("retried", &mut self.retried),
        };
        *number += 1;
        metrics::counter!("certvakt_deliveries_total", "outcome" => outcome).increment(1);
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
        self.take_back().await?;
        self.pass(progress).await
    }

    /// Gives back what a worker claimed and did not finish in its time.
    async fn take_back(&self) -> Result<(), StoreError> {
        let mut tx = self.database.worker().await?;
        delivery::take_back(&mut tx).await?;
        tx.commit().await
    }

    /// Delivers what is in the queue.
    async fn pass(&self, progress: &indicatif::ProgressBar) -> Result<Tally, DeliveryError> {
        let mut tally = Tally::default();
        let stopped = Stops::default();
        let mut tx = self.database.worker().await?;
        let organisations = organisation::list(&mut tx).await?;
        let ids: Vec<Uuid> = organisations.iter().map(|one| one.id).collect();
        delivery::reopen_reachable(&mut tx, &ids, self.config.contact_kinds().as_deref()).await?;
        tx.commit().await?;
        let organisations: HashMap<Uuid, Organisation> =
            organisations.into_iter().map(|one| (one.id, one)).collect();
        let lease = Lease { token: Uuid::new_v4(), organisations: &organisations, stopped: &stopped };
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
    pub async fn keep(&self) {
        let mut ending = self.ending.clone();
        let mut ticks =
            tokio::time::interval(Duration::from_secs(u64::from(self.config.delivery.poll_seconds)));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // A lease runs out after its time, not before: no need to look for that every few seconds.
        let between_looks = Duration::from_secs(u64::from(self.config.delivery.lease_seconds)) / 2;
        let mut looked: Option<Instant> = None;
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                _ = ending.wait_for(|ending| *ending) => return,
            }
            let pass = if looked.is_none_or(|at| at.elapsed() >= between_looks) {
                looked = Some(Instant::now());
                self.drain(&indicatif::ProgressBar::hidden()).await
            } else {
                self.pass(&indicatif::ProgressBar::hidden()).await
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
        let mut place = Place::START;
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
                if place == Place::START {
                    return Ok(());
                }
                place = Place::START;
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
        sent: mpsc::Sender<Finished>,
    ) {
        let claimed = stream::unfold(claimed, async |mut claimed| Some((claimed.recv().await?, claimed)));
        let mut outcomes = std::pin::pin!(
            claimed
                // On the heap at once: it is large, and handed on several times.
                .map(|(one, last_start)| {
                    Box::pin(async move {
                        if *self.ending.borrow() || Instant::now() >= last_start {
                            return released(&one);
                        }
                        let organisation = lease.organisations.get(&one.organisation_id);
                        self.deliver(&one, organisation, lease.stopped, last_start).await
                    })
                })
                .buffer_unordered(self.config.delivery.concurrency as usize)
        );
        while let Some(finished) = outcomes.next().await {
            if sent.send(finished).await.is_err() {
                return;
            }
        }
    }

    /// Writes down what became of the deliveries, as many at once as have ended meanwhile.
    async fn write(
        &self,
        lease: &Lease<'_>,
        mut sent: mpsc::Receiver<Finished>,
        tally: &mut Tally,
        progress: &indicatif::ProgressBar,
    ) -> Result<(), StoreError> {
        let mut finished = Vec::with_capacity(FINISH_BATCH);
        while sent.recv_many(&mut finished, FINISH_BATCH).await > 0 {
            let until = Instant::now() + GATHER;
            while finished.len() < FINISH_BATCH
                && let Ok(Some(one)) = tokio::time::timeout_at(until, sent.recv()).await
            {
                finished.push(one);
            }
            self.write_down(lease.token, &finished).await?;
            for one in &finished {
                tally.add(one);
            }
            progress.inc(finished.len() as u64);
            finished.clear();
        }
        Ok(())
    }

    async fn write_down(&self, token: Uuid, finished: &[Finished]) -> Result<(), StoreError> {
        let mut tx = self.database.worker().await?;
        delivery::finish(&mut tx, token, finished).await?;
        let stopped = finished.iter().flat_map(|one| &one.tries).filter(|one| one.outcome == "stopped");
        // In one order everywhere: two workers may write down the same two.
        let stopped: BTreeMap<&str, &str> =
            stopped.filter_map(|one| Some((one.channel?, one.detail.as_deref()?))).collect();
        for (channel, reason) in stopped {
            tracing::error!(channel, "the channel has stopped, its queue is kept: {reason}");
            delivery::stop_channel(&mut tx, channel, reason).await?;
        }
        tx.commit().await
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
    ) -> Finished {
        let Some(organisation) = organisation else { return released(claimed) };
        if let Err(reason) = still_true(claimed, organisation, self.clock.now()) {
            return finished(claimed, "cancelled", Some(reason.to_owned()));
        }
        let mut end = finished(claimed, "unreachable", Some("no contact point".to_owned()));
        for channel in self.channels {
            let addresses = addresses(channel.reaches(), claimed);
            if addresses.is_empty() {
                continue;
            }
            let name = channel.name().as_str();
            if stopped.holds(name) {
                return rest(end, name);
            }
            let is_our_turn = self.turn(channel.as_ref(), addresses.len(), last_start).await;
            // Waiting may have taken us past the hours, or past midnight.
            let now = self.clock.now();
            if !is_our_turn || !organisation.hours.is_open(now, organisation.zone) {
                (end.state, end.reason) = ("pending", None);
                return end;
            }
            let notice = match still_true(claimed, organisation, now) {
                Ok(truth) => truth.notice(claimed, organisation),
                Err(reason) => {
                    (end.state, end.reason) = ("cancelled", Some(reason.to_owned()));
                    return end;
                }
            };
            let sends = addresses.iter().map(|(_, address)| channel.send(&notice, address));
            let outcomes = join_all(sends).await;
            let contacts = addresses.iter().map(|(contact, _)| *contact);
            match note(&mut end, name, contacts.zip(outcomes), claimed.attempt) {
                Verdict::Delivered => {
                    (end.state, end.reason) = ("delivered", None);
                    return end;
                }
                Verdict::Retry(wait) => {
                    (end.state, end.wait_seconds) = ("pending", wait.as_secs_f64());
                    return end;
                }
                Verdict::Stopped(reason) => {
                    stopped.hold(name, &reason);
                    return rest(end, name);
                }
                Verdict::Refused => {}
            }
        }
        end
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

fn finished(claimed: &Claimed, state: &'static str, reason: Option<String>) -> Finished {
    Finished {
        id: claimed.id,
        attempt: claimed.attempt,
        state,
        reason,
        wait_seconds: 0.0,
        tries: Vec::new(),
        refused: Vec::new(),
        dead: Vec::new(),
    }
}

/// A lease given back before anything was sent.
fn released(claimed: &Claimed) -> Finished {
    finished(claimed, "pending", None)
}
