//! Sends changes to portals: delists lapsed mentors, claims the mentors whose state has changed, sends their
//! states outside any transaction, and records the outcomes.

mod outcomes;

use std::collections::HashMap;
use std::time::Duration;

use certvakt_base::clock::Clock;
use certvakt_engine::config::PartnersConfig;
use certvakt_rules::calendar::latest_scheduled;
use certvakt_store::StopReason;
use certvakt_store::partner::{self, Claim, Due, Partner, SendResult, Stop};
use certvakt_store::{Database, StoreError, WorkerTx, organisation};
use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

use super::PartnerError;
use super::adapters::{Adapter, Bounds, CachedAdapter};
use super::contract::{Limits, State};
use super::outcome::PortalOutcome;
use outcomes::{conclude, stop_sending, written};

pub use outcomes::Tally;

/// The number of lapsed mentors handled in one transaction.
const BATCH: i64 = 1_000;
/// The time for one partner before the others have their turn.
const TURN: Duration = Duration::from_mins(1);

/// The result of a sync with one partner.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SyncReport {
    /// The organisation's short name.
    pub organisation: String,
    /// The partner's short name.
    pub partner: String,
    /// The sent changes.
    pub sent: Tally,
}

/// The connection to a partner: its adapter and its current concurrency.
#[derive(Debug)]
struct Connection {
    kept: CachedAdapter,
    at_once: u16,
}

impl Connection {
    /// Halves the concurrency, because the portal limits requests.
    fn slow(&mut self) {
        self.at_once = (self.at_once / 2).max(1);
    }

    /// Increases the concurrency by one after a round within the portal's limits.
    fn ease(&mut self) {
        self.at_once = (self.at_once + 1).min(self.kept.adapter().portal().contract.limits.at_once);
    }
}

/// Sends changes to partners.
#[derive(Debug)]
pub struct PartnerSync<'a> {
    database: &'a Database,
    clock: &'a Clock,
    config: &'a PartnersConfig,
    lines: HashMap<(Uuid, String), Connection>,
    has_warned: bool,
}

impl<'a> PartnerSync<'a> {
    /// Creates a sync without open connections.
    pub fn new(database: &'a Database, clock: &'a Clock, config: &'a PartnersConfig) -> Self {
        Self { database, clock, config, lines: HashMap::new(), has_warned: false }
    }

    /// Sends changes to partners until shutdown.
    pub async fn run(mut self, mut ending: watch::Receiver<bool>) {
        let mut ticks = tokio::time::interval(Duration::from_secs(u64::from(self.config.poll_seconds)));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                _ = ending.wait_for(|ending| *ending) => return,
            }
            if let Err(error) = self.sync_due(&ending).await {
                tracing::error!(code = error.code(), "the sync with partners failed: {error}");
            }
        }
    }

    async fn sync_due(&mut self, ending: &watch::Receiver<bool>) -> Result<(), StoreError> {
        let partners = self.update_eligibility().await?;
        let on = partners.iter().filter(|one| one.environment.is_some());
        if self.config.contracts.as_os_str().is_empty() {
            if on.count() > 0 && !std::mem::replace(&mut self.has_warned, true) {
                tracing::warn!(
                    "partners are switched on, but this process sends them nothing: partners.contracts is empty"
                );
            }
            return Ok(());
        }
        let turns = on.map(|one| {
            let line = self.lines.remove(&(one.organisation_id, one.partner.clone()));
            let (database, config) = (self.database, self.config);
            async move { (one, Turn { database, config, line }.take(one, Some(TURN), ending).await) }
        });
        for (one, (line, told)) in join_all(turns.collect::<Vec<_>>()).await {
            if let Some(line) = line {
                self.lines.insert((one.organisation_id, one.partner.clone()), line);
            }
            if let Err(error) = told {
                tracing::error!(
                    organisation = one.organisation,
                    partner = one.partner,
                    code = error.code(),
                    "could not send changes to the partner: {error}"
                );
            }
        }
        Ok(())
    }

    /// Delists lapsed mentors, and checks every mentor once a night.
    async fn update_eligibility(&self) -> Result<Vec<Partner>, StoreError> {
        loop {
            let mut tx = self.database.worker().await?;
            let lapsed = partner::delist_lapsed(&mut tx, BATCH).await?;
            tx.commit().await?;
            if lapsed < BATCH {
                break;
            }
        }
        let mut tx = self.database.worker().await?;
        let partners = partner::all(&mut tx).await?;
        let organisations = organisation::list(&mut tx).await?;
        tx.rollback().await?;
        for one in &partners {
            let Some(home) = organisations.iter().find(|home| home.id == one.organisation_id) else {
                continue;
            };
            let night = latest_scheduled(self.clock.now(), home.run_at, home.zone);
            if one.evaluated_on.is_none_or(|evaluated_on| evaluated_on < night) {
                check_all(self.database, one, night).await?;
            }
        }
        Ok(partners)
    }

    /// Sends all due changes to all partners, once.
    pub async fn once(&mut self, ending: &watch::Receiver<bool>) -> Result<Vec<SyncReport>, StoreError> {
        let mut done = Vec::new();
        for one in self.update_eligibility().await? {
            if one.environment.is_some() {
                let (database, config) = (self.database, self.config);
                let (_, told) = Turn { database, config, line: None }.take(&one, None, ending).await;
                done.push(SyncReport { organisation: one.organisation, partner: one.partner, sent: told? });
            }
        }
        Ok(done)
    }
}

/// Checks every mentor of a partner, even without a change.
async fn check_all(database: &Database, one: &Partner, night: chrono::NaiveDate) -> Result<(), StoreError> {
    let (mut after, mut changed) = (String::new(), 0);
    loop {
        let mut tx = database.worker().await?;
        let looked = partner::reevaluate(&mut tx, one.organisation_id, &one.partner, &after, BATCH).await?;
        let Some((last, more)) = looked else {
            partner::record_evaluation(&mut tx, one, night).await?;
            partner::delete_delisted(&mut tx).await?;
            tx.commit().await?;
            break;
        };
        tx.commit().await?;
        (after, changed) = (last, changed + more);
    }
    if changed > 0 {
        tracing::warn!(
            organisation = one.organisation,
            partner = one.partner,
            changed,
            "the nightly check corrected listings that were wrong"
        );
    }
    Ok(())
}

/// One partner's turn.
struct Turn<'a> {
    database: &'a Database,
    config: &'a PartnersConfig,
    line: Option<Connection>,
}

impl Turn<'_> {
    async fn take(
        mut self,
        one: &Partner,
        most: Option<Duration>,
        ending: &watch::Receiver<bool>,
    ) -> (Option<Connection>, Result<Tally, StoreError>) {
        let mut tally = Tally::default();
        let began = Instant::now();
        let told = loop {
            if *ending.borrow() || most.is_some_and(|most| began.elapsed() >= most) {
                break Ok(());
            }
            match self.batch(one, &mut tally).await {
                Ok(true) => {}
                Ok(false) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        (self.line, told.map(|()| tally))
    }

    /// Sends a batch. Returns whether there may be more.
    async fn batch(&mut self, one: &Partner, tally: &mut Tally) -> Result<bool, StoreError> {
        let mut tx = self.database.worker().await?;
        let fresh = partner::all(&mut tx).await?;
        let is_same =
            |other: &Partner| other.organisation_id == one.organisation_id && other.partner == one.partner;
        let Some(one) = fresh.into_iter().find(is_same) else { return Ok(false) };
        if one.environment.is_none() {
            self.line = None;
            return Ok(false);
        }
        if one.waits_for_person() {
            // Drop the connection, because the credentials may change before the next attempt.
            self.line = None;
            tally.stopped.clone_from(&one.stopped_reason);
            return Ok(false);
        }
        if one.rests {
            return Ok(false);
        }
        let is_held = hold_removals(&mut tx, &one).await?;
        tally.removals_are_held = is_held;
        let line = match self.line(&one) {
            Ok(line) => line,
            Err(error) => {
                let stop = Stop { by: StopReason::Contract, reason: error.to_string(), retry_in: None };
                stop_sending(&mut tx, &one, &stop).await?;
                tally.stopped = Some(stop.reason);
                tx.commit().await?;
                return Ok(false);
            }
        };
        let adapter = line.kept.adapter();
        let limits = &adapter.portal().contract.limits;
        if one.secret_ends_on != adapter.portal().secret_ends_on {
            partner::note_secret(&mut tx, &one, adapter.portal().secret_ends_on).await?;
        }
        let claim = Claim {
            // After an outage, one mentor probes whether the portal responds again.
            most: if one.stopped_by.is_some() {
                1
            } else {
                i64::from(line.at_once) * i64::from(adapter.batch())
            },
            token: Uuid::new_v4(),
            lease_seconds: lease_seconds(limits),
            removals_are_held: is_held,
            can_be_asked: adapter.can_be_asked(),
        };
        let lease = Duration::from_secs(claim.lease_seconds.into());
        let bounds =
            Bounds { at_once: line.at_once.into(), until: Instant::now() + lease - limits.timeout() };
        let due = partner::claim(&mut tx, &one, &claim).await?;
        tx.commit().await?;
        if due.is_empty() {
            return Ok(false);
        }
        let outcomes = send(adapter, &due, bounds).await;
        let has_answered = outcomes.iter().any(|(outcome, _)| outcome.is_an_answer());
        let told: Vec<SendResult> = due
            .iter()
            .zip(&outcomes)
            .map(|(due, (outcome, was_sent))| written(due, outcome, *was_sent, has_answered, limits))
            .collect();
        if outcomes.iter().any(|(outcome, _)| matches!(outcome, PortalOutcome::Busy(..))) {
            line.slow();
        } else if has_answered {
            line.ease();
        }
        metrics::gauge!("certvakt_partner_concurrency", "organisation" => one.organisation.clone(), "partner" => one.partner.clone())
            .set(line.at_once);
        let mut tx = self.database.worker().await?;
        let left = partner::finish(&mut tx, &one, claim.token, &told).await?;
        let goes_on = conclude(&mut tx, &one, outcomes.iter().map(|(outcome, _)| outcome), tally).await?;
        tx.commit().await?;
        for held in left {
            let mut tx = self.database.worker().await?;
            partner::finish_one(&mut tx, &one, claim.token, held).await?;
            tx.commit().await?;
        }
        Ok(goes_on)
    }

    fn line(&mut self, one: &Partner) -> Result<&mut Connection, PartnerError> {
        let former = self.line.take();
        let at_once = former.as_ref().map(|line| line.at_once);
        let kept = CachedAdapter::of(former.map(|line| line.kept), one, self.config)?;
        let most = kept.adapter().portal().contract.limits.at_once;
        Ok(self.line.insert(Connection { kept, at_once: at_once.unwrap_or(most).min(most) }))
    }
}

/// Holds removals if too many wait, and releases them otherwise. Returns whether they are held.
async fn hold_removals(tx: &mut WorkerTx, one: &Partner) -> Result<bool, StoreError> {
    let is_held = partner::has_too_many_removals(tx, one).await?;
    if is_held != one.held_at.is_some() {
        partner::hold(tx, one, is_held).await?;
    }
    if is_held && one.held_at.is_none() {
        tracing::error!(
            organisation = one.organisation,
            partner = one.partner,
            "removals are held: review them with `certvakt partner status`, approve them with `certvakt partner approve`"
        );
    }
    Ok(is_held)
}

/// A lease that is long enough to read and send the whole batch within the portal's rate limit.
fn lease_seconds(limits: &Limits) -> u32 {
    let Limits { requests_a_minute, at_once, timeout_seconds, .. } = limits;
    60 + 4 * u32::from(*timeout_seconds) + 2 * 60 * u32::from(*at_once) / requests_a_minute
}

/// Sends the current state of each mentor. If a previous request had no response, it reads the portal's state
/// first. Returns the outcome of each, and whether the state was sent.
async fn send(adapter: &dyn Adapter, due: &[Due], bounds: Bounds) -> Vec<(PortalOutcome, bool)> {
    let in_doubt: Vec<&str> =
        due.iter().filter(|one| one.is_in_doubt).map(|one| one.partner_key.as_str()).collect();
    let mut read = adapter.read(&in_doubt, bounds).await.into_iter();
    let known: Vec<Option<PortalOutcome>> = due
        .iter()
        .map(|one| match one.is_in_doubt.then(|| read.next())?? {
            // A previous request may still be in progress there, so send the state even if it already matches
            // by chance.
            Ok(is_listed) => {
                (is_listed == one.is_listed && one.was_requested).then_some(PortalOutcome::Accepted)
            }
            Err(outcome) => Some(outcome),
        })
        .collect();
    let to_tell: Vec<State> = due
        .iter()
        .zip(&known)
        .filter(|(_, known)| known.is_none())
        .map(|(one, _)| {
            State::new(&one.partner_key, one.is_listed, one.event_id, one.number, one.at, one.replays)
        })
        .collect();
    let mut told = adapter.send(&to_tell, bounds).await.into_iter();
    known
        .into_iter()
        .map(|known| match known {
            Some(outcome) => (outcome, false),
            None => (told.next().unwrap_or_else(|| PortalOutcome::InDoubt("no response".to_owned())), true),
        })
        .collect()
}
