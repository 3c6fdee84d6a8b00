//! Changes of certifications: the request, the rules, and the result.

pub mod batch;
pub mod certified;
mod error;
pub mod histories;
pub mod undo;

use certvakt_rules::calendar::{end_of_day, is_plausible};
use certvakt_rules::renewal::{self as rules, Kind, Rule};
use certvakt_rules::{last_valid_day, text, today};
use certvakt_store::CertificationStatus;
use certvakt_store::renewal::{ChangeResult, ChangeTx, CurrentState, NewState};
use chrono::{DateTime, Months, NaiveDate, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

pub use error::{DateError, RenewalError};

/// The maximum lengths of evidence and of a note, in characters, as in the schema.
const LONGEST_EVIDENCE: usize = 500;
const LONGEST_NOTE: usize = 2000;

/// The new end of a certification's validity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Until {
    /// The last valid day.
    Day(NaiveDate),
    /// It does not expire.
    Never,
}

/// A change of a certification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Change {
    /// Renew it: until a date, or by the rule of its type; with the day of completion, which defaults to
    /// today.
    Renew {
        /// The day on which the mentor completed the renewal course.
        completed_on: Option<NaiveDate>,
        /// The new end of the validity, if not by the rule.
        until: Option<Until>,
        /// Whether to renew earlier than the type allows.
        early: bool,
    },
    /// Correct its date.
    Correct(Until),
    /// Suspend it: until a day, after which the next run reinstates it, or until somebody does.
    Suspend {
        /// The last day of the suspension.
        until: Option<NaiveDate>,
    },
    /// Reinstate it.
    Reinstate,
    /// Withdraw it.
    Withdraw,
}

impl Change {
    /// The kind of the history entry.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Renew { .. } => Kind::Renewed,
            Self::Correct(_) => Kind::Corrected,
            Self::Suspend { .. } => Kind::Suspended,
            Self::Reinstate => Kind::Reinstated,
            Self::Withdraw => Kind::Withdrawn,
        }
    }
}

/// The source of a change, as in history entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The API, or a page.
    Api,
    /// The command line.
    Command,
    /// A partner's portal.
    Portal,
}

impl Source {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Command => "command",
            Self::Portal => "portal",
        }
    }
}

/// A requested change.
#[derive(Debug, Clone)]
pub struct ChangeRequest<'a> {
    /// The change.
    pub change: Change,
    /// Evidence: a reference, not a document.
    pub evidence: Option<&'a str>,
    /// A note.
    pub note: Option<&'a str>,
    /// A key that the caller chooses: a change with the same key is made only once.
    pub key: Option<&'a str>,
    /// The source.
    pub source: Source,
    /// The version of the certification that the caller read; `None` to accept any version.
    pub seen: Option<DateTime<Utc>>,
    /// The id of the form that makes the change; the person can undo it for a day. `None` if it cannot be undone.
    pub form: Option<Uuid>,
}

impl ChangeRequest<'_> {
    /// The id of the history entry that this change of a certification makes.
    fn entry(&self, certification: Uuid) -> Uuid {
        self.key.map_or_else(Uuid::new_v4, |key| rules::entry_id(certification, key))
    }

    /// Checks the texts of the request, independently of the certification.
    pub fn check(&self) -> Result<(), RenewalError> {
        let is_plain: fn(&str) -> bool = text::is_plain;
        for (what, words, longest, is_plain) in [
            ("evidence", self.evidence, LONGEST_EVIDENCE, is_plain),
            ("a note", self.note, LONGEST_NOTE, text::is_plain_note),
        ] {
            let Some(words) = words else { continue };
            if !(1..=longest).contains(&words.chars().count()) || !is_plain(words) {
                return Err(RenewalError::Words(format!(
                    "{what} must have 1 to {longest} characters, without control characters"
                )));
            }
        }
        Ok(())
    }
}

/// The outcome of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ChangeOutcome {
    /// The previous last valid day; `None` if it did not expire.
    #[serde(rename = "last_valid_day_before")]
    pub before: Option<NaiveDate>,
    /// The new last valid day.
    #[serde(rename = "last_valid_day")]
    pub after: Option<NaiveDate>,
    /// Whether anything changed. False if it was already so, or a request with the same key has made the
    /// change.
    pub is_changed: bool,
}

/// Applies a change to a certification. An error ends the transaction.
pub async fn apply(
    tx: &mut impl ChangeTx,
    id: Uuid,
    request: &ChangeRequest<'_>,
    now: DateTime<Utc>,
) -> Result<ChangeOutcome, RenewalError> {
    let entry = request.entry(id);
    let standing = tx.standing(id, entry).await?.ok_or(RenewalError::Unknown)?;
    let (outcome, state) = decide(&standing, request, entry, now)?;
    let Some(state) = state else { return Ok(outcome) };
    match tx.change(&state).await? {
        ChangeResult::Yes => Ok(outcome),
        ChangeResult::HistoryFull => Err(RenewalError::HistoryFull),
        ChangeResult::Withdrawn => Err(RenewalError::Withdrawn),
        ChangeResult::Erased => Err(RenewalError::Erased),
        ChangeResult::Ended => Err(RenewalError::Ended),
        ChangeResult::Lapsed => Err(RenewalError::Lapsed),
        ChangeResult::NotAsSeen => {
            // Another request may have made the same change in the meantime.
            let now = tx.standing(id, entry).await?.ok_or(RenewalError::Unknown)?;
            match (now.has_entry, now.updated_at == standing.updated_at) {
                (true, _) => Ok(ChangeOutcome { after: outcome.before, is_changed: false, ..outcome }),
                (false, true) => Err(RenewalError::NotTheirs),
                (false, false) => Err(RenewalError::Changed),
            }
        }
    }
}

/// The outcome of a request for a certification, and its new state if it changes.
fn decide(
    standing: &CurrentState,
    request: &ChangeRequest<'_>,
    entry: Uuid,
    now: DateTime<Utc>,
) -> Result<(ChangeOutcome, Option<NewState>), RenewalError> {
    request.check()?;
    let zone = standing.zone.0;
    let before = standing.expires_at.map(|at| last_valid_day(at, zone));
    let as_it_is = ChangeOutcome { before, after: before, is_changed: false };
    if standing.has_entry {
        return Ok((as_it_is, None));
    }
    if request.seen.is_some_and(|seen| seen != standing.updated_at) {
        return Err(RenewalError::Changed);
    }
    let Some(becomes) = becomes(&request.change, standing, before, today(now, zone))? else {
        return Ok((as_it_is, None));
    };
    let after = becomes.last_valid_day;
    // If the day is the same, keep the exact time.
    let expires_at =
        if after == before { standing.expires_at } else { after.map(|day| end_of_day(day, zone)) };
    let state = NewState {
        id: standing.id,
        seen: standing.updated_at,
        expires_at,
        status: becomes.status,
        suspended_until: becomes.suspended_until,
        said: said(request, entry, today(now, zone)),
    };
    Ok((ChangeOutcome { before, after, is_changed: true }, Some(state)))
}

/// The result of a change.
struct Becomes {
    last_valid_day: Option<NaiveDate>,
    status: CertificationStatus,
    suspended_until: Option<NaiveDate>,
}

/// The result of a change of a certification; `None` if it is already so.
fn becomes(
    change: &Change,
    standing: &CurrentState,
    before: Option<NaiveDate>,
    today: NaiveDate,
) -> Result<Option<Becomes>, RenewalError> {
    if standing.is_withdrawn && !matches!(change, Change::Reinstate | Change::Withdraw) {
        return Err(RenewalError::Withdrawn);
    }
    let CurrentState { status, suspended_until, .. } = *standing;
    let unchanged = Becomes { last_valid_day: before, status, suspended_until };
    // A certification that is valid again becomes active immediately, not at the next run.
    let with = |after: Option<NaiveDate>| {
        let is_valid = after.is_none_or(|day| day >= today);
        let is_revived = status == CertificationStatus::Expired && is_valid;
        let status = if is_revived { CertificationStatus::Active } else { status };
        Becomes { last_valid_day: after, status, suspended_until }
    };
    Ok(match change {
        Change::Renew { completed_on, until, early } => {
            if let Some(first) = renewable_from(standing, before)
                && !early
                && completed_on.unwrap_or(today) < first
            {
                return Err(RenewalError::Early(first));
            }
            let after = renewed_until(*completed_on, *until, standing, before, today)?;
            check_date(after, standing, today)?;
            if after.is_some_and(|day| day < today) {
                return Err(DateError::AlreadyLapsed(after.unwrap_or(today)).into());
            }
            if after == before {
                return Err(DateError::Unchanged.into());
            }
            Some(with(after))
        }
        Change::Correct(until) => {
            let after = day(*until);
            check_date(after, standing, today)?;
            (after != before).then(|| with(after))
        }
        Change::Suspend { .. } if status == CertificationStatus::Expired => return Err(RenewalError::Lapsed),
        Change::Suspend { until } => {
            if until.is_some_and(|day| day < today || !is_plausible(day, today)) {
                return Err(DateError::SuspensionEnd.into());
            }
            let status = CertificationStatus::Suspended;
            ((standing.status, suspended_until) != (status, *until)).then_some(Becomes {
                status,
                suspended_until: *until,
                ..unchanged
            })
        }
        Change::Reinstate => (status == CertificationStatus::Suspended).then_some(Becomes {
            status: CertificationStatus::Active,
            suspended_until: None,
            ..unchanged
        }),
        Change::Withdraw => (!standing.is_withdrawn).then_some(Becomes {
            status: CertificationStatus::Suspended,
            suspended_until: None,
            ..unchanged
        }),
    })
}

const fn day(until: Until) -> Option<NaiveDate> {
    match until {
        Until::Day(day) => Some(day),
        Until::Never => None,
    }
}

/// The first day on which the type allows a renewal; `None` if it allows every day, or the certification does not
/// expire.
pub fn renewable_from(standing: &CurrentState, before: Option<NaiveDate>) -> Option<NaiveDate> {
    let days = standing.renewal_window_days.and_then(|days| u16::try_from(days).ok())?;
    before.map(|before| rules::renewable_from(before, days))
}

/// The new last valid day of a renewal with a course completed on a day: the given date, or the date by the
/// type's rule.
pub fn renewed_until(
    completed_on: Option<NaiveDate>,
    until: Option<Until>,
    standing: &CurrentState,
    before: Option<NaiveDate>,
    today: NaiveDate,
) -> Result<Option<NaiveDate>, RenewalError> {
    check_completion(completed_on, today)?;
    if let Some(until) = until {
        return Ok(day(until));
    }
    let completed_on = completed_on.unwrap_or(today);
    by_rule(completed_on, standing.validity_months, &standing.renewal_rule, before).map(Some)
}

/// The last valid day of a person's first certification of a type: the given day, or the day by the type's validity and rule.
/// `None` for both days is an error, like a type without a rule.
pub fn first_until(
    completed_on: Option<NaiveDate>,
    until: Option<NaiveDate>,
    validity_months: Option<i16>,
    renewal_rule: &str,
    today: NaiveDate,
) -> Result<NaiveDate, RenewalError> {
    check_completion(completed_on, today)?;
    let until = match (until, completed_on) {
        (Some(until), _) => until,
        (None, Some(day)) => by_rule(day, validity_months, renewal_rule, None)?,
        (None, None) => return Err(RenewalError::NoRule),
    };
    if let Some(issued) = completed_on.filter(|day| until < *day) {
        return Err(DateError::BeforeIssue { day: until, issued }.into());
    }
    if !is_plausible(until, today) {
        return Err(DateError::OutOfRange(until).into());
    }
    if until < today { Err(DateError::AlreadyLapsed(until).into()) } else { Ok(until) }
}

fn check_completion(completed_on: Option<NaiveDate>, today: NaiveDate) -> Result<(), RenewalError> {
    match completed_on {
        Some(day) if day > today => Err(DateError::CompletedLater.into()),
        Some(day) if !is_plausible(day, today) => Err(DateError::CompletedTooEarly(day).into()),
        _ => Ok(()),
    }
}

/// The last valid day by the validity and the rule of a type.
fn by_rule(
    completed_on: NaiveDate,
    validity_months: Option<i16>,
    renewal_rule: &str,
    before: Option<NaiveDate>,
) -> Result<NaiveDate, RenewalError> {
    let months = validity_months.and_then(|months| u32::try_from(months).ok()).map(Months::new);
    let rule: Rule = renewal_rule.parse().map_err(|_| RenewalError::NoRule)?;
    rules::last_valid_day(rule, months, completed_on, before).ok_or(RenewalError::NoRule)
}

fn check_date(
    after: Option<NaiveDate>,
    standing: &CurrentState,
    today: NaiveDate,
) -> Result<(), RenewalError> {
    let Some(after) = after else { return Ok(()) };
    let zone = standing.zone.0;
    if let Some(issued) = standing.issued_at.map(|at| last_valid_day(at, zone))
        && after < issued
    {
        return Err(DateError::BeforeIssue { day: after, issued }.into());
    }
    if !is_plausible(after, today) {
        return Err(DateError::OutOfRange(after).into());
    }
    Ok(())
}

/// The additional fields of the history entry.
fn said(request: &ChangeRequest<'_>, entry: Uuid, today: NaiveDate) -> Value {
    let completed_on = match request.change {
        Change::Renew { completed_on, .. } => Some(completed_on.unwrap_or(today)),
        _ => None,
    };
    let mut said = json!({
        "kind": request.change.kind(),
        "id": entry,
        "source": request.source.as_str(),
        "completed_on": completed_on,
        "evidence": request.evidence,
        "note": request.note,
    });
    if let Some(form) = request.form {
        said["form"] = json!(form);
    }
    said
}
