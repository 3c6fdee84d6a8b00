//! What `explain` says beside the notices of a certification: their attempts, the stages without a notice, and the listings
//! of the mentor at partners.

use std::collections::HashMap;

use certvakt_base::i18n::line;
use certvakt_engine::delivery::validity::{DATE_CHANGED, NOT_SELECTED, STAGE_PASSED, SUSPENDED};
use certvakt_engine::expiry::explain::next_attempt;
use certvakt_engine::expiry::unsent::{Cycle, Unsent};
use certvakt_rules::calendar::start_of_day;
use certvakt_rules::{last_valid_day, today};
use certvakt_store::caller::Certification;
use certvakt_store::caller::explanation::{Explanation, Listing, ListingChange};
use certvakt_store::caller::listings::Recorded;
use certvakt_store::certification::Attempt;
use certvakt_store::{AttemptOutcome, CertificationStatus, DeliveryState};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::listing_consents::state;
use super::timeline::{Event, event, stage_name};
use crate::html::text::Text;

/// The facts in words.
#[derive(Default)]
pub(super) struct Explained {
    /// The attempts of each notice, by its id, the first one first.
    pub(super) attempts: HashMap<i64, Vec<String>>,
    /// The stages without a notice, and what happened at partners.
    pub(super) events: Vec<Event>,
    /// The present state at each partner.
    pub(super) facts: Vec<(String, String)>,
}

impl Explained {
    /// The facts about a certification at a time.
    pub(super) fn of(one: &Explanation, found: &Certification, now: DateTime<Utc>, text: Text) -> Self {
        let zone = found.zone.0;
        let mut attempts: HashMap<i64, Vec<String>> = HashMap::new();
        for attempt in one.attempts.iter() {
            attempts.entry(attempt.delivery_id).or_default().push(in_words(attempt, zone, text));
        }
        for notice in one.notices.iter().filter(|one| one.delivery == Some(DeliveryState::Pending)) {
            let again = next_attempt(notice, one.hours(), zone, now).with_timezone(&zone);
            if let Some(tried) = notice.delivery_id.and_then(|id| attempts.get_mut(&id)) {
                tried.push(text.named("attempt-next", &text.time(again)));
            }
        }
        for notice in one.notices.iter().filter(|one| one.delivery == Some(DeliveryState::Cancelled)) {
            if let Some((id, why)) = notice.delivery_id.zip(notice.reason.as_deref().and_then(cancelled)) {
                attempts.entry(id).or_default().push(text.say(why));
            }
        }
        let mut events = without_notice(one, found, now, text);
        events.extend(one.listings.iter().flat_map(|listing| of_listing(listing, zone, text)));
        let facts = one.listings.iter().map(|listing| fact(listing, zone, text));
        Self { attempts, events, facts: facts.collect() }
    }
}

fn in_words(attempt: &Attempt, zone: Tz, text: Text) -> String {
    let outcome = match attempt.outcome {
        AttemptOutcome::Delivered => "attempt-delivered",
        AttemptOutcome::Retry => "attempt-retry",
        AttemptOutcome::GivenUp => "attempt-given-up",
        AttemptOutcome::Stopped => "attempt-stopped",
        AttemptOutcome::LeaseLost => "attempt-lease-lost",
    };
    let channel = attempt.channel.as_deref().map(|channel| text.say(&format!("attempt-channel-{channel}")));
    let said = match channel.filter(|channel| !channel.is_empty()) {
        Some(channel) => format!("{channel}: {}", text.say(outcome)),
        None => text.say(outcome),
    };
    format!("{}: {said}", text.time(attempt.finished_at.with_timezone(&zone)))
}

/// The key of the reason for which a notice was cancelled; `None` if there is no more to say.
fn cancelled(reason: &str) -> Option<&'static str> {
    match reason {
        DATE_CHANGED => Some("cancelled-date"),
        SUSPENDED => Some("cancelled-suspended"),
        NOT_SELECTED => Some("cancelled-not-selected"),
        STAGE_PASSED => Some("cancelled-passed"),
        _ => None,
    }
}

/// The stages that came due without a notice, and those that will not get one because the mentor got it before.
fn without_notice(one: &Explanation, found: &Certification, now: DateTime<Utc>, text: Text) -> Vec<Event> {
    let zone = found.zone.0;
    let Some(last) = found.expires_at.map(|at| last_valid_day(at, zone)) else { return Vec::new() };
    let (stages, declared) = (found.stages(), one.declared());
    let cycle = Cycle {
        certification: found.id,
        is_suspended: found.status == CertificationStatus::Suspended,
        began: one.cycle_began,
        zone,
        stages: &stages,
        type_selects: one.type_selects,
        declared: &declared,
        notices: &one.notices,
        days_kept: one.days_kept,
        now,
    };
    let missing = cycle.all(last).filter(|(stage, due)| cycle.notice(*stage, *due).is_none());
    let missing = missing.filter_map(|(stage, due)| {
        let why = cycle.unsent(stage, last);
        let is_shown = due <= today(now, zone) || matches!(why, Unsent::ToldBefore(_));
        let why = is_shown.then(|| reason(why, text))?;
        let what = text.named("event-notice", &stage_name(stage, text));
        Some(event(start_of_day(due, zone), what, vec![why], zone, text))
    });
    missing.collect()
}

fn reason(why: Unsent, text: Text) -> String {
    match why {
        Unsent::ToldBefore(on) => text.named("unsent-told-before", &text.date(on)),
        Unsent::Suspended => text.say("unsent-suspended"),
        Unsent::OffForType => text.say("unsent-off-type"),
        Unsent::OffForOrganisation => text.say("unsent-off-organisation"),
        Unsent::Ahead(due, _) => text.named("unsent-ahead", &text.date(due)),
        Unsent::LaterRecorded(later) => text.named("unsent-later-recorded", &stage_name(later, text)),
        Unsent::DueNow => text.say("unsent-due-now"),
        Unsent::BeforeCycle => text.say("unsent-before-cycle"),
        Unsent::TooLongAgo => text.say("unsent-too-long-ago"),
        Unsent::LaterStarted(later) => text.named("unsent-later-started", &stage_name(later, text)),
        Unsent::Passed => text.say("unsent-passed"),
    }
}

/// The present state at a partner.
fn fact(listing: &Listing, zone: Tz, text: Text) -> (String, String) {
    let excluded = listing.excluded_at.map(|at| text.named("listing-excluded", &day(at, zone, text)));
    let waits = (!listing.is_accepted).then(|| text.say("listing-not-accepted"));
    let said = [Some(state(&listing.now, zone, text)), excluded, waits];
    let said: Vec<String> = said.into_iter().flatten().collect();
    (text.named("fact-listing", &listing.now.partner), said.join(" "))
}

/// What happened at a partner.
fn of_listing(listing: &Listing, zone: Tz, text: Text) -> Vec<Event> {
    let partner = listing.now.partner.as_str();
    let enrolled = event(listing.enrolled_at, text.named("event-enrolled", partner), Vec::new(), zone, text);
    let changes = listing.changes.iter().map(|change| of_change(change, partner, zone, text));
    let consents = listing.consents.iter().map(|consent| of_consent(consent, zone, text));
    // The page sorts events of one moment in the given order: the later one of them first.
    changes.chain(consents).chain([enrolled]).collect()
}

fn of_change(change: &ListingChange, partner: &str, zone: Tz, text: Text) -> Event {
    let key = if change.is_listed { "event-listed" } else { "event-delisted" };
    let cause = text.say(&format!("listing-cause-{}", change.cause));
    let more = Some(cause).filter(|cause| !cause.is_empty());
    event(change.at, text.named(key, partner), more.into_iter().collect(), zone, text)
}

fn of_consent(consent: &Recorded, zone: Tz, text: Text) -> Event {
    let key = if consent.is_given { "event-consent-given" } else { "event-consent-withdrawn" };
    let by = match &consent.recorded_by {
        _ if consent.is_own => text.say("consent-by-mentor"),
        Some(name) => text.named("event-by", &line(name)),
        None => text.say("consent-by-organisation"),
    };
    let way = consent.given_as.zip(consent.given_on);
    let way = way.map(|(way, on)| text.named(&format!("consent-way-{way}"), &text.date(on)));
    let more = [Some(by), way].into_iter().flatten().collect();
    event(consent.at, text.named(key, &consent.partner), more, zone, text)
}

fn day(at: DateTime<Utc>, zone: Tz, text: Text) -> String {
    text.date(at.with_timezone(&zone).date_naive())
}
