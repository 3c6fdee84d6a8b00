//! What needs a person: the one definition for the page `Today` and the API.
//!
//! A certification needs somebody while its stage `expired` is current, or while a notice of its current stage cannot be
//! delivered, until somebody records a contact. Those that expire within a month follow, for planning.
//! Beside them are the held runs, the partners to which sending has stopped, and those with reports for the caller to
//! settle.

use std::collections::{HashMap, HashSet};
use std::mem::take;

use certvakt_base::clock::Clock;
use certvakt_rules::Stages;
use certvakt_rules::stage::shift;
use certvakt_store::caller::alarms::{self, Alarm};
use certvakt_store::caller::contacts::{self, Contact};
use certvakt_store::caller::{self, After, Certification, Filter};
use certvakt_store::{CallerTx, StoreError};
use chrono::NaiveDate;
use uuid::Uuid;

use crate::expiry::filter::{self, Days};
use crate::expiry::standing::{Standing, State};

/// The number of certifications read at a time, and about the number that are returned: few enough that `Today` reads at most a
/// thousand rows.
const MOST: u32 = 60;
/// The number of times that so many are read, to find those about whom nobody recorded a contact.
const MOST_PAGES: u32 = 5;
/// The number of days that count as the next week, and as the month.
const WEEK: i64 = 7;
const MONTH: i64 = 30;

/// Why a certification needs somebody, or will soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// It has lapsed, and its stage `expired` is current.
    Expired,
    /// No channel reaches its mentor with the notice of its stage.
    Unreachable,
    /// It expires within seven days.
    Week,
    /// It expires within thirty days.
    Month,
}

/// A certification that needs somebody, or will soon.
#[derive(Debug, Clone)]
pub struct Item {
    /// The most urgent reason.
    pub reason: Reason,
    /// The certification.
    pub certification: Certification,
    /// How it stands.
    pub standing: Standing,
    /// The latest contact about it, if somebody recorded one for the present date.
    pub contact: Option<Contact>,
}

/// What needs a person.
#[derive(Debug, Clone, Default)]
pub struct Attention {
    /// The certifications, the most urgent first.
    pub items: Vec<Item>,
    /// The held runs, the latest of each organisation, and the partners that need somebody.
    pub alarms: Vec<Alarm>,
    /// Whether there are more certifications than are listed.
    pub is_cut: bool,
}

impl Attention {
    /// The number of certifications that need somebody now.
    pub fn urgent(&self) -> usize {
        self.items.iter().filter(|item| item.reason <= Reason::Unreachable).count()
    }

    /// The certifications with a reason.
    pub fn of(&self, reason: Reason) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(move |item| item.reason == reason)
    }
}

/// What needs the caller, in all their chapters or in one.
pub async fn attention(
    tx: &mut CallerTx,
    chapter: Option<Uuid>,
    clock: &Clock,
) -> Result<Attention, StoreError> {
    let organisations = caller::organisations(tx).await?;
    let state = Some(filter::in_days(&organisations, clock, None, |stages, today| Some(days(stages, today))));
    let filter = Filter { chapter_id: chapter, state, ..Filter::default() };
    // Some of these expire later than in a month.
    let mut found = caller::unreachable(tx, chapter, MOST).await?;
    let mut is_cut = found.len() == MOST as usize;
    let unreachable: HashSet<Uuid> = found.iter().map(|one| one.id).collect();
    let (mut items, mut after) = (Vec::new(), None);
    for page in 1.. {
        let expiring = caller::certifications(tx, &filter, after, MOST).await?;
        after = expiring.last().map(|last| After { expires_at: last.expires_at, id: last.id });
        let is_last = expiring.len() < MOST as usize;
        found.extend(expiring.into_iter().filter(|one| !unreachable.contains(&one.id)));
        items.extend(needing(tx, take(&mut found), &unreachable, clock).await?);
        if is_last {
            break;
        }
        if items.len() >= MOST as usize || page == MOST_PAGES {
            is_cut = true;
            break;
        }
    }
    items.sort_by_key(|item| (item.reason, item.certification.expires_at, item.certification.id));
    let alarms = alarms::alarms(tx).await?;
    Ok(Attention { items, alarms, is_cut })
}

/// Keeps the certifications that need somebody: those that no contact settles, and that the caller may change.
async fn needing(
    tx: &mut CallerTx,
    found: Vec<Certification>,
    unreachable: &HashSet<Uuid>,
    clock: &Clock,
) -> Result<Vec<Item>, StoreError> {
    let found: Vec<Certification> = found.into_iter().filter(|one| one.is_managed).collect();
    let ids: Vec<Uuid> = found.iter().map(|one| one.id).collect();
    let contacts: HashMap<Uuid, Contact> =
        contacts::latest(tx, &ids).await?.into_iter().map(|one| (one.certification_id, one)).collect();
    let now = clock.now();
    let items = found.into_iter().filter_map(|certification| {
        let standing = Standing::of(&certification, now);
        let reason = reason(&standing, unreachable.contains(&certification.id))?;
        let contact =
            contacts.get(&certification.id).filter(|one| one.expires_at == certification.expires_at);
        if contact.is_some_and(|one| one.settles(certification.expires_at, standing.today)) {
            return None;
        }
        Some(Item { reason, contact: contact.cloned(), standing, certification })
    });
    Ok(items.collect())
}

/// The most urgent reason; `None` if the certification needs nobody.
fn reason(standing: &Standing, is_unreachable: bool) -> Option<Reason> {
    match (standing.state, standing.days_left) {
        (State::Expired, _) => Some(Reason::Expired),
        (State::Due, _) if is_unreachable => Some(Reason::Unreachable),
        (State::Due | State::Valid, Some(0..=WEEK)) => Some(Reason::Week),
        (State::Due | State::Valid, Some(..=MONTH)) => Some(Reason::Month),
        _ => None,
    }
}

/// The last valid days to read of a type: from the start of the stage `expired` to a month ahead.
fn days(stages: &Stages, today: NaiveDate) -> Days {
    let first = stages.windows(today, None).iter().map(|window| window.first).min().unwrap_or(today);
    (Some(first.min(today)), Some(shift(today, MONTH)))
}
