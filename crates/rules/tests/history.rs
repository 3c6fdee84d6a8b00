//! Histories as the database writes them (texts, hashes, versions, faults), and the day of a renewal by each
//! rule.

use certvakt_rules::renewal::{
    Entry, Reading, Rule, check, entry_hash, entry_id, last_valid_day, read, standing_at, words_digest,
};
use chrono::{DateTime, Datelike, Months, NaiveDate, TimeDelta};
use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

fn entry(version: u64, previous: Option<&str>) -> Value {
    let mut entry = json!({
        "schema_version": version, "id": "00000000-0000-4000-8000-000000000001", "kind": "renewed",
        "at": "2026-11-25T10:00:00.000000Z", "actor": null, "completed_on": "2026-11-20",
        "expires_before": "2026-12-31T22:59:59.000000Z", "expires_after": null, "told": ["expiry_warning_30d"],
        "words": null, "previous": previous,
    });
    if version > 1 {
        entry["source"] = json!("api");
    }
    entry
}

#[test]
fn a_hash_is_the_one_that_the_database_computes() {
    // supabase/tests/history.sql has the same vectors.
    let hash = "b496ffeb338356d54c4c4dda31eb2aa81d8e9659c73e89b3a391734194f49cd9";
    assert_eq!(entry_hash(&json!({ "kind": "renewed", "schema_version": 1 })).unwrap(), hash);
}

#[test]
fn every_version_is_read_and_a_later_one_is_kept() {
    let Ok(Reading::Known(first)) = read(&entry(1, None)) else { panic!() };
    let Ok(Reading::Known(second)) = read(&entry(2, None)) else { panic!() };
    assert_eq!((first.source.as_deref(), second.source.as_deref()), (None, Some("api")));
    assert_eq!(first.expires_before, second.expires_before);
    assert_eq!(read(&json!({ "schema_version": 3, "mood": "good" })), Ok(Reading::Later(3)));
    for wrong in [json!("renewed"), json!({}), json!({ "schema_version": 0 }), json!({ "schema_version": 1 })]
    {
        assert!(read(&wrong).is_err(), "{wrong}");
    }
    // An earlier version must not have a field of a later one.
    let mut knows_more = entry(1, None);
    knows_more["source"] = json!("api");
    assert!(read(&knows_more).is_err());
}

#[test]
fn a_changed_entry_is_found() {
    let mut history: Vec<Value> = Vec::new();
    for version in [1, 1, 2, 9, 2] {
        let previous = history.last().and_then(entry_hash);
        history.push(entry(version, previous.as_deref()));
    }
    assert_eq!(check(&history), []);
    for place in 0..history.len() - 1 {
        let mut changed = history.clone();
        changed[place]["kind"] = json!("corrected");
        let found: Vec<usize> = check(&changed).iter().map(|fault| fault.number).collect();
        assert_eq!(found, [place + 2]);
    }
    let mut shortened = history.clone();
    shortened.remove(1);
    assert_eq!(check(&shortened)[0].number, 2);
    let mut damaged = history;
    damaged[2] = json!(null);
    assert_eq!(check(&damaged).iter().map(|fault| fault.number).collect::<Vec<_>>(), [3, 3, 4]);
}

#[test]
fn a_renewal_that_was_taken_back_begins_and_closes_no_cycle() {
    // The kind, the day of the change, and the dates before and after it, in June 2026.
    let changes =
        [("renewed", 1, 10, 20), ("renewed", 3, 20, 28), ("undone", 4, 28, 20), ("renewed", 8, 20, 30)];
    let entries: Vec<Entry> = changes
        .map(|(kind, on, before, after)| {
            let mut entry = entry(2, None);
            entry["kind"] = json!(kind);
            entry["at"] = json!(format!("2026-06-{on:02}T10:00:00Z"));
            entry["expires_before"] = json!(format!("2026-06-{before}T20:00:00Z"));
            entry["expires_after"] = json!(format!("2026-06-{after}T20:00:00Z"));
            let Ok(Reading::Known(entry)) = read(&entry) else { panic!("{entry}") };
            *entry
        })
        .into();
    let place = |entry: Option<&Entry>| entries.iter().position(|one| Some(one) == entry);
    // The day, the last valid day then, and the positions of the entries that began and closed the cycle.
    for (day, expires, began, closed) in [
        (0, 10, None, Some(0)),
        (2, 20, Some(0), Some(3)),
        // Nobody knew of the undo yet.
        (3, 28, Some(1), Some(3)),
        (5, 20, Some(0), Some(3)),
        (9, 30, Some(3), None),
    ] {
        let at = DateTime::from_timestamp(1_780_185_600 + day * 86_400, 0).unwrap() + TimeDelta::hours(12);
        let standing = standing_at(&entries, at, None, false);
        assert_eq!(standing.expires_at.unwrap().day(), expires, "{at}");
        assert_eq!((place(standing.cycle), place(standing.closed_by)), (began, closed), "{at}");
    }
}

#[test]
fn a_key_makes_one_entry_of_a_certification() {
    let [one, other] = [1, 2].map(Uuid::from_u128);
    assert_eq!(entry_id(one, "key"), entry_id(one, "key"));
    assert_ne!(entry_id(one, "key"), entry_id(one, "other"));
    assert_ne!(entry_id(one, "key"), entry_id(other, "key"));
}

#[test]
fn words_are_known_by_salt_and_text() {
    let digest = words_digest(&[7; 32], Some("kurs"), None);
    assert_ne!(digest, words_digest(&[8; 32], Some("kurs"), None));
    assert_ne!(digest, words_digest(&[7; 32], None, Some("kurs")));
}

#[test]
fn a_rule_gives_a_day() {
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    for (rule, months, completed, old, expected) in [
        ("completion", 24, "2026-11-20", Some("2027-01-31"), "2028-11-20"),
        ("expiry", 24, "2026-11-20", Some("2027-01-31"), "2029-01-31"),
        // A late renewal loses the time in between.
        ("expiry", 12, "2026-11-20", Some("2026-06-30"), "2027-06-30"),
        ("expiry", 12, "2026-11-20", None, "2027-11-20"),
        ("expiry-unless-lapsed", 12, "2026-11-20", Some("2027-01-31"), "2028-01-31"),
        ("expiry-unless-lapsed", 12, "2026-11-20", Some("2026-11-20"), "2027-11-20"),
        ("expiry-unless-lapsed", 12, "2026-11-20", Some("2026-11-19"), "2027-11-20"),
        ("expiry-unless-lapsed", 12, "2026-11-20", Some("2026-06-30"), "2027-11-20"),
        ("expiry-unless-lapsed", 12, "2026-11-20", None, "2027-11-20"),
        ("12-31", 12, "2026-11-20", Some("2026-12-31"), "2027-12-31"),
        ("06-30", 12, "2026-11-20", None, "2028-06-30"),
        ("11-20", 12, "2026-11-20", None, "2027-11-20"),
        ("expiry-unless-lapsed", 24, "2026-11-20", Some("2027-01-31"), "2029-01-31"),
        ("expiry-unless-lapsed", 24, "2026-11-20", Some("2026-11-20"), "2028-11-20"),
        ("expiry-unless-lapsed", 24, "2026-11-20", Some("2026-11-19"), "2028-11-20"),
        ("expiry-unless-lapsed", 24, "2026-11-20", None, "2028-11-20"),
        ("end-of-year", 24, "2026-11-20", Some("2026-12-01"), "2026-12-31"),
        ("end-of-year", 24, "2026-12-31", None, "2026-12-31"),
        ("completion", 6, "2026-08-31", None, "2027-02-28"),
        ("02-29", 1, "2026-11-20", None, "2027-02-28"),
        ("02-29", 12, "2026-11-20", None, "2028-02-29"),
    ] {
        let rule: Rule = rule.parse().unwrap();
        let found = last_valid_day(rule, Some(Months::new(months)), day(completed), old.map(day));
        assert_eq!(found, Some(day(expected)), "{rule} {months} {completed}");
        assert_eq!(rule.to_string().parse::<Rule>().unwrap(), rule);
    }
    let completed = day("2026-11-20");
    for (rule, expected) in [("completion", None), ("expiry", None), ("end-of-year", Some(day("2026-12-31")))]
    {
        assert_eq!(
            last_valid_day(rule.parse().unwrap(), None, completed, None),
            expected,
            "{rule}, no validity"
        );
    }
    for wrong in ["", "02-30", "13-01", "1-1", "Completion"] {
        assert!(wrong.parse::<Rule>().is_err(), "{wrong}");
    }
}

proptest! {
    #[test]
    fn a_day_of_the_year_comes_within_a_year(days in 0..20_000i64, months in 1..1200u32, ordinal in 0..366u64) {
        let completed = NaiveDate::from_ymd_opt(1990, 1, 1).unwrap() + chrono::Duration::days(days);
        let on = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap() + chrono::Days::new(ordinal);
        let rule: Rule = on.format("%m-%d").to_string().parse().unwrap();
        let from = completed + Months::new(months);
        let found = last_valid_day(rule, Some(Months::new(months)), completed, None).unwrap();
        prop_assert!(found >= from && (found - from).num_days() <= 366, "{found} {from}");
    }
}
