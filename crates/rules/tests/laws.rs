//! Properties of the rules for any date, zone and history, and the special days of calendars.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use certvakt_rules::calendar::{
    end_of_day, instant, latest_scheduled, missed_nights, scheduled_at, start_of_day,
};
use certvakt_rules::stage::{LONGEST_LEAD_TIME, is_told_again, shift};
use certvakt_rules::{DeliveryHours, Selection, Stage, Stages, last_valid_day, notice_key};
use chrono::{DateTime, Datelike, Duration, NaiveDate, NaiveTime, Utc};
use chrono_tz::{Europe, TZ_VARIANTS, Tz};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use uuid::Uuid;

/// The fixed seed, which makes the cases the same on every machine. A failing test prints it.
const SEED: u64 = 20_261_231;

fn laws() -> ProptestConfig {
    println!("seed {SEED}");
    ProptestConfig {
        rng_seed: RngSeed::Fixed(SEED),
        cases: 2_000,
        failure_persistence: None,
        ..Default::default()
    }
}

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Any day of two centuries. A quarter of them are leap days, ends of years, and days on which Oslo's clocks
/// change.
fn any_day() -> impl Strategy<Value = NaiveDate> {
    let awkward = (1950..2150_i32, 0..6_u8).prop_map(|(year, which)| {
        let last_sunday = |month| {
            let last = NaiveDate::from_ymd_opt(year, month, 31).unwrap();
            shift(last, -i64::from(last.weekday().num_days_from_sunday()))
        };
        match which {
            0 => shift(NaiveDate::from_ymd_opt(year, 3, 1).unwrap(), -1),
            1 => NaiveDate::from_ymd_opt(year, 12, 31).unwrap(),
            2 => NaiveDate::from_ymd_opt(year, 1, 1).unwrap(),
            3 => NaiveDate::from_ymd_opt(year, 3, 1).unwrap(),
            4 => last_sunday(3),
            _ => last_sunday(10),
        }
    });
    prop_oneof![3 => (0..73_000_i64).prop_map(|days| shift(date("1950-01-01"), days)), 1 => awkward]
}

fn any_zone() -> impl Strategy<Value = Tz> {
    prop_oneof![Just(Europe::Oslo), proptest::sample::select(&TZ_VARIANTS[..])]
}

fn any_instant() -> impl Strategy<Value = DateTime<Utc>> {
    (0..4_102_444_800_i64).prop_map(|seconds| DateTime::from_timestamp(seconds, 0).unwrap())
}

fn any_time() -> impl Strategy<Value = NaiveTime> {
    (0..24 * 60_u32).prop_map(|minutes| NaiveTime::from_hms_opt(minutes / 60, minutes % 60, 0).unwrap())
}

/// Up to twelve lead times, and a grace period.
fn any_stages() -> impl Strategy<Value = Stages> {
    (proptest::collection::vec(1..=400_u16, 0..=12), 1..=90_u16)
        .prop_map(|(lead_times, grace)| Stages::new(&lead_times, grace))
}

/// The lead times of an organisation and of some types, of few days, so that selections are often the same.
fn any_selection() -> impl Strategy<Value = (Selection, BTreeMap<String, Vec<u16>>)> {
    let lead_times = || proptest::sample::subsequence(vec![180_u16, 90, 60, 30, 7], 1..=3).prop_shuffle();
    (lead_times(), proptest::collection::btree_map("[a-e]", lead_times(), 0..5), 1..=90_u16)
        .prop_map(|(own, of_types, grace)| (Selection::new(&own, of_types.clone(), grace), of_types))
}

proptest! {
    #![proptest_config(laws())]

    /// A type has the lead times that it selected, or those of the organisation; and exactly one group has it.
    #[test]
    fn each_type_is_in_the_group_with_its_stages((selection, of_types) in any_selection()) {
        let groups = selection.groups();
        prop_assert_eq!(groups.iter().filter(|group| group.is_own).count(), 1);
        prop_assert!(groups[0].is_own);
        let mut all = selection.own().iter().collect::<Vec<_>>();
        for code in ["a", "b", "c", "d", "e", "of another organisation"] {
            let stages = selection.of(code);
            let expected = of_types.get(code).map_or_else(
                || selection.own().clone(),
                |lead_times| Stages::new(lead_times, selection.own().grace_days()));
            prop_assert_eq!(stages, &expected);
            let of_type: Vec<_> = groups.iter().filter(|group| group.has(code)).collect();
            prop_assert_eq!(of_type.len(), 1);
            prop_assert_eq!(of_type[0].stages, stages);
            all.extend(stages.iter());
        }
        all.sort();
        all.dedup();
        prop_assert_eq!(selection.stages().into_iter().collect::<Vec<_>>(), all);
        for (place, group) in groups.iter().enumerate() {
            prop_assert!(groups[..place].iter().all(|other| other.stages != group.stages), "no two are the same");
        }
        for days in [180, 90, 60, 30, 7] {
            let stage = Stage::Warning(days);
            prop_assert_eq!(selection.all_have(stage), groups.iter().all(|group| group.stages.has(stage)));
        }
    }

    /// The most important rule: regardless of missed nights, each stage is recorded at most once per cycle,
    /// and after each run the last recorded stage is the current one.
    #[test]
    fn stages_are_recorded_once_and_the_last_one_is_current(
        last in any_day(),
        first_run in -200..200_i64,
        gaps in proptest::collection::vec(0..80_i64, 1..30),
        stages in any_stages(),
    ) {
        let certification = Uuid::nil();
        let mut log: BTreeMap<String, Stage> = BTreeMap::new();
        let mut told = Vec::new();
        let mut since = None;
        let mut today = shift(last, first_run);
        for gap in gaps {
            today = shift(today, gap);
            let due = stages
                .windows(today, since)
                .into_iter()
                .find(|window| window.first <= last && last <= window.last);
            if let Some(window) = due {
                let key = notice_key(certification, window.stage, window.stage.due_date(last));
                if log.insert(key, window.stage).is_none() {
                    told.push(window.stage);
                }
            }
            since = Some(today);
            if let Some(current) = stages.current(last, today) {
                prop_assert_eq!(told.last(), Some(&current));
            }
        }
        prop_assert!(told.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", told);
    }

    /// A run reads exactly the certifications in a stage that came due since the last run.
    #[test]
    fn windows_hold_what_is_current_and_came_due_since(
        today in any_day(),
        since in proptest::option::of(0..450_i64),
        stages in any_stages(),
    ) {
        let since = since.map(|days| shift(today, -days));
        for offset in -130..500 {
            let last = shift(today, offset);
            let read: Vec<Stage> = stages
                .windows(today, since)
                .into_iter()
                .filter(|window| window.first <= last && last <= window.last)
                .map(|window| window.stage)
                .collect();
            let expected: Vec<Stage> = stages.current(last, today)
                .into_iter()
                .filter(|stage| since.is_none_or(|since| stage.due_date(last) > since))
                .collect();
            prop_assert_eq!(&read, &expected, "{} {}", last, today);
        }
    }

    /// A stage is current from its due date until the day before the next one's.
    #[test]
    fn a_stage_is_current_from_its_due_date_to_its_end(last in any_day(), stages in any_stages()) {
        let first = stages.iter().next().unwrap();
        prop_assert_eq!(stages.current(last, shift(first.due_date(last), -1)), None);
        for stage in stages.iter() {
            let due = stage.due_date(last);
            let end = stages.end(stage, due);
            prop_assert_eq!(stages.current(last, due), Some(stage));
            prop_assert_eq!(stages.current(last, shift(end, -1)), Some(stage));
            prop_assert_eq!(stages.current(last, end), stages.next(stage));
        }
    }

    /// A stage's name is the only text that means it, and sorts it by its due date.
    #[test]
    fn a_stage_and_its_name_mean_each_other(days in 1..=LONGEST_LEAD_TIME, other in 1..=LONGEST_LEAD_TIME) {
        let stage = Stage::Warning(days);
        prop_assert_eq!(stage.to_string(), format!("expiry_warning_{days}d"));
        prop_assert_eq!(Stage::from_name(&stage.to_string()), Some(stage));
        prop_assert!(stage < Stage::Expired);
        prop_assert_eq!(stage.cmp(&Stage::Warning(other)), other.cmp(&days));
    }

    /// A register's day survives the conversion to an instant and back, in every zone.
    #[test]
    fn the_end_of_a_day_is_in_that_day(day in any_day(), zone in any_zone()) {
        prop_assume!(start_of_day(day, zone).with_timezone(&zone).date_naive() == day);
        prop_assert_eq!(last_valid_day(end_of_day(day, zone), zone), day);
        let next = start_of_day(shift(day, 1), zone);
        prop_assert_eq!(end_of_day(day, zone) + Duration::seconds(1), next);
    }

    /// The latest scheduled run has started, and the next one has not.
    #[test]
    fn the_latest_scheduled_run_is_the_last_that_has_begun(
        now in any_instant(),
        run_at in any_time(),
        zone in any_zone(),
    ) {
        let date = latest_scheduled(now, run_at, zone);
        prop_assert!(scheduled_at(date, run_at, zone) <= now);
        prop_assert!(now < scheduled_at(shift(date, 1), run_at, zone));
    }

    /// Missed nights and the two runs around them cover every date exactly once.
    #[test]
    fn missed_nights_fill_the_gap(last in any_day(), gap in 1..400_i64) {
        let mut nights = vec![last];
        nights.extend(missed_nights(last, shift(last, gap)));
        nights.push(shift(last, gap));
        prop_assert!(nights.windows(2).all(|pair| shift(pair[0], 1) == pair[1]));
    }

    /// A waiting delivery is sent as soon as the hours start.
    #[test]
    fn the_next_open_instant_is_the_first(
        now in any_instant(),
        from in 0..24_u32,
        length in 2..=24_u32,
        zone in any_zone(),
    ) {
        let hour = |hour: u32| NaiveTime::from_hms_opt(hour % 24, 0, 0).unwrap();
        let hours = DeliveryHours { from: hour(from), until: hour(from + length) };
        let next = hours.next_open(now, zone);
        prop_assert!(next >= now && hours.is_open(next, zone));
        prop_assert!(next - now < Duration::hours(26));
        let mut earlier = now;
        while earlier < next {
            prop_assert!(!hours.is_open(earlier, zone), "{} {}", earlier, next);
            earlier += Duration::minutes(30);
        }
    }

    /// Different notices have different keys.
    #[test]
    fn a_key_is_of_one_notice(a in any::<u128>(), b in any::<u128>(), day in any_day(), other in any_day()) {
        let keys: Vec<String> = [(a, day), (b, day), (a, other)]
            .into_iter()
            .flat_map(|(id, day)| Stages::default().iter().map(|stage| (id, stage, day)).collect::<Vec<_>>())
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .map(|(id, stage, day)| notice_key(Uuid::from_u128(id), stage, day))
            .collect();
        let distinct: std::collections::BTreeSet<&String> = keys.iter().collect();
        prop_assert_eq!(distinct.len(), keys.len());
        prop_assert!(keys.iter().all(|key| key.len() == 64 && key.bytes().all(|b| b"0123456789abcdef".contains(&b))));
    }
}

#[test]
fn due_dates_across_leap_days_and_year_ends() {
    for (last, ninety, thirty, seven, expired) in [
        ("2024-02-29", "2023-12-01", "2024-01-30", "2024-02-22", "2024-03-01"),
        ("2024-03-01", "2023-12-02", "2024-01-31", "2024-02-23", "2024-03-02"),
        ("2023-03-01", "2022-12-01", "2023-01-30", "2023-02-22", "2023-03-02"),
        ("2026-12-31", "2026-10-02", "2026-12-01", "2026-12-24", "2027-01-01"),
        ("2027-01-01", "2026-10-03", "2026-12-02", "2026-12-25", "2027-01-02"),
        ("2100-03-01", "2099-12-01", "2100-01-30", "2100-02-22", "2100-03-02"),
    ] {
        let due: Vec<_> = Stages::default().iter().map(|stage| stage.due_date(date(last))).collect();
        assert_eq!(due, [ninety, thirty, seven, expired].map(date), "{last}");
    }
}

#[test]
fn expired_is_current_for_the_grace_period_only() {
    let last = date("2026-06-30");
    for (on, expected) in [
        ("2026-06-30", Some(Stage::Warning(7))),
        ("2026-07-01", Some(Stage::Expired)),
        ("2026-07-30", Some(Stage::Expired)),
        ("2026-07-31", None),
    ] {
        assert_eq!(Stages::default().current(last, date(on)), expected, "{on}");
    }
}

#[test]
fn oslo_changes_its_clocks() {
    let two = NaiveTime::from_hms_opt(2, 0, 0).unwrap();
    let half_past_two = NaiveTime::from_hms_opt(2, 30, 0).unwrap();
    for (day, run_at, expected) in [
        // 02:00 to 03:00 is skipped: the next valid instant.
        ("2026-03-29", two, "2026-03-29T01:00:00Z"),
        ("2026-03-29", half_past_two, "2026-03-29T01:00:00Z"),
        // 02:00 to 03:00 occurs twice: the first occurrence.
        ("2026-10-25", two, "2026-10-25T00:00:00Z"),
        ("2026-10-25", half_past_two, "2026-10-25T00:30:00Z"),
        ("2026-06-15", two, "2026-06-15T00:00:00Z"),
        ("2026-12-15", two, "2026-12-15T01:00:00Z"),
    ] {
        assert_eq!(scheduled_at(date(day), run_at, Europe::Oslo), utc(expected), "{day} {run_at}");
    }
    // The second 02:15 of that night belongs to the run that has already started.
    for now in ["2026-10-25T00:15:00Z", "2026-10-25T01:15:00Z"] {
        assert_eq!(latest_scheduled(utc(now), two, Europe::Oslo), date("2026-10-25"));
    }
    // Days of 23 and of 25 hours.
    for (day, start, end) in [
        ("2026-03-29", "2026-03-28T23:00:00Z", "2026-03-29T21:59:59Z"),
        ("2026-10-25", "2026-10-24T22:00:00Z", "2026-10-25T22:59:59Z"),
    ] {
        assert_eq!(start_of_day(date(day), Europe::Oslo), utc(start));
        assert_eq!(end_of_day(date(day), Europe::Oslo), utc(end));
    }
}

#[test]
fn a_day_that_a_country_skipped_starts_with_the_next_day() {
    let samoa = chrono_tz::Pacific::Apia;
    let skipped = date("2011-12-30");
    assert_eq!(start_of_day(skipped, samoa), start_of_day(date("2011-12-31"), samoa));
    assert_eq!(instant(skipped.and_time(NaiveTime::MIN), samoa), utc("2011-12-30T10:00:00Z"));
}

#[test]
fn a_correction_repeats_a_stage_from_thirty_days_on() {
    let told = date("2026-06-14");
    for (days, again) in [(-400, false), (-1, false), (0, false), (29, false), (30, true), (400, true)] {
        assert_eq!(is_told_again(told, shift(told, days)), again, "{days}");
    }
}

/// The hashed text and its hash by `sha256sum`, which a team's own job must compute too.
/// `supabase/tests/certification_changes.sql` checks the database against them.
#[test]
fn the_key_is_pinned() {
    for (certification, stage, due, key) in [
        (
            "6f1c9d0e-3c1b-4b0a-9a39-0d6d7a1f2b3c",
            Stage::Warning(90),
            "2026-03-01",
            "8a71f2edc924406de3cd2b523b66f64f8ddc48d5370e72e718a95aac94fadb1d",
        ),
        (
            "6F1C9D0E-3C1B-4B0A-9A39-0D6D7A1F2B3C",
            Stage::Expired,
            "2024-02-29",
            "b9fbf6b09d6c55d045ca626e1f34128fc76962c360632ee3f6173c57f3f03608",
        ),
        (
            "00000000-0000-0000-0000-000000000000",
            Stage::Warning(7),
            "1999-12-31",
            "cc57b03fa8f0fd67f4e6b4516bc7afcd0003e42754ba3f592d700f32a70ec0e0",
        ),
    ] {
        assert_eq!(notice_key(certification.parse().unwrap(), stage, date(due)), key);
    }
}

#[test]
fn stages_keep_their_names() {
    let names = ["expiry_warning_90d", "expiry_warning_30d", "expiry_warning_7d", "expired"];
    assert_eq!(Stages::default().iter().map(|stage| stage.to_string()).collect::<Vec<_>>(), names);
    for (stage, name) in Stages::default().iter().zip(names) {
        assert_eq!(Stage::from_name(name), Some(stage));
    }
    for name in [
        "",
        "Expired",
        "expired ",
        "expiry_warning_d",
        "expiry_warning_0d",
        "expiry_warning_07d",
        "expiry_warning_+7d",
        "expiry_warning_-7d",
        "expiry_warning_7",
        "expiry_warning_3651d",
        "expiry_warning_65543d",
        "expiry_warning_7dd",
    ] {
        assert_eq!(Stage::from_name(name), None, "{name:?}");
    }
}
