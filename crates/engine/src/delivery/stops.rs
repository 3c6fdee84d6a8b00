//! The channels that have stopped, for all or for one organisation, and the probes that detect when they work
//! again.

use std::collections::HashMap;
use std::sync::Mutex;

use certvakt_store::delivery::Stop;
use tokio::sync::MutexGuard;
use tokio::time::Instant;
use uuid::Uuid;

use super::outcome::{REST_AFTER_STOP, Verdict};

/// A channel, and the organisation for which it stopped; `None` means all.
type Part = (String, Option<Uuid>);

/// A known stop.
#[derive(Debug)]
struct Known {
    reason: String,
    /// The start of the pause; `None` if nothing was sent since the stop was read.
    since: Option<Instant>,
}

impl Known {
    fn is_resting(&self) -> bool {
        self.since.is_some_and(|since| since.elapsed() < REST_AFTER_STOP)
    }
}

/// The channels that have stopped.
#[derive(Debug, Default)]
pub(super) struct Stops {
    known: Mutex<HashMap<Part, Known>>,
    /// Locked by the message that probes.
    probing: tokio::sync::Mutex<()>,
}

/// The permission to send a message.
pub(super) struct Permission<'a> {
    /// The lock, if the message is a probe.
    probe: Option<MutexGuard<'a, ()>>,
}

impl Stops {
    /// Starts a pass with the recorded stops, and drops stops that are no longer recorded.
    pub(super) fn begin(&self, on_record: Vec<Stop>) {
        let mut known = self.known();
        let on_record: HashMap<Part, String> =
            on_record.into_iter().map(|one| ((one.channel, one.organisation_id), one.reason)).collect();
        known.retain(|part, _| on_record.contains_key(part));
        for (part, reason) in on_record {
            known.entry(part).or_insert(Known { reason, since: None });
        }
    }

    /// Notes that a channel has just stopped, for all or for one organisation.
    pub(super) fn hold(&self, channel: &str, organisation: Option<Uuid>, reason: &str) {
        let known = Known { reason: reason.to_owned(), since: Some(Instant::now()) };
        self.known().insert((channel.to_owned(), organisation), known);
    }

    /// Waits for permission to send a message; `None` while the channel pauses. While a channel is stopped,
    /// one message at a time may be sent as a probe, until one shows whether the channel works.
    pub(super) async fn permit(&self, channel: &str, organisation: Uuid) -> Option<Permission<'_>> {
        if self.rests(channel, organisation) {
            return None;
        }
        if !self.is_stopped(channel, organisation) {
            return Some(Permission { probe: None });
        }
        let probe = self.probing.lock().await;
        if self.rests(channel, organisation) {
            return None;
        }
        Some(Permission { probe: self.is_stopped(channel, organisation).then_some(probe) })
    }

    /// Updates the stops by the outcome of a message.
    pub(super) fn learn(
        &self,
        permission: &Permission<'_>,
        channel: &str,
        organisation: Uuid,
        verdict: &Verdict,
    ) {
        let everybodys = (channel.to_owned(), None);
        let own = (channel.to_owned(), Some(organisation));
        match verdict {
            Verdict::Stopped(reason) => self.hold(channel, None, reason),
            _ if permission.probe.is_none() => {}
            Verdict::Delivered => {
                let mut known = self.known();
                known.remove(&everybodys);
                known.remove(&own);
            }
            // The provider accepts us again, but not the organisation's messages.
            Verdict::Refused | Verdict::Declined(_) => {
                let mut known = self.known();
                known.remove(&everybodys);
                rest_again(known.get_mut(&own));
            }
            Verdict::Retry(_) => {
                let mut known = self.known();
                rest_again(known.get_mut(&everybodys));
                rest_again(known.get_mut(&own));
            }
        }
    }

    /// Whether a channel has stopped for an organisation, and no message has been accepted since.
    pub(super) fn is_stopped(&self, channel: &str, organisation: Uuid) -> bool {
        self.any(channel, organisation, |_| true)
    }

    /// The channels that stopped since the pass started, with the reason.
    pub(super) fn reasons(&self) -> Vec<(String, String)> {
        let known = self.known();
        let stopped = known.iter().filter(|(_, one)| one.since.is_some());
        stopped.map(|((channel, _), one)| (channel.clone(), one.reason.clone())).collect()
    }

    fn rests(&self, channel: &str, organisation: Uuid) -> bool {
        self.any(channel, organisation, Known::is_resting)
    }

    fn any(&self, channel: &str, organisation: Uuid, is: impl Fn(&Known) -> bool) -> bool {
        let known = self.known();
        [None, Some(organisation)]
            .into_iter()
            .any(|part| known.get(&(channel.to_owned(), part)).is_some_and(&is))
    }

    /// The map, even if a thread panicked: no panic can leave it inconsistent.
    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<Part, Known>> {
        self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn rest_again(known: Option<&mut Known>) {
    if let Some(known) = known {
        known.since = Some(Instant::now());
    }
}
