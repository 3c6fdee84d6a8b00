//! Tests whether a portal follows a contract: sends the contract's examples to the portal's staging, or reads
//! the listing and some mentors at the live environment, where a test must change nothing.

use certvakt_base::clock::Clock;
use certvakt_engine::config::PartnersConfig;
use certvakt_store::partner::Partner;
use serde::Serialize;
use uuid::Uuid;

use super::PartnerError;
use super::adapters::{self, Adapter, Bounds};
use super::contract::{Contract, State};
use super::listing;
use super::outcome::PortalOutcome;
use certvakt_store::Environment;

/// The number of mentors that a probe reads at a live portal.
pub const READ_LIVE: i64 = 3;

/// A check of a probe, with its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Point {
    /// The check.
    pub point: String,
    /// The portal's response.
    pub found: String,
    /// Whether the response follows the contract.
    pub keeps: bool,
}

/// Sends the contract's examples to the portal's staging.
pub async fn staging(
    config: &PartnersConfig,
    clock: &Clock,
    one: &Partner,
    version: &str,
) -> Result<Vec<Point>, PartnerError> {
    let contract = Contract::read(&config.contracts, &one.partner, version)?;
    let examples = contract.examples.clone();
    let adapter = adapters::of(contract, &one.organisation, &one.partner, Environment::Staging, config)?;
    let mut points = Vec::new();
    for (number, example) in (1_i64..).zip(examples) {
        let state = State::new(&example.key, example.listed, Uuid::new_v4(), number, clock.now(), 0);
        let outcome = adapter
            .send(&[state], Bounds::alone())
            .await
            .pop()
            .unwrap_or_else(|| PortalOutcome::InDoubt("no answer".to_owned()));
        let check = if example.refused { refused } else { accepted };
        points.push(check(example.name.clone(), &outcome));
        if outcome == PortalOutcome::Accepted {
            let name = format!("{}, read back", example.name);
            points.extend(read(adapter.as_ref(), &[&example.key]).await.into_iter().map(|read| match read {
                Ok(is_listed) => Point {
                    point: name.clone(),
                    found: if is_listed { "listed" } else { "not listed" }.to_owned(),
                    keeps: is_listed == example.listed,
                },
                Err(outcome) => accepted(name.clone(), &outcome),
            }));
        }
    }
    if points.is_empty() {
        let none = "the contract has no examples".to_owned();
        points.push(Point { point: none, found: "there was nothing to test".to_owned(), keeps: false });
    }
    Ok(points)
}

/// Reads the listing and the states of some mentors at the live portal, and changes nothing.
pub async fn live(
    config: &PartnersConfig,
    one: &Partner,
    version: &str,
    keys: &[String],
) -> Result<Vec<Point>, PartnerError> {
    let contract = Contract::read(&config.contracts, &one.partner, version)?;
    let adapter = adapters::of(contract, &one.organisation, &one.partner, Environment::Live, config)?;
    let mut points = vec![match listing::read(adapter.portal()).await {
        Ok(_) => accepted("read the listing".to_owned(), &PortalOutcome::Accepted),
        Err(outcome) => accepted("read the listing".to_owned(), &outcome),
    }];
    let some: Vec<&str> = keys.iter().map(String::as_str).collect();
    for (key, read) in keys.iter().zip(read(adapter.as_ref(), &some).await) {
        points.push(accepted(format!("read {key}"), read.err().as_ref().unwrap_or(&PortalOutcome::Accepted)));
    }
    Ok(points)
}

/// Tests what must work before sending is resumed: the portal's staging, if the contract has one, and its live environment, if
/// that is in use. `keys` are those of some mentors there.
pub async fn before_resuming(
    config: &PartnersConfig,
    clock: &Clock,
    one: &Partner,
    keys: &[String],
) -> Result<Vec<Point>, PartnerError> {
    let version = one.contract.as_deref().ok_or_else(|| PartnerError::Off(one.partner.clone()))?;
    let contract = Contract::read(&config.contracts, &one.partner, version)?;
    let mut points = Vec::new();
    if contract.environments.contains_key(&Environment::Staging) {
        points.extend(staging(config, clock, one, version).await?);
    }
    if one.environment == Some(Environment::Live) {
        points.extend(live(config, one, version, keys).await?);
    }
    Ok(points)
}

/// The portal's states of mentors, if they can be read.
async fn read(adapter: &dyn Adapter, keys: &[&str]) -> Vec<Result<bool, PortalOutcome>> {
    if adapter.can_be_asked() { adapter.read(keys, Bounds::alone()).await } else { Vec::new() }
}

/// The check that the portal accepts a request.
fn accepted(point: String, outcome: &PortalOutcome) -> Point {
    Point { point, found: found(outcome), keeps: *outcome == PortalOutcome::Accepted }
}

/// The check that the portal refuses a request.
fn refused(point: String, outcome: &PortalOutcome) -> Point {
    Point { point, found: found(outcome), keeps: matches!(outcome, PortalOutcome::Refused(_)) }
}

fn found(outcome: &PortalOutcome) -> String {
    outcome.reason().unwrap_or("as the contract says").to_owned()
}
