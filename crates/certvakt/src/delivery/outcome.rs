//! What the answers of a channel's addresses come to, and which channels have stopped.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use certvakt_rules::retry;
use tokio::time::Instant;

use super::channels::{Outcome, Stopped, Wait};
use crate::store::delivery::{Contact, Finished, Try};

/// How long the queue of a stopped channel rests before the channel is tried again.
const REST_AFTER_STOP: Duration = Duration::from_mins(5);

/// What became of a notice on all addresses of one channel together.
pub(super) enum Verdict {
    /// One of them took it.
    Delivered,
    /// None did, and one of them may later.
    Retry(Duration),
    /// The channel refuses us.
    Stopped(String),
    /// All of them refused it for good.
    Refused,
}

/// Notes what each address said, and says what that comes to.
pub(super) fn note<'a>(
    end: &mut Finished,
    channel: &'static str,
    outcomes: impl Iterator<Item = (Option<&'a Contact>, Result<Outcome, Stopped>)>,
    attempt: i32,
) -> Verdict {
    let mut verdict = Verdict::Refused;
    for (contact, outcome) in outcomes {
        let (result, detail) = match outcome {
            Ok(Outcome::Delivered { reference }) => {
                verdict = Verdict::Delivered;
                ("delivered", reference)
            }
            Ok(Outcome::Retry { wait, reason }) => {
                let wait = length(wait, attempt);
                verdict = match verdict {
                    Verdict::Refused => Verdict::Retry(wait),
                    Verdict::Retry(shortest) => Verdict::Retry(shortest.min(wait)),
                    decided => decided,
                };
                end.reason = Some(reason.clone());
                ("retry", reason)
            }
            Ok(Outcome::GiveUp { reason, address_is_dead }) => {
                let contacts = if address_is_dead { &mut end.dead } else { &mut end.refused };
                contacts.extend(contact.map(|contact| contact.id));
                end.reason = Some(reason.clone());
                ("given_up", reason)
            }
            Err(Stopped { reason }) => {
                if !matches!(verdict, Verdict::Delivered) {
                    verdict = Verdict::Stopped(reason.clone());
                }
                ("stopped", reason)
            }
        };
        end.tries.push(Try { channel: Some(channel), outcome: result, detail: Some(detail) });
    }
    verdict
}

/// A delivery whose channel has stopped: it waits for the channel to be mended.
pub(super) fn rest(mut end: Finished, channel: &str) -> Finished {
    end.state = "pending";
    end.reason = Some(format!("the channel {channel} has stopped"));
    end.wait_seconds = REST_AFTER_STOP.as_secs_f64();
    end
}

fn length(wait: Wait, attempt: i32) -> Duration {
    match wait {
        Wait::Exactly(wait) => wait,
        Wait::Backoff(first) => retry::backoff(first, attempt.unsigned_abs(), fastrand::f64()),
    }
}

/// The channels that refused our credentials, with the reason and since when. They rest for a while;
/// then one delivery finds out whether somebody has mended them.
#[derive(Debug, Default)]
pub(super) struct Stops(Mutex<HashMap<&'static str, (String, Instant)>>);

impl Stops {
    pub(super) fn hold(&self, channel: &'static str, reason: &str) {
        self.map().insert(channel, (reason.to_owned(), Instant::now()));
    }

    pub(super) fn holds(&self, channel: &str) -> bool {
        self.map().get(channel).is_some_and(|(_, since)| since.elapsed() < REST_AFTER_STOP)
    }

    pub(super) fn reasons(&self) -> Vec<(String, String)> {
        self.map().iter().map(|(channel, (reason, _))| ((*channel).to_owned(), reason.clone())).collect()
    }

    /// A thread that panicked left the map whole.
    fn map(&self) -> std::sync::MutexGuard<'_, HashMap<&'static str, (String, Instant)>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
