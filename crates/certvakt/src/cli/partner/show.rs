//! The text output of `certvakt partner`.

use certvakt_partner::enrol::Enrolled;
use certvakt_partner::probe::Point;
use certvakt_partner::reconcile::Reconciled;
use certvakt_partner::sync::{SyncReport, Tally};
use certvakt_store::Environment;
use certvakt_store::partner::{Event, Partner, PartnerStatus, Problem, ProblemKind};

use crate::output::{count, table};

/// The result of enrolling a file of mentors.
pub(super) fn enrolled(done: &Enrolled) -> String {
    let mut text = format!("Enrolled: {}. Already enrolled: {}.", done.enrolled, done.before);
    if !done.refused.is_empty() {
        let rows = done.refused.iter().map(|(line, why)| [line.to_string(), why.clone()]);
        text += &format!("\n\n{}", table(["Line", "Reason"], rows));
    }
    text
}

/// The results of a probe.
pub(super) fn points(points: &[Point]) -> String {
    let rows = points
        .iter()
        .map(|one| [one.point.clone(), if one.keeps { "yes" } else { "NO" }.to_owned(), one.found.clone()]);
    table(["Check", "Passed", "Finding"], rows).to_string()
}

/// The result of a sync.
pub(super) fn sent(done: &[SyncReport]) -> String {
    let rows = done.iter().map(|one| {
        let Tally { accepted, refused, in_doubt, put_off, removals_are_held, stopped } = &one.sent;
        let now = match (stopped, removals_are_held) {
            (Some(reason), _) => format!("STOPPED: {reason}"),
            (None, true) => "HELD: removals wait for `certvakt partner approve`".to_owned(),
            (None, false) => "ok".to_owned(),
        };
        let [accepted, refused, in_doubt, put_off] =
            [accepted, refused, in_doubt, put_off].map(ToString::to_string);
        [one.organisation.clone(), one.partner.clone(), accepted, refused, in_doubt, put_off, now]
    });
    table(["Organisation", "Partner", "Accepted", "Refused", "Unknown", "Postponed", "State"], rows)
        .to_string()
}

/// The state of all partners.
pub(in crate::cli) fn standings(all: &[PartnerStatus]) -> String {
    let rows = all.iter().map(|PartnerStatus { partner, mentors, .. }| {
        [
            partner.organisation.clone(),
            partner.partner.clone(),
            partner.environment.map_or("off", Environment::as_str).to_owned(),
            count(mentors.listed),
            count(mentors.to_list),
            count(mentors.to_delist),
            count(mentors.oldest_removal_seconds / 60),
        ]
    });
    let headings =
        ["Organisation", "Partner", "Environment", "Listed", "To list", "To remove", "Oldest, min"];
    let mut text = table(headings, rows).to_string();
    for one in all {
        for line in wants(one) {
            text += &format!("\n{line}");
        }
    }
    text
}

/// The problems of a partner, with the command that resolves each, and the mentors who wait for the portal.
fn wants(one: &PartnerStatus) -> Vec<String> {
    let PartnerStatus { partner, mentors, problems } = one;
    let waiting = [
        (mentors.with_errors, "not accepted by the portal yet"),
        (mentors.in_doubt, "without a response: certvakt reads the portal's state first"),
        (mentors.excluded, "excluded from the listing by a decision, although they consent"),
    ];
    let waiting = waiting.into_iter().filter(|(number, _)| *number > 0);
    let waiting = waiting.map(|(number, what)| format!("{} of {}: {what}", count(number), partner.partner));
    problems.iter().map(|problem| line(partner, problem)).chain(waiting).collect()
}

/// A problem of a partner, with the command that resolves it.
fn line(partner: &Partner, problem: &Problem) -> String {
    let name = &partner.partner;
    let which = format!("{name} --organisation {}", partner.organisation);
    let number = count(problem.number.unwrap_or_default());
    let since = problem.since.map(|at| at.format("%Y-%m-%d %H:%M UTC").to_string()).unwrap_or_default();
    let because = |reason: &Option<String>| reason.clone().unwrap_or_default();
    match problem.kind {
        ProblemKind::StillListed => format!("{number} of {name}: still listed, and should not be"),
        ProblemKind::RemovalLate => format!("LATE: a removal has not reached {name} for more than a day"),
        ProblemKind::Stopped => {
            let next = if partner.waits_for_person() {
                format!("fix the cause, then run `certvakt partner resume {which}`")
            } else {
                "certvakt tries again by itself".to_owned()
            };
            format!("STOPPED: {name} since {since}: {}; {next}", because(&partner.stopped_reason))
        }
        ProblemKind::RemovalsHeld => {
            format!("HELD: {number} removals of {name}; `certvakt partner approve {which}`")
        }
        ProblemKind::ListingUnread => {
            format!("NOT READ: the listing of {name} since {since}: {}", because(&partner.unread_reason))
        }
        ProblemKind::ListingNotCompared => {
            format!("NOT COMPARED: the listing of {name} since {since}; is `certvakt serve` running?")
        }
        ProblemKind::Missing => format!("{number} of {name}: sent, but missing from the listing"),
        ProblemKind::RemovedByHand => {
            format!(
                "{number} of {name}: removed manually at the portal: decide with `certvakt partner resolve-removal`"
            )
        }
        ProblemKind::Unknown => format!("{number} of {name}: listed, but unknown to certvakt"),
        ProblemKind::ReportsUnread => {
            let reason = because(&partner.reports_unread_reason);
            format!("NOT READ: the reports of {name} since {since}: {reason}")
        }
        ProblemKind::ReportsWaiting => {
            format!("WAITING: {number} reports of {name}; `certvakt partner reports {which} --waiting`")
        }
        ProblemKind::CredentialExpires => {
            let day = partner.secret_ends_on.map(|day| day.to_string()).unwrap_or_default();
            format!("CREDENTIAL: the credential for {name} expires after {day}; replace it")
        }
    }
}

/// The result of a comparison.
pub(super) fn compared(reconciled: &Reconciled) -> String {
    let mut text = format!("Correct: {}. Not visible yet: {}.", reconciled.right, reconciled.not_yet);
    for (keys, what) in [
        (&reconciled.still_listed, "Still listed, removal sent again"),
        (&reconciled.missing, "Missing, sent again"),
        (
            &reconciled.removed_by_hand,
            "Removed manually at the portal, waiting for `certvakt partner resolve-removal`",
        ),
        (&reconciled.unknown, "Listed, but unknown to certvakt"),
    ] {
        if !keys.is_empty() {
            text += &format!("\n{what}: {}", keys.join(", "));
        }
    }
    text
}

/// The events for a partner.
pub(super) fn events(events: &[Event]) -> String {
    let rows = events.iter().map(|one| {
        [
            one.at.format("%Y-%m-%d %H:%M:%S UTC").to_string(),
            one.partner_key.clone(),
            count(one.number),
            one.status.clone(),
            one.cause.clone(),
        ]
    });
    table(["Time", "Key", "Number", "Status", "Cause"], rows).to_string()
}
