//! The ranges of dates and ids that a run reads, completely or a half of them.

use certvakt_rules::calendar::start_of_day;
use certvakt_rules::stage::{self, TOLD_AGAIN_AFTER_DAYS};
use certvakt_rules::{Selection, Stage};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

use super::request::Request;

/// A part of the certifications that a run reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All certifications.
    Whole,
    /// Half of the days that came due, and half of the ids that changed.
    Days(Half),
    /// Half of the ids, for a run with a single day that came due, or with stages that overlap.
    Ids(Half),
}

/// One of two halves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Half {
    /// The half with the even ids or the earlier days.
    First,
    /// The other half.
    Second,
}

impl Half {
    /// The index of the part, and the number of parts.
    const fn share(self) -> (i32, i32) {
        match self {
            Self::First => (0, 2),
            Self::Second => (1, 2),
        }
    }
}

impl Part {
    /// The two parts of a run that is too large for one transaction. A split by days is better, because an
    /// index separates the days; with a split by ids, each part also reads the other's rows. But the stages of
    /// several selections overlap, so halves of their days are no halves of the notices.
    pub fn halves(request: Request<'_>) -> [Self; 2] {
        let nights = request.calendar.last_complete.map(|last| (request.run_date - last).num_days());
        let is_one_night = nights.is_some_and(|nights| nights < 2);
        let is_by_ids = is_one_night || request.organisation.selection.groups().len() > 1;
        let part = if is_by_ids { Self::Ids } else { Self::Days };
        [part(Half::First), part(Half::Second)]
    }

    /// The index of the part, and the number of parts, for certifications selected by their dates.
    pub(super) const fn share_by_date(self) -> (i32, i32) {
        match self {
            Self::Whole | Self::Days(_) => (0, 1),
            Self::Ids(half) => half.share(),
        }
    }

    /// The index of the part, and the number of parts, for changed certifications.
    pub(super) const fn share_by_change(self) -> (i32, i32) {
        match self {
            Self::Whole => (0, 1),
            Self::Days(half) | Self::Ids(half) => half.share(),
        }
    }

    /// This part's range of some days, both inclusive. If it is empty, the last day is before the first.
    fn days(self, first: NaiveDate, last: NaiveDate) -> (NaiveDate, NaiveDate) {
        let middle = stage::shift(first, (last - first).num_days() / 2);
        match self {
            Self::Days(Half::First) if first <= last => (first, middle),
            Self::Days(Half::Second) if first <= last => (stage::shift(middle, 1), last),
            _ => (first, last),
        }
    }
}

/// The range of expiry times that lapsed since the last complete run. Without such a run, it is the whole
/// past, of which only the days in the stage `expired` are divided between the parts.
pub(super) fn lapsed(request: Request<'_>, part: Part) -> (Option<DateTime<Utc>>, DateTime<Utc>) {
    let Request { organisation, run_date, calendar, .. } = request;
    let start = |day| start_of_day(day, organisation.zone);
    let (since, yesterday) = (calendar.last_complete, stage::shift(run_date, -1));
    let first = since
        .unwrap_or_else(|| stage::shift(run_date, -i64::from(organisation.selection.own().grace_days())));
    let (from, last) = part.days(first, yesterday);
    let is_from_the_first_on = since.is_none() && from == first;
    ((!is_from_the_first_on).then(|| start(from)), start(stage::shift(last, 1)))
}

/// The input of `record.sql`: the fields of the database's type, in its order.
#[derive(Debug, sqlx::Type)]
#[sqlx(type_name = "certvakt.run_input", no_pg_array)]
pub(super) struct RunInput {
    organisation_id: Uuid,
    time_zone: String,
    last_complete_date: Option<NaiveDate>,
    read_through: Option<String>,
    stages: Vec<String>,
    days_before: Vec<i32>,
    came_due_from: Vec<DateTime<Utc>>,
    came_due_before: Vec<DateTime<Utc>>,
    current_from: Vec<DateTime<Utc>>,
    current_before: Vec<DateTime<Utc>>,
    types: Vec<String>,
    selections: Vec<i32>,
    read_from: Vec<DateTime<Utc>>,
    read_before: Vec<DateTime<Utc>>,
    unselected: Vec<String>,
    unselected_days: Vec<i32>,
    lapsed_from: Option<DateTime<Utc>>,
    lapsed_before: DateTime<Utc>,
    renotify_after_days: i32,
    contact_kinds: Option<Vec<String>>,
    is_recorded: bool,
    is_approved: bool,
    record_limit: i64,
    date_part: i32,
    date_parts: i32,
    change_part: i32,
    change_parts: i32,
}

impl RunInput {
    pub(super) fn new(request: Request<'_>, record_limit: i64, part: Part) -> Self {
        let Request { organisation, run_date, calendar, .. } = request;
        let selection = &organisation.selection;
        let windows = Windows::new(run_date, calendar.last_complete, selection, organisation.zone, part);
        let (read_from, read_before) = windows.ranges_to_read();
        let unselected: Vec<Stage> =
            organisation.declared.iter().copied().filter(|stage| !selection.all_have(*stage)).collect();
        let (lapsed_from, lapsed_before) = lapsed(request, part);
        let ((date_part, date_parts), (change_part, change_parts)) =
            (part.share_by_date(), part.share_by_change());
        Self {
            organisation_id: organisation.id,
            time_zone: organisation.zone.name().to_owned(),
            last_complete_date: calendar.last_complete,
            read_through: calendar.read_through.clone(),
            stages: windows.stages,
            days_before: windows.days_before,
            came_due_from: windows.came_due_from,
            came_due_before: windows.came_due_before,
            current_from: windows.current_from,
            current_before: windows.current_before,
            types: windows.types,
            selections: windows.selections,
            read_from,
            read_before,
            unselected: unselected.iter().map(Stage::to_string).collect(),
            unselected_days: unselected.into_iter().map(days_before).collect(),
            lapsed_from,
            lapsed_before,
            renotify_after_days: i32::try_from(TOLD_AGAIN_AFTER_DAYS).unwrap_or(i32::MAX),
            contact_kinds: request.contact_kinds.map(<[String]>::to_vec),
            is_recorded: request.record,
            is_approved: request.approved,
            record_limit,
            date_part,
            date_parts,
            change_part,
            change_parts,
        }
    }
}

pub(crate) fn days_before(stage: Stage) -> i32 {
    i32::try_from(stage.days_before()).unwrap_or(i32::MAX)
}

/// The maximum number of ranges that `record.sql` reads: one for each lead time and one for `expired`.
const MOST_RANGES: usize = 13;

/// The stages as columns of ranges: the expiry times that came due, and all that are in each stage.
#[derive(Default)]
pub(crate) struct Windows {
    pub(crate) stages: Vec<String>,
    pub(crate) days_before: Vec<i32>,
    pub(crate) came_due_from: Vec<DateTime<Utc>>,
    pub(crate) came_due_before: Vec<DateTime<Utc>>,
    pub(crate) current_from: Vec<DateTime<Utc>>,
    pub(crate) current_before: Vec<DateTime<Utc>>,
    pub(crate) types: Vec<String>,
    pub(crate) selections: Vec<i32>,
}

impl Windows {
    pub(crate) fn new(
        run_date: NaiveDate,
        since: Option<NaiveDate>,
        selection: &Selection,
        zone: Tz,
        part: Part,
    ) -> Self {
        let mut columns = Self::default();
        for (number, group) in (0..).zip(selection.groups()) {
            let types = group.types.join(",");
            let came_due = group.stages.windows(run_date, since);
            for current in group.stages.windows(run_date, None) {
                let from = start_of_day(current.first, zone);
                // A stage with an empty window keeps its row, with an empty range.
                let (came_due_from, came_due_before) = came_due
                    .iter()
                    .find(|window| window.stage == current.stage)
                    .map_or((from, from), |window| {
                        let (first, last) = part.days(window.first, window.last);
                        (start_of_day(first, zone), start_of_day(stage::shift(last, 1), zone))
                    });
                columns.stages.push(current.stage.to_string());
                columns.days_before.push(days_before(current.stage));
                columns.came_due_from.push(came_due_from);
                columns.came_due_before.push(came_due_before);
                columns.current_from.push(from);
                columns.current_before.push(start_of_day(stage::shift(current.last, 1), zone));
                columns.types.push(types.clone());
                columns.selections.push(number);
            }
        }
        columns
    }

    /// The expiry times that came due for any type, as ranges that do not overlap: from and before. They can contain
    /// more than came due if the selections differ so much that there would be too many ranges.
    pub(crate) fn ranges_to_read(&self) -> (Vec<DateTime<Utc>>, Vec<DateTime<Utc>>) {
        let mut all: Vec<_> = self
            .came_due_from
            .iter()
            .copied()
            .zip(self.came_due_before.iter().copied())
            .filter(|(from, before)| from < before)
            .collect();
        all.sort_unstable();
        let mut ranges: Vec<(DateTime<Utc>, DateTime<Utc>)> = Vec::new();
        for (from, before) in all {
            match ranges.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(before),
                _ => ranges.push((from, before)),
            }
        }
        if let [first, .., last] = ranges[..]
            && ranges.len() > MOST_RANGES
        {
            ranges = vec![(first.0, last.1)];
        }
        ranges.into_iter().unzip()
    }
}
