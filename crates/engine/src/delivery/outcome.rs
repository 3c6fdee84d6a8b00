//! Combines the outcomes at all addresses of a channel into one.

use std::time::Duration;

use certvakt_rules::retry;
use certvakt_store::delivery::{Claimed, Contact, Finished, Try};
use certvakt_store::{AttemptOutcome, DeliveryState};

use super::channels::{Outcome, Stopped, Wait};

/// The pause of a stopped channel before one message probes it.
pub(super) const REST_AFTER_STOP: Duration = Duration::from_mins(5);
/// The first delay after a declined message.
const AFTER_DECLINE: Duration = Duration::from_mins(1);

/// The combined outcome of a notice at all addresses of a channel.
#[derive(Debug)]
pub(super) enum Verdict {
    /// At least one address accepted it.
    Delivered,
    /// No address accepted it, but one may do so later.
    Retry(Duration),
    /// The channel refused all our messages.
    Stopped(String),
    /// The provider refuses this message at every address.
    Declined(Duration),
    /// Every address refused it permanently.
    Refused,
}

/// The outcome of a delivery, with the refusals that the pass counts.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) organisation_id: uuid::Uuid,
    pub(super) finished: Finished,
    /// The contact points that refused the notice permanently, with the channel.
    pub(super) refused: Vec<(&'static str, uuid::Uuid)>,
    /// The reasons for which a channel declined the message.
    pub(super) declined: Vec<(&'static str, String)>,
}

impl Ended {
    pub(super) fn new(claimed: &Claimed, state: DeliveryState, reason: Option<String>) -> Self {
        let finished = Finished {
            id: claimed.id,
            attempt: claimed.attempt,
            state,
            reason,
            wait_seconds: 0.0,
            tries: Vec::new(),
            refused: Vec::new(),
            dead: Vec::new(),
        };
        let organisation_id = claimed.organisation_id;
        Self { organisation_id, finished, refused: Vec::new(), declined: Vec::new() }
    }

    /// Changes the outcome of the delivery.
    pub(super) fn with(mut self, state: DeliveryState, reason: Option<String>) -> Self {
        (self.finished.state, self.finished.reason) = (state, reason);
        self
    }

    /// Schedules another attempt, with the last noted reason.
    pub(super) fn again_after(mut self, wait: Duration) -> Self {
        self.finished.state = DeliveryState::Pending;
        self.finished.wait_seconds = wait.as_secs_f64();
        self
    }

    /// Postpones the delivery until the channel works again.
    pub(super) fn rest(mut self, channel: &str) -> Self {
        self.finished.reason = Some(format!("the channel {channel} has stopped"));
        self.again_after(REST_AFTER_STOP)
    }

    /// Records the outcome at each address of a channel, and returns the combined verdict.
    pub(super) fn note<'a>(
        &mut self,
        channel: &'static str,
        outcomes: impl Iterator<Item = (Option<&'a Contact>, Result<Outcome, Stopped>)>,
    ) -> Verdict {
        let attempt = self.finished.attempt;
        let mut verdict = Verdict::Refused;
        for (contact, outcome) in outcomes {
            let (result, detail, one) = match outcome {
                Ok(Outcome::Delivered { reference }) => {
                    (AttemptOutcome::Delivered, reference, Verdict::Delivered)
                }
                Ok(Outcome::Retry { wait, reason }) => {
                    (AttemptOutcome::Retry, reason, Verdict::Retry(length(wait, attempt)))
                }
                Ok(Outcome::Declined { reason }) => {
                    self.declined.push((channel, reason.clone()));
                    let wait = length(Wait::Backoff(AFTER_DECLINE), attempt);
                    (AttemptOutcome::Retry, reason, Verdict::Declined(wait))
                }
                Ok(Outcome::GiveUp { reason, address_is_dead: true }) => {
                    self.finished.dead.extend(contact.map(|contact| contact.id));
                    (AttemptOutcome::GivenUp, reason, Verdict::Refused)
                }
                Ok(Outcome::GiveUp { reason, address_is_dead: false }) => {
                    self.refused.extend(contact.map(|contact| (channel, contact.id)));
                    (AttemptOutcome::GivenUp, reason, Verdict::Refused)
                }
                Err(Stopped { reason }) => {
                    (AttemptOutcome::Stopped, reason.clone(), Verdict::Stopped(reason))
                }
            };
            if matches!(result, AttemptOutcome::Retry | AttemptOutcome::GivenUp) {
                self.finished.reason = Some(detail.clone());
            }
            verdict = verdict.or(one);
            self.finished.tries.push(Try { channel: Some(channel), outcome: result, detail: Some(detail) });
        }
        verdict
    }
}

impl Verdict {
    /// The more decisive of two verdicts; of two retries, the shorter wait.
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Retry(one), Self::Retry(other)) => Self::Retry(one.min(other)),
            (one, other) if one.rank() >= other.rank() => one,
            (_, other) => other,
        }
    }

    const fn rank(&self) -> u8 {
        match self {
            Self::Refused => 0,
            Self::Declined(_) => 1,
            Self::Retry(_) => 2,
            Self::Stopped(_) => 3,
            Self::Delivered => 4,
        }
    }
}

fn length(wait: Wait, attempt: i32) -> Duration {
    match wait {
        Wait::Exactly(wait) => wait,
        Wait::Backoff(first) => retry::backoff(first, attempt.unsigned_abs(), fastrand::f64()),
    }
}
