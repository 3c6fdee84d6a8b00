//! Receives reports of completed renewal courses, and resolves the reports that wait for a decision.

use certvakt_engine::config::PartnersConfig;
use certvakt_engine::renewal::{self, Change, ChangeOutcome, ChangeRequest, RenewalError, Source, Until};
use certvakt_rules::today;
use certvakt_store::caller::partners::{self, Waiting};
use certvakt_store::partner::{Partner, reports};
use certvakt_store::renewal::ChangeTx;
use certvakt_store::{CallerTx, Database, RegistrarTx, StoreError};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde_json::Value;
use standardwebhooks::Webhook;
use uuid::Uuid;

use super::PartnerError;
use super::contract::{Contract, Report, Rules};
use super::report_rules::{self, Decision};
use certvakt_store::Environment;

/// A partner's contract for reports.
#[derive(Debug)]
pub struct InboundContract {
    contract: Contract,
    rules: Rules,
    zone: Tz,
}

impl InboundContract {
    /// The contract of a partner that is switched on; `None` if it does not describe reports.
    pub fn of(one: &Partner, config: &PartnersConfig) -> Result<Option<Self>, PartnerError> {
        let Some(version) = one.contract.as_ref().filter(|_| one.environment.is_some()) else {
            return Err(PartnerError::Off(one.partner.clone()));
        };
        let contract = Contract::read(&config.contracts, &one.partner, version)?;
        if contract.inbound.is_none() {
            return Ok(None);
        }
        let rules = Rules::of(&contract).map_err(|what| not_set_up(one, what))?;
        Ok(Some(Self { contract, rules, zone: one.zone.0 }))
    }

    /// The contract.
    pub const fn contract(&self) -> &Contract {
        &self.contract
    }

    /// Whether reports arrive at the webhook only, and are not polled as well.
    fn has_webhook_only(&self, one: &Partner) -> bool {
        let environment = one.environment;
        let addresses = environment.and_then(|environment| self.contract.environments.get(&environment));
        addresses.is_none_or(|addresses| addresses.inbound.is_none())
    }

    /// Reads a report, or returns how it breaks the contract.
    pub fn read(&self, entry: &Value) -> Result<Report, String> {
        if let Some(fault) = self.rules.report_fault(entry) {
            return Err(fault);
        }
        let terms = self.contract.inbound.as_ref().ok_or("the contract does not describe reports")?;
        terms.read(entry, self.zone)
    }
}

/// The keys that verify the signature of a partner's webhook requests, at its environment; empty if it sends none.
pub fn keys(one: &Partner, config: &PartnersConfig) -> Result<Vec<Webhook>, PartnerError> {
    let environment = one.environment.map(Environment::as_str).unwrap_or_default();
    let Some(secrets) = config.secrets_of(&one.organisation, &one.partner, environment) else {
        return Ok(Vec::new());
    };
    let keys = secrets.read_inbound().map_err(|what| not_set_up(one, what))?;
    let keys = keys.iter().map(|key| Webhook::new(key)).collect::<Result<_, _>>();
    keys.map_err(|_| not_set_up(one, "an inbound key is not in the format of Standard Webhooks".to_owned()))
}

fn not_set_up(one: &Partner, what: String) -> PartnerError {
    let environment = one.environment.map_or("off", Environment::as_str);
    PartnerError::NotSetUp { partner: one.partner.clone(), environment, what }
}

/// Processes a report from the webhook whose signature was verified. The inner error is how it breaks the
/// contract, which `status` shows until a valid report arrives.
pub async fn accept(
    database: &Database,
    one: &Partner,
    contract: &InboundContract,
    body: &[u8],
    now: DateTime<Utc>,
) -> Result<Result<(), String>, StoreError> {
    let entry = serde_json::from_slice(body).map_err(|_| "it is not JSON".to_owned());
    let heard = match entry.and_then(|entry| contract.read(&entry)) {
        Ok(report) => receive(database, one, &report, now).await.map(|_| Ok(()))?,
        Err(fault) => Err(fault),
    };
    if let Err(fault) = &heard {
        let (organisation, partner) = (&one.organisation, &one.partner);
        tracing::error!(organisation, partner, "a report from the partner breaks the contract: {fault}");
    }
    if heard.is_err() || one.reports_unread_since.is_some() && contract.has_webhook_only(one) {
        let mut tx = database.worker().await?;
        reports::is_understood(&mut tx, one, heard.as_ref().err().map(String::as_str)).await?;
        tx.commit().await?;
    }
    Ok(heard)
}

/// Processes a report. Returns `None` if its event is a duplicate.
pub async fn receive(
    database: &Database,
    one: &Partner,
    report: &Report,
    now: DateTime<Utc>,
) -> Result<Option<Decision>, StoreError> {
    match once(database, one, report, now, None).await {
        Err(RenewalError::Store(error)) => Err(error),
        // A report whose renewal is refused waits for a decision, with the code of the refusal.
        Err(refused) => match once(database, one, report, now, Some(refused.code())).await {
            Err(RenewalError::Store(error)) => Err(error),
            Err(refused) => Err(StoreError::Invalid(refused.to_string())),
            Ok(decision) => Ok(decision),
        },
        Ok(decision) => Ok(decision),
    }
}

/// Stores the report and makes its renewal in one transaction.
async fn once(
    database: &Database,
    one: &Partner,
    report: &Report,
    now: DateTime<Utc>,
    refused: Option<&'static str>,
) -> Result<Option<Decision>, RenewalError> {
    let mut tx = database.registrar().await?;
    let (certification_id, mut decision) = evaluate(&mut tx, one, report, now).await?;
    if let (Decision::Renew(_), Some(code)) = (decision, refused) {
        decision = Decision::Wait(code);
    }
    if one.environment != Some(Environment::Live) {
        decision = decision.at_staging();
    }
    let (outcome, reason) = decision.as_outcome();
    let new = reports::New {
        event_id: &report.event_id,
        partner_key: &report.partner_key,
        certification_type: report.certification_type.as_deref(),
        certification_id,
        completed_on: report.completed_on,
        valid_until: report.valid_until,
        outcome,
        reason,
    };
    if !reports::record(&mut tx, one, &new).await? {
        tx.rollback().await?;
        return Ok(None);
    }
    if let (Decision::Renew(until), Some(id)) = (decision, certification_id) {
        let course = Course {
            partner: &one.partner,
            event: &report.event_id,
            completed_on: report.completed_on,
            until: until.map(Until::Day),
        };
        renew(&mut tx, course, id, FormOfDecision::default(), now).await?;
    }
    tx.commit().await?;
    Ok(Some(decision))
}

async fn evaluate(
    tx: &mut RegistrarTx,
    one: &Partner,
    report: &Report,
    now: DateTime<Utc>,
) -> Result<(Option<Uuid>, Decision), StoreError> {
    if let Some(decision) = report_rules::decision_before_lookup(report) {
        return Ok((None, decision));
    }
    let certification = match find(tx, one, &report.partner_key, report.certification_type.as_deref()).await?
    {
        Ok(id) => id,
        Err(decision) => return Ok((None, decision)),
    };
    let Some(standing) = tx.standing(certification, Uuid::nil()).await? else {
        return Ok((None, Decision::Wait("no-certification")));
    };
    let zone = standing.zone.0;
    let renewals =
        reports::renewals_since(tx, certification, report.completed_on - report_rules::ONE_COURSE).await?;
    Ok((Some(certification), report_rules::judge(report, &standing, &renewals, today(now, zone))))
}

/// Finds and locks the certification that a course renews, or returns the decision if there is none.
async fn find(
    tx: &mut RegistrarTx,
    one: &Partner,
    key: &str,
    certification_type: Option<&str>,
) -> Result<Result<Uuid, Decision>, StoreError> {
    let person = match reports::mentor(tx, one, key).await? {
        None => return Ok(Err(Decision::Wait("mentor-unknown"))),
        Some(None) => return Ok(Err(Decision::Dismiss("mentor-gone"))),
        Some(Some(person)) => person,
    };
    let Some(certification_type) = certification_type else {
        return Ok(Err(Decision::Wait("course-unknown")));
    };
    Ok(report_rules::which(&reports::held(tx, one, person, certification_type).await?))
}

/// A completed course, and the end of the validity that it leads to; `None` for the date by the type's rule.
#[derive(Debug, Clone, Copy)]
struct Course<'a> {
    partner: &'a str,
    event: &'a str,
    completed_on: NaiveDate,
    until: Option<Until>,
}

/// Renews a certification by a partner's event, with the same code as every renewal. A person has approved it, or
/// [`inbound::judge`] has, which checks that it is not too early.
async fn renew(
    tx: &mut impl ChangeTx,
    course: Course<'_>,
    certification: Uuid,
    form: FormOfDecision,
    now: DateTime<Utc>,
) -> Result<ChangeOutcome, RenewalError> {
    let Course { partner, event, completed_on, until } = course;
    let (evidence, key) = (format!("{partner}: {event}"), format!("{partner} {event}"));
    let request = ChangeRequest {
        change: Change::Renew { completed_on: Some(completed_on), until, early: true },
        evidence: Some(&evidence),
        note: None,
        key: Some(&key),
        source: Source::Portal,
        seen: form.seen,
        form: form.id,
    };
    renewal::apply(tx, certification, &request, now).await
}

/// A person's decision about a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// Renew the certification.
    Accept {
        /// The certification, if the report does not name one.
        certification: Option<Uuid>,
        /// The new last valid day, if not the portal's date or the date by the type's rule.
        until: Option<Until>,
    },
    /// Dismiss the report.
    Dismiss,
}

/// Resolves a waiting report by a person's decision. Returns the renewal, if there is one.
pub async fn resolve(
    database: &Database,
    one: &Partner,
    event: &str,
    resolution: Resolution,
    now: DateTime<Utc>,
) -> Result<Option<ChangeOutcome>, PartnerError> {
    let mut tx = database.registrar().await?;
    let report = reports::waiting(&mut tx, one, event).await?.ok_or(PartnerError::ReportNotWaiting)?;
    let Resolution::Accept { certification, until } = resolution else {
        return if reports::resolve(&mut tx, one, event, None).await? {
            tx.commit().await?;
            Ok(None)
        } else {
            Err(PartnerError::ReportNotWaiting)
        };
    };
    let certification = if let Some(id) = certification.or(report.certification_id) {
        id
    } else {
        // This also finds a mentor who was enrolled or certified in the meantime.
        let key = report.partner_key.as_deref().unwrap_or_default();
        let found = find(&mut tx, one, key, report.certification_type.as_deref()).await?;
        found.map_err(|_| PartnerError::Unclear)?
    };
    let home = tx.standing(certification, Uuid::nil()).await?.map(|standing| standing.organisation_id);
    if home != Some(one.organisation_id) {
        return Err(RenewalError::Unknown.into());
    }
    let course = Course {
        partner: &one.partner,
        event,
        completed_on: report.completed_on,
        until: until.or(report.valid_until.map(Until::Day)),
    };
    let done = renew(&mut tx, course, certification, FormOfDecision::default(), now).await?;
    // The same lock order as the erasure: certifications before reports.
    if !reports::resolve(&mut tx, one, event, Some(certification)).await? {
        return Err(PartnerError::ReportNotWaiting);
    }
    tx.commit().await?;
    Ok(Some(done))
}

/// The form in which a person decides.
#[derive(Debug, Clone, Copy, Default)]
pub struct FormOfDecision {
    /// The version of the certification that the person saw; `None` for any.
    pub seen: Option<DateTime<Utc>>,
    /// The id under which the person can undo the renewal for a day; `None` if it cannot be undone.
    pub id: Option<Uuid>,
}

/// Settles a waiting report by a person's decision, within what the person may change. Returns the renewal, if there is one.
/// The caller commits.
pub async fn settle(
    tx: &mut CallerTx,
    partner: &str,
    report: &Waiting,
    resolution: Resolution,
    form: FormOfDecision,
    now: DateTime<Utc>,
) -> Result<Option<ChangeOutcome>, PartnerError> {
    let event = &report.event_id;
    let (renewed, done) = match resolution {
        Resolution::Dismiss => (None, None),
        Resolution::Accept { certification, until } => {
            let id = certification.or(report.certification_id).ok_or(PartnerError::Unclear)?;
            let home = tx.standing(id, Uuid::nil()).await?.map(|standing| standing.organisation_id);
            if home != Some(report.organisation_id) {
                return Err(RenewalError::Unknown.into());
            }
            let until = until.or(report.valid_until.map(Until::Day));
            let course = Course { partner, event, completed_on: report.completed_on, until };
            (Some(id), Some(renew(tx, course, id, form, now).await?))
        }
    };
    // The same lock order as the erasure: certifications before reports.
    if !partners::settle(tx, report.organisation_id, partner, event, renewed).await? {
        return Err(PartnerError::ReportNotWaiting);
    }
    Ok(done)
}
