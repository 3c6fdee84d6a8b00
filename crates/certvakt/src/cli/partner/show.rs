//! What `certvakt partner` shows people.

use crate::output::{count, table};
use crate::partner::enrol::Enrolled;
use crate::partner::probe::Point;
use crate::partner::reconcile::Reconciled;
use crate::partner::sync::{SyncReport, Tally};
use crate::store::partner::{Event, REMOVAL_SECONDS, WithStanding};

/// What became of a file of mentors.
pub(super) fn enrolled(done: &Enrolled) -> String {
    let mut text = format!("Enrolled: {}. Enrolled before: {}.", done.enrolled, done.before);
    if !done.refused.is_empty() {
        let rows = done.refused.iter().map(|(line, why)| [line.to_string(), why.clone()]);
        text += &format!("\n\n{}", table(["Line", "Why not"], rows));
    }
    text
}

/// Point by point whether a portal keeps to a contract.
pub(super) fn points(points: &[Point]) -> String {
    let rows = points
        .iter()
        .map(|one| [one.point.clone(), if one.keeps { "yes" } else { "NO" }.to_owned(), one.found.clone()]);
    table(["Point", "Keeps", "Found"], rows).to_string()
}

/// What partners were told.
pub(super) fn told(done: &[SyncReport]) -> String {
    let rows = done.iter().map(|one| {
        let Tally { taken, refused, unsure, put_off, removals_are_held, stopped } = &one.told;
        let now = match (stopped, removals_are_held) {
            (Some(reason), _) => format!("STOPPED: {reason}"),
            (None, true) => "HELD: removals wait for `certvakt partner approve`".to_owned(),
            (None, false) => "nothing waits".to_owned(),
        };
        let [taken, refused, unsure, put_off] = [taken, refused, unsure, put_off].map(ToString::to_string);
        [one.organisation.clone(), one.partner.clone(), taken, refused, unsure, put_off, now]
    });
    table(["Organisation", "Partner", "Taken", "Refused", "Unsure", "Put off", "Now"], rows).to_string()
}

/// How partners stand.
pub(in crate::cli) fn standings(all: &[WithStanding]) -> String {
    let rows = all.iter().map(|WithStanding { partner, mentors }| {
        [
            partner.organisation.clone(),
            partner.partner.clone(),
            partner.stage.clone().unwrap_or_else(|| "off".to_owned()),
            count(mentors.listed),
            count(mentors.to_list),
            count(mentors.to_delist),
            count(mentors.oldest_removal_seconds / 60),
        ]
    });
    let headings = ["Organisation", "Partner", "Stage", "Listed", "To list", "To take off", "Oldest, min"];
    let mut text = table(headings, rows).to_string();
    for one in all {
        for line in wants(one) {
            text += &format!("\n{line}");
        }
    }
    text
}

/// What about a partner wants a person, and what is not as it is to be.
fn wants(WithStanding { partner, mentors }: &WithStanding) -> Vec<String> {
    let name = &partner.partner;
    let which = format!("{name} --organisation {}", partner.organisation);
    let mut lines = Vec::new();
    if let (Some(at), Some(reason)) = (partner.stopped_at, &partner.stopped_reason) {
        let next = if partner.waits_for_person() {
            format!("`certvakt partner resume {which}` once it is mended")
        } else {
            "goes on by itself".to_owned()
        };
        lines.push(format!("STOPPED: {name} since {}: {reason}; {next}", at.format("%Y-%m-%d %H:%M UTC")));
    }
    if partner.held_at.is_some() {
        let removals = count(mentors.not_approved);
        lines.push(format!("HELD: {removals} removals of {name}; `certvakt partner approve {which}`"));
    }
    if let (Some(at), Some(reason)) = (partner.unread_since, &partner.unread_reason) {
        let at = at.format("%Y-%m-%d %H:%M UTC");
        lines.push(format!("UNREAD: the listing of {name} since {at}: {reason}"));
    }
    if partner.is_stale && partner.unread_since.is_none() {
        lines.push(format!("NOT COMPARED: the listing of {name} for six hours; does `certvakt serve` run?"));
    }
    if let (Some(at), Some(reason)) = (partner.reports_unread_since, &partner.reports_unread_reason) {
        let at = at.format("%Y-%m-%d %H:%M UTC");
        lines.push(format!("UNREAD: the reports of {name} since {at}: {reason}"));
    }
    if mentors.reports_waiting > 0 {
        let reports = count(mentors.reports_waiting);
        lines.push(format!(
            "WAITING: {reports} reports of {name}; `certvakt partner reports {which} --waiting`"
        ));
    }
    if mentors.oldest_removal_seconds >= REMOVAL_SECONDS {
        lines.push(format!("LATE: somebody has waited for more than a day to be taken off by {name}"));
    }
    if let (true, Some(day)) = (partner.needs_secret(), partner.secret_ends_on) {
        lines.push(format!(
            "SECRET: the last day on which {name} lets us in is {day}; put another where it is"
        ));
    }
    let numbers = [
        (mentors.still_shown, "still listed although they are not to be"),
        (mentors.not_shown, "told, and not in the listing"),
        (mentors.away, "removed there by hand: answer with `certvakt partner answer`"),
        (partner.unknown_shown, "listed, and known to nobody here"),
        (mentors.in_trouble, "not taken by the portal yet"),
        (mentors.unsure, "without an answer: the portal's state is read first"),
        (mentors.kept_off, "kept off although they consent, as somebody answered"),
    ];
    let numbers = numbers.into_iter().filter(|(number, _)| *number > 0);
    lines.extend(numbers.map(|(number, what)| format!("{} of {name}: {what}", count(number))));
    lines
}

/// What a comparison found.
pub(super) fn compared(reconciled: &Reconciled) -> String {
    let mut text = format!("As it is to be: {}. Cannot show yet: {}.", reconciled.right, reconciled.not_yet);
    for (keys, what) in [
        (&reconciled.still_listed, "Still listed, told again"),
        (&reconciled.missing, "Missing, told again"),
        (&reconciled.removed_by_hand, "Removed there by hand, waiting for `certvakt partner answer`"),
        (&reconciled.unknown, "Listed, and known to nobody here"),
    ] {
        if !keys.is_empty() {
            text += &format!("\n{what}: {}", keys.join(", "));
        }
    }
    text
}

/// What a partner is to be told.
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
    table(["When", "Key", "Number", "Status", "Cause"], rows).to_string()
}
