//! What the outcomes of a batch mean for its mentors, and for sending to the partner.

use std::time::Duration;

use certvakt_store::partner::{self, Due, Partner, Resumption, SendResult, Stop};
use certvakt_store::{StopReason, StoreError, WorkerTx};

use crate::contract::Limits;
use crate::outcome::PortalOutcome;

/// The pause after the first request without a response. It doubles with each further one.
const FIRST_REST: Duration = Duration::from_secs(30);
/// The maximum pause for a portal that does not respond.
const LONGEST_REST: Duration = Duration::from_mins(15);

/// The numbers of sent changes by outcome.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Tally {
    /// Accepted by the portal.
    pub accepted: u64,
    /// Refused for one mentor; tried again later.
    pub refused: u64,
    /// Without a response; the portal's state is read first.
    pub in_doubt: u64,
    /// Postponed, because the portal is unavailable or limits requests.
    pub put_off: u64,
    /// Whether removals exceed the limit and wait for approval.
    pub removals_are_held: bool,
    /// The reason why sending stopped, if it did.
    pub stopped: Option<String>,
}

/// Converts an outcome for the database. `has_answered` tells whether the portal responded for others of the
/// batch.
pub(super) fn written(
    due: &Due,
    outcome: &PortalOutcome,
    was_sent: bool,
    has_answered: bool,
    limits: &Limits,
) -> SendResult {
    let is_in_doubt = match outcome {
        PortalOutcome::InDoubt(_) | PortalOutcome::Broken(_) => true,
        PortalOutcome::Accepted | PortalOutcome::Refused(_) => false,
        // Nothing was sent or the portal refused access, so an unknown state stays unknown.
        PortalOutcome::Busy(..) | PortalOutcome::Down(..) | PortalOutcome::SignIn(_) => due.is_in_doubt,
    };
    let later = || limits.wait(u32::try_from(due.attempt).unwrap_or(u32::MAX), fastrand::f64());
    let wait = match outcome {
        PortalOutcome::Refused(_) => later(),
        // The portal fails for this mentor only.
        PortalOutcome::Down(..) | PortalOutcome::InDoubt(_) if has_answered => later(),
        // The pause applies to the whole portal, not to this mentor.
        _ => Duration::ZERO,
    };
    metrics::counter!("certvakt_partner_requests_total", "outcome" => outcome.name()).increment(1);
    SendResult {
        partner_key: due.partner_key.clone(),
        number: due.number,
        is_listed: due.is_listed,
        is_accepted: *outcome == PortalOutcome::Accepted,
        is_in_doubt,
        wait_seconds: wait.as_secs_f64(),
        last_error: outcome.reason().map(str::to_owned),
        was_sent,
    }
}

/// Updates the state of the partner by the outcomes of a batch. Returns whether to continue.
pub(super) async fn conclude(
    tx: &mut WorkerTx,
    one: &Partner,
    outcomes: impl Iterator<Item = &PortalOutcome>,
    tally: &mut Tally,
) -> Result<bool, StoreError> {
    let mut rest = None;
    let mut stop = None;
    let (mut answered, mut failing, mut asked) = (false, None, None);
    for outcome in outcomes {
        match outcome {
            PortalOutcome::Accepted => (tally.accepted, answered) = (tally.accepted + 1, true),
            PortalOutcome::Refused(_) => (tally.refused, answered) = (tally.refused + 1, true),
            PortalOutcome::InDoubt(reason) => {
                tally.in_doubt += 1;
                failing = Some(reason);
            }
            PortalOutcome::Down(reason, wait) => {
                tally.put_off += 1;
                failing = Some(reason);
                asked = asked.max(*wait);
            }
            PortalOutcome::Busy(..) => {
                tally.put_off += 1;
                rest = rest.max(outcome.rest());
            }
            PortalOutcome::SignIn(reason) => {
                tally.put_off += 1;
                stop.get_or_insert((StopReason::SignIn, reason));
            }
            // A broken contract takes precedence over refused access, because responses can then mean
            // anything.
            PortalOutcome::Broken(reason) => {
                tally.in_doubt += 1;
                stop = Some((StopReason::Contract, reason));
            }
        }
    }
    if let Some((by, reason)) = stop {
        stop_sending(tx, one, &Stop { by, reason: reason.clone(), retry_in: None }).await?;
        tally.stopped = Some(reason.clone());
        return Ok(false);
    }
    if let (false, Some(reason)) = (answered, failing) {
        let doubled =
            FIRST_REST.saturating_mul(2_u32.saturating_pow(u32::try_from(one.failures).unwrap_or(31)));
        let wait = doubled
            .min(LONGEST_REST)
            .mul_f64(0.75 + fastrand::f64() / 4.0)
            .max(asked.max(rest).unwrap_or_default());
        let stop =
            Stop { by: StopReason::Outage, reason: reason.clone(), retry_in: Some(wait.as_secs_f64()) };
        stop_sending(tx, one, &stop).await?;
        tally.stopped = Some(stop.reason);
        return Ok(false);
    }
    if answered && (one.stopped_at.is_some() || one.failures > 0) {
        partner::resume(tx, one, Resumption::PortalResponds).await?;
    }
    if let Some(wait) = rest {
        partner::rest(tx, one, wait.as_secs_f64()).await?;
    }
    Ok(rest.is_none())
}

pub(super) async fn stop_sending(tx: &mut WorkerTx, one: &Partner, stop: &Stop) -> Result<(), StoreError> {
    if partner::stop(tx, one, stop).await? {
        metrics::counter!("certvakt_partner_stops_total", "by" => stop.by.as_str()).increment(1);
        tracing::error!(
            organisation = one.organisation,
            partner = one.partner,
            by = stop.by.as_str(),
            "sending to the partner has stopped: {}",
            stop.reason
        );
    }
    Ok(())
}
