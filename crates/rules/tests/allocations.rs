//! The functions that run for every certification or delivery allocate nothing, or only their result.

use std::hint::black_box;

use allocation_counter::measure;
use certvakt_rules::calendar::end_of_day;
use certvakt_rules::{Stage, Stages, last_valid_day, notice_key};
use chrono::NaiveDate;
use chrono_tz::Europe::Oslo;
use uuid::Uuid;

#[test]
fn dates_and_stages_allocate_nothing_and_a_key_little() {
    let day = NaiveDate::from_ymd_opt(2026, 12, 31).unwrap_or_default();
    let stages = Stages::default();
    let dates = measure(|| {
        for _ in 0..1_000 {
            let last = last_valid_day(end_of_day(black_box(day), Oslo), Oslo);
            black_box(stages.current(last, day));
        }
    });
    assert_eq!(dates.count_total, 0, "{dates:?}");
    let keys = measure(|| {
        for _ in 0..1_000 {
            black_box(notice_key(black_box(Uuid::nil()), Stage::Expired, day));
        }
    });
    assert!(keys.count_total <= 2_000, "its text and the key itself: {keys:?}");
}
