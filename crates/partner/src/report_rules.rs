//! Evaluates reports of completed renewal courses, without I/O.

use certvakt_engine::renewal::{renewable_from, renewed_until};
use certvakt_rules::last_valid_day;
use certvakt_store::CertificationStatus;
use certvakt_store::partner::reports::{HeldCertification, Renewed};
use certvakt_store::renewal::CurrentState;
use chrono::{Days, NaiveDate};
use uuid::Uuid;

use super::contract::Report;

/// The result of evaluating a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It renews the certification: until this day, or by the rule of the type.
    Renew(Option<NaiveDate>),
    /// The certification is already renewed by this course.
    Echo,
    /// It contradicts certvakt's data, so a person must decide.
    Wait(&'static str),
    /// It concerns no certification here, for this reason.
    Dismiss(&'static str),
}

impl Decision {
    /// The name of the outcome, and the reason if the report does not renew at once.
    pub const fn as_outcome(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Renew(_) => ("renewed", None),
            Self::Echo => ("echo", None),
            Self::Wait(reason) => ("waiting", Some(reason)),
            Self::Dismiss(reason) => ("dismissed", Some(reason)),
        }
    }

    /// The result for a report from a portal's staging, whose courses are not real: it shows the result, but
    /// renews nothing.
    #[must_use]
    pub const fn at_staging(self) -> Self {
        match self {
            Self::Renew(_) => Self::Dismiss("staging"),
            Self::Wait(reason) => Self::Dismiss(reason),
            other => other,
        }
    }
}

/// Evaluates a report before the mentor is looked up.
pub const fn decision_before_lookup(report: &Report) -> Option<Decision> {
    match (report.is_ours, report.is_old) {
        (true, _) => Some(Decision::Echo),
        (false, true) => Some(Decision::Dismiss("too-old")),
        (false, false) => None,
    }
}

/// Selects the certification that a course renews, among the mentor's certifications of the type.
pub fn which(held: &[HeldCertification]) -> Result<Uuid, Decision> {
    let standing: Vec<&HeldCertification> = held.iter().filter(|one| !one.is_withdrawn).collect();
    match (&standing[..], held) {
        ([one], _) => Ok(one.id),
        ([], []) => Err(Decision::Wait("no-certification")),
        ([], _) => Err(Decision::Wait("withdrawn")),
        _ => Err(Decision::Wait("several-certifications")),
    }
}

/// Two renewals whose courses were completed within this time can be the same course, recorded with different
/// days.
pub const ONE_COURSE: Days = Days::new(30);

/// Evaluates a report for a certification. `renewals` are those by courses completed no earlier than
/// [`ONE_COURSE`] before the reported day.
pub fn judge(report: &Report, standing: &CurrentState, renewals: &[Renewed], today: NaiveDate) -> Decision {
    let zone = standing.zone.0;
    let before = standing.expires_at.map(|at| last_valid_day(at, zone));
    let completed_on = report.completed_on;
    let agrees = |renewed: &&Renewed| {
        let after = renewed.expires_at.map(|at| last_valid_day(at, zone));
        renewed.completed_on == completed_on && report.valid_until.is_none_or(|until| after == Some(until))
    };
    if renewals.iter().find(agrees).is_some() {
        return Decision::Echo;
    }
    if completed_on > today {
        return Decision::Wait("in-future");
    }
    if standing.issued_at.is_some_and(|at| completed_on < last_valid_day(at, zone)) {
        return Decision::Wait("before-issue");
    }
    if renewable_from(standing, before).is_some_and(|first| completed_on < first) {
        return Decision::Wait("too-early");
    }
    let by_rule = renewed_until(Some(completed_on), None, standing, before, today).ok().flatten();
    let Some(after) = report.valid_until.or(by_rule) else { return Decision::Wait("no-date") };
    if before == Some(after) {
        return Decision::Echo;
    }
    if !renewals.is_empty() {
        return Decision::Wait("renewed-since");
    }
    if standing.status == CertificationStatus::Suspended {
        return Decision::Wait("suspended");
    }
    if before.is_none_or(|before| after < before) {
        return Decision::Wait("would-shorten");
    }
    if after < today {
        return Decision::Wait("lapsed-since");
    }
    if by_rule.is_some_and(|day| day != after) {
        return Decision::Wait("other-date");
    }
    Decision::Renew(report.valid_until)
}
