//! Evaluates the refusals of one pass. Only many refusals together show whether mailboxes refused the notices
//! or a server refused the organisation, so they are evaluated at the end of the pass. If the process dies
//! before that, the deliveries are tried again.

use std::collections::HashMap;
use std::time::Duration;

use certvakt_rules::retry;
use certvakt_store::delivery::Settled;
use certvakt_store::{AttemptOutcome, DeliveryState};
use uuid::Uuid;

use super::outcome::{Ended, REST_AFTER_STOP};

/// The delay of a delivery whose refusals were not evaluated because the process died.
const UNCOUNTED: Duration = Duration::from_hours(1);
/// From this number of refused addresses on, and this share of all tried addresses, the cause is not the
/// addresses.
const MANY: usize = 20;
const SHARE_PERCENT: usize = 30;

/// The refusals of a pass.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    held: Vec<Held>,
    parts: HashMap<(&'static str, Uuid), Counted>,
}

/// A delivery with addresses that refused it.
#[derive(Debug)]
struct Held {
    id: i64,
    attempt: i32,
    organisation_id: Uuid,
    is_unreachable: bool,
    reason: Option<String>,
    refused: Vec<(&'static str, Uuid)>,
}

/// The outcomes of one organisation's deliveries on one channel.
#[derive(Debug, Default)]
struct Counted {
    accepted: usize,
    refused: usize,
    /// The reason of the last declined message, if there is one.
    declined: Option<String>,
}

impl Counted {
    /// The reason to stop the channel for the organisation, if there is one.
    fn stop(&self) -> Option<String> {
        let tried = self.accepted + self.refused;
        if self.refused >= MANY && self.refused * 100 >= tried * SHARE_PERCENT {
            return Some(format!("{} of {tried} addresses refused their mail", self.refused));
        }
        self.declined.clone().filter(|_| self.accepted == 0)
    }
}

/// The result of evaluating the refusals of a pass.
#[derive(Debug, Default)]
pub(super) struct Conclusion {
    /// The channels to stop for an organisation, with the reason.
    pub(super) stops: Vec<(&'static str, Uuid, String)>,
    /// The outcomes of the deliveries that were held back.
    pub(super) settled: Vec<Settled>,
    /// How many of them are unreachable.
    pub(super) unreachable: u64,
}

impl Refusals {
    /// Counts a delivery, and holds it back if an address refused it: it stays pending until the end of the
    /// pass.
    pub(super) fn count(&mut self, ended: &mut Ended) {
        let organisation_id = ended.organisation_id;
        let parts = &mut self.parts;
        for one in ended.finished.tries.iter().filter(|one| one.outcome == AttemptOutcome::Delivered) {
            if let Some(channel) = one.channel {
                parts.entry((channel, organisation_id)).or_default().accepted += 1;
            }
        }
        for (channel, _) in &ended.refused {
            parts.entry((*channel, organisation_id)).or_default().refused += 1;
        }
        for (channel, reason) in ended.declined.drain(..) {
            parts.entry((channel, organisation_id)).or_default().declined = Some(reason);
        }
        let finished = &mut ended.finished;
        if ended.refused.is_empty() || finished.state == DeliveryState::Delivered {
            return;
        }
        let is_unreachable = finished.state == DeliveryState::Unreachable;
        self.held.push(Held {
            id: finished.id,
            attempt: finished.attempt,
            organisation_id,
            is_unreachable,
            reason: finished.reason.clone(),
            refused: std::mem::take(&mut ended.refused),
        });
        if is_unreachable {
            finished.state = DeliveryState::Pending;
            finished.wait_seconds = UNCOUNTED.as_secs_f64();
        }
    }

    /// Evaluates the refusals. `is_stopped` tells whether a channel was already stopped for an organisation,
    /// and no message has been accepted since.
    pub(super) fn conclude(self, is_stopped: impl Fn(&str, Uuid) -> bool) -> Conclusion {
        let mut conclusion = Conclusion::default();
        for ((channel, organisation_id), counted) in &self.parts {
            conclusion.stops.extend(counted.stop().map(|reason| (*channel, *organisation_id, reason)));
        }
        for held in self.held {
            let believed = |channel: &str| {
                let stops = conclusion
                    .stops
                    .iter()
                    .any(|(stopped, whose, _)| *stopped == channel && *whose == held.organisation_id);
                !stops && !is_stopped(channel, held.organisation_id)
            };
            let refused: Vec<Uuid> = held
                .refused
                .iter()
                .filter(|(channel, _)| believed(channel))
                .map(|(_, contact)| *contact)
                .collect();
            let is_unreachable = held.is_unreachable && refused.len() == held.refused.len();
            let wait = retry::backoff(REST_AFTER_STOP, held.attempt.unsigned_abs(), fastrand::f64());
            conclusion.unreachable += u64::from(is_unreachable);
            conclusion.settled.push(Settled {
                id: held.id,
                attempt: held.attempt,
                refused,
                is_unreachable,
                wait_seconds: held.is_unreachable.then_some(wait.as_secs_f64()),
                reason: held.reason,
            });
        }
        conclusion
    }
}
