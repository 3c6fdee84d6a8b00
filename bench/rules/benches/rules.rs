//! The cost of each rule for one certification: `cargo bench --manifest-path bench/rules/Cargo.toml`.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;
use std::time::Duration;

use certvakt_rules::calendar::{end_of_day, scheduled_at};
use certvakt_rules::{Stage, Stages, last_valid_day, notice_key, retry};
use chrono::{NaiveDate, NaiveTime};
use chrono_tz::Europe::Oslo;
use criterion::{Criterion, criterion_group, criterion_main};
use uuid::Uuid;

fn rules(criterion: &mut Criterion) {
    let day = NaiveDate::from_ymd_opt(2026, 3, 29).unwrap();
    let night = NaiveTime::from_hms_opt(2, 30, 0).unwrap();
    let expires_at = end_of_day(day, Oslo);
    let stages = Stages::default();
    let id = Uuid::from_u128(7);
    criterion.bench_function("last valid day", |b| b.iter(|| last_valid_day(black_box(expires_at), Oslo)));
    criterion.bench_function("current stage", |b| {
        b.iter(|| stages.current(black_box(day), black_box(day)));
    });
    criterion.bench_function("windows of a run", |b| {
        b.iter(|| stages.windows(black_box(day), black_box(None)));
    });
    criterion
        .bench_function("key", |b| b.iter(|| notice_key(black_box(id), Stage::Warning(30), black_box(day))));
    criterion.bench_function("hour of a run that the clock skips", |b| {
        b.iter(|| scheduled_at(black_box(day), black_box(night), Oslo));
    });
    criterion.bench_function("wait before another attempt", |b| {
        b.iter(|| retry::backoff(black_box(Duration::from_secs(1)), black_box(5), black_box(0.5)));
    });
}

criterion_group!(benches, rules);
criterion_main!(benches);
