//! The expiry times of certifications in a stage or a state, which lists use as filters.

use certvakt_base::clock::Clock;
use certvakt_rules::calendar::start_of_day;
use certvakt_rules::stage::{Window, shift};
use certvakt_rules::{Stage, Stages};
use certvakt_store::caller::{InState, Organisation, RangeOfType};
use chrono::NaiveDate;

use super::standing::State;

/// The filter for certifications that are in a stage today.
pub fn in_stage(stage: Stage, organisations: &[Organisation], clock: &Clock) -> InState {
    in_days(organisations, clock, None, |stages, today| {
        let window = stages.windows(today, None).into_iter().find(|window| window.stage == stage)?;
        Some((Some(window.first), Some(window.last)))
    })
}

/// The filter for certifications that are in a state on a day, which is today if none is given. Those that are due are
/// valid too, and those in the stage `expired` have lapsed too.
pub fn in_state(
    state: State,
    organisations: &[Organisation],
    clock: &Clock,
    on: Option<NaiveDate>,
) -> InState {
    let days = |stages: &Stages, today: NaiveDate| match state {
        State::Valid => Some((Some(today), None)),
        State::Lapsed => Some((None, Some(shift(today, -1)))),
        State::Due => whole(stages, today, |stage| stage != Stage::Expired),
        State::Expired => whole(stages, today, |stage| stage == Stage::Expired),
        State::Suspended | State::Withdrawn => None,
    };
    match state {
        State::Suspended => InState::Suspended,
        State::Withdrawn => InState::Withdrawn,
        _ => in_days(organisations, clock, on, days),
    }
}

/// The filter for certifications that need a renewal on a day, which is today if none is given: those in a stage.
pub fn needing_renewal(organisations: &[Organisation], clock: &Clock, on: Option<NaiveDate>) -> InState {
    in_days(organisations, clock, on, |stages, today| whole(stages, today, |_| true))
}

/// The shortest and the longest time, in days, before the last valid day from which certifications of a type are due.
pub fn due_within(organisations: &[Organisation]) -> Option<(u16, u16)> {
    let types = organisations.iter().flat_map(|one| one.types.iter().map(|code| one.selection.of(code)));
    let days = types.filter_map(|stages| stages.lead_times().first().copied()).collect::<Vec<_>>();
    Some((days.iter().copied().min()?, days.iter().copied().max()?))
}

/// The first and the last of the last valid days that are in some of the stages today.
fn whole(stages: &Stages, today: NaiveDate, is_among: impl Fn(Stage) -> bool) -> Option<Days> {
    let windows: Vec<Window> =
        stages.windows(today, None).into_iter().filter(|window| is_among(window.stage)).collect();
    let first = windows.iter().map(|window| window.first).min()?;
    Some((Some(first), windows.iter().map(|window| window.last).max()))
}

/// A range of last valid days, without a limit where there is no day.
pub type Days = (Option<NaiveDate>, Option<NaiveDate>);

/// The filter for certifications whose last valid day is in a range of days that depends on the stages of its type, and on
/// a day, which is today if none is given.
pub fn in_days(
    organisations: &[Organisation],
    clock: &Clock,
    on: Option<NaiveDate>,
    days: impl Fn(&Stages, NaiveDate) -> Option<Days>,
) -> InState {
    let types = organisations.iter().flat_map(|one| one.types.iter().map(move |code| (one, code)));
    let ranges = types.filter_map(|(organisation, code)| {
        let zone = organisation.zone.0;
        let (first, last) = days(organisation.selection.of(code), on.unwrap_or_else(|| clock.today(zone)))?;
        Some(RangeOfType {
            organisation_id: organisation.id,
            type_code: code.clone(),
            since: first.map(|day| start_of_day(day, zone)),
            before: last.map(|day| start_of_day(shift(day, 1), zone)),
        })
    });
    InState::Expires(ranges.collect())
}
