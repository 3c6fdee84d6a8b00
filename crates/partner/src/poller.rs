//! Polls the portals that publish reports of completed renewal courses as pages.

use std::collections::BTreeSet;
use std::time::Duration;

use certvakt_base::clock::Clock;
use certvakt_engine::config::PartnersConfig;
use certvakt_store::partner::{self, Partner, reports};
use certvakt_store::{Database, StoreError};
use futures_util::future::join_all;
use reqwest::Url;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::watch;

use super::PartnerError;
use super::contract::Report;
use super::outcome::PortalOutcome;
use super::pages::{Pages, deleted};
use super::portal::Portal;
use super::receiver::{InboundContract, receive};
use super::report_rules::Decision;

/// The number of reports that are checked for duplicates at once.
const BATCH: usize = 1_000;
/// The time limit for reading and processing one partner's reports.
const LONGEST: Duration = Duration::from_mins(10);

/// The result of a poll of one partner.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PollResult {
    /// The organisation's short name.
    pub organisation: String,
    /// The partner's short name.
    pub partner: String,
    /// The number of renewals.
    pub renewed: u64,
    /// The number of reports of renewals that certvakt already has.
    pub echoes: u64,
    /// The number of reports that wait for a decision.
    pub waiting: u64,
    /// The number of reports that concern no certification here.
    pub dismissed: u64,
    /// The reason why the reports could not be read, if so.
    pub unread: Option<String>,
}

/// Reads the reports of each partner once an hour, until shutdown.
pub async fn run(database: &Database, clock: &Clock, config: &PartnersConfig, ending: watch::Receiver<bool>) {
    let poll_due = async || poll(database, clock, config, |one| one.is_to_be_heard).await.map(drop);
    super::repeat(config, ending, "could not read the partners' reports", poll_due).await;
}

/// Reads the reports of all partners that publish any.
pub async fn poll_all(
    database: &Database,
    clock: &Clock,
    config: &PartnersConfig,
) -> Result<Vec<PollResult>, StoreError> {
    poll(database, clock, config, |_| true).await
}

/// Reads the reports of the partners that publish any and that are due.
async fn poll(
    database: &Database,
    clock: &Clock,
    config: &PartnersConfig,
    is_due: impl Fn(&Partner) -> bool,
) -> Result<Vec<PollResult>, StoreError> {
    let mut tx = database.worker().await?;
    let partners = partner::all(&mut tx).await?;
    tx.rollback().await?;
    let is_read = |one: &&Partner| one.environment.is_some() && !one.is_resting() && is_due(one);
    let heard: Vec<_> =
        partners.iter().filter(is_read).map(|one| within(database, clock, config, one)).collect();
    Ok(join_all(heard).await.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

/// Reads a partner's reports, and records the reason if they cannot be read. Returns `None` if the partner
/// publishes none.
async fn within(
    database: &Database,
    clock: &Clock,
    config: &PartnersConfig,
    one: &Partner,
) -> Result<Option<PollResult>, StoreError> {
    let reading = async {
        match read(config, one).await? {
            None => Ok(None),
            Some(Err(outcome)) => {
                if let Some(wait) = outcome.rest() {
                    let mut tx = database.worker().await?;
                    partner::rest(&mut tx, one, wait.as_secs_f64()).await?;
                    tx.commit().await?;
                }
                Ok(Some(Err(outcome.reason().unwrap_or_default().to_owned())))
            }
            Some(Ok(Read { reports, delta, fault })) => {
                let heard = receive_all(database, clock, one, &reports).await?;
                // An invalid report does not stop the others. It is read again until it is valid.
                Ok::<_, PartnerError>(Some(fault.map_or(Ok((heard, delta)), Err)))
            }
        }
    };
    let heard = match tokio::time::timeout(LONGEST, reading).await {
        Ok(Ok(None)) => {
            let mut tx = database.worker().await?;
            reports::has_none(&mut tx, one).await?;
            tx.commit().await?;
            return Ok(None);
        }
        Ok(Ok(Some(Ok((heard, delta))))) => Ok((heard, delta)),
        Ok(Ok(Some(Err(reason)))) => Err(reason),
        Ok(Err(PartnerError::Store(error))) => return Err(error),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("reading them took longer than ten minutes".to_owned()),
    };
    let mut tx = database.worker().await?;
    let noted = match &heard {
        Ok((_, delta)) => Ok(delta.as_ref().map(Url::as_str)),
        Err(reason) => Err(reason.as_str()),
    };
    reports::was_read(&mut tx, one, noted).await?;
    tx.commit().await?;
    match heard {
        Ok((heard, _)) => Ok(Some(heard)),
        Err(reason) => {
            if one.reports_unread_since.is_none() {
                let (organisation, partner) = (&one.organisation, &one.partner);
                tracing::error!(organisation, partner, "the partner's reports cannot be read: {reason}");
            }
            let (organisation, partner) = (one.organisation.clone(), one.partner.clone());
            Ok(Some(PollResult { organisation, partner, unread: Some(reason), ..PollResult::default() }))
        }
    }
}

/// A partner's new reports.
struct Read {
    reports: Vec<Report>,
    /// The URL for the next changes.
    delta: Option<Url>,
    /// The fault of reports that break the contract.
    fault: Option<String>,
}

/// Reads a partner's new reports. Returns `None` if the partner publishes none.
async fn read(
    config: &PartnersConfig,
    one: &Partner,
) -> Result<Option<Result<Read, PortalOutcome>>, PartnerError> {
    let Some(contract) = InboundContract::of(one, config)? else { return Ok(None) };
    let Some(environment) = one.environment else { return Ok(None) };
    let address =
        contract.contract().environments.get(&environment).and_then(|addresses| addresses.inbound.clone());
    let (Some(first), Some(terms)) = (address, contract.contract().inbound.as_ref()) else { return Ok(None) };
    let portal =
        Portal::new(contract.contract().clone(), &one.organisation, &one.partner, environment, config)?;
    let pages = Pages {
        what: "list of courses",
        entries: &terms.entries,
        next: terms.next.as_deref(),
        delta: terms.delta.as_deref(),
        is_public: false,
    };
    let since = one.reports_delta.as_deref().and_then(|delta| Url::parse(delta).ok());
    let read = match read_since(&contract, &pages, &portal, &first, since.as_ref()).await {
        // The URL for changes has expired. Reading everything again is safe, because each event counts once.
        Err(PortalOutcome::Broken(_)) if since.is_some() => {
            read_since(&contract, &pages, &portal, &first, None).await
        }
        read => read,
    };
    Ok(Some(read))
}

async fn read_since(
    contract: &InboundContract,
    pages: &Pages<'_>,
    portal: &Portal,
    first: &Url,
    since: Option<&Url>,
) -> Result<Read, PortalOutcome> {
    let (mut reports, mut fault) = (Vec::new(), None);
    let take = |entry: &Value| {
        if deleted(entry).is_none() {
            match contract.read(entry) {
                Ok(report) => reports.push(report),
                Err(what) => fault = pages.broken(&what).reason().map(str::to_owned),
            }
        }
        Ok(())
    };
    let delta = pages.read(portal, first, since, take).await?;
    Ok(Read { reports, delta, fault })
}

async fn receive_all(
    database: &Database,
    clock: &Clock,
    one: &Partner,
    all: &[Report],
) -> Result<PollResult, StoreError> {
    let (organisation, partner) = (one.organisation.clone(), one.partner.clone());
    let mut heard = PollResult { organisation, partner, ..PollResult::default() };
    for batch in all.chunks(BATCH) {
        let events: Vec<String> = batch.iter().map(|report| report.event_id.clone()).collect();
        let mut tx = database.worker().await?;
        let news: BTreeSet<String> = reports::news(&mut tx, one, &events).await?.into_iter().collect();
        tx.rollback().await?;
        for report in batch.iter().filter(|report| news.contains(&report.event_id)) {
            match receive(database, one, report, clock.now()).await? {
                None => {}
                Some(Decision::Renew(_)) => heard.renewed += 1,
                Some(Decision::Echo) => heard.echoes += 1,
                Some(Decision::Wait(_)) => heard.waiting += 1,
                Some(Decision::Dismiss(_)) => heard.dismissed += 1,
            }
        }
    }
    Ok(heard)
}
