//! The brake: a file that looks wrong as a whole is not imported without approval.

use std::fmt::Write;

use serde_json::json;

use super::{Desk, counts};
use crate::harness::{fail, succeed};

/// A register of 200 mentors. `written` formats a day and a month in 2027; the days are evenly distributed.
fn register(mut written: impl FnMut(u32, u32) -> String) -> String {
    (0..200).fold("id,expires\n".to_owned(), |mut text, i| {
        writeln!(text, "{i},{}", written(1 + i * 7 % 28, 1 + i % 12)).unwrap();
        text
    })
}

fn day_first(day: u32, month: u32) -> String {
    format!("{day:02}/{month:02}/2027")
}

#[tokio::test]
async fn a_register_read_with_day_and_month_exchanged_is_held() {
    let desk = Desk::new().await;
    let file = desk.file("register.csv", register(day_first));
    let rejects = desk.folder.path().join("rejects.csv");
    let wrong = ["--date-format", "MM/DD/YYYY", "--rejects", rejects.to_str().unwrap()];

    // The first import: nothing is known, but the days after the twelfth cannot be read.
    let error = fail(&mut desk.command(&file, &wrong), 3);
    assert!(error.contains("[import-held]"), "{error}");
    assert!(error.contains("of 200 rows are rejected, more than 20 %"), "{error}");
    assert_eq!(error.matches("expires_at: ").count(), 3, "three examples: {error}");
    assert!(desk.is_empty().await);
    assert!(std::fs::read_to_string(&rejects).unwrap().lines().count() > 100);

    let right = desk.import(&file, &["--date-format", "DD/MM/YYYY"]);
    assert_eq!(counts(&right), [200, 0, 0, 0]);
    let before = desk.certifications().await;

    // Once the dates are known, those that can be read would move.
    let error = fail(&mut desk.command(&file, &wrong), 3);
    assert!(error.contains("changed dates are the old ones with day and month exchanged"), "{error}");
    assert_eq!(error.matches(" becomes ").count(), 3, "{error}");
    assert_eq!(desk.certifications().await, before, "nothing was imported");

    let approved = desk.import(&file, &[&wrong[..], &["--approve"]].concat());
    assert!(counts(&approved)[1] > 60, "{approved}");
}

#[tokio::test]
async fn a_register_in_which_many_known_dates_change_is_held() {
    let desk = Desk::new().await;
    desk.take(register(|day, month| format!("2027-{month:02}-{day:02}")), &[]);
    // Each case: the number of rows whose year changes, and whether the import is held.
    for (changed, held) in [(60, false), (61, true), (200, true)] {
        let mut rows = 0;
        let next = register(|day, month| {
            rows += 1;
            format!("{}-{month:02}-{day:02}", if rows <= changed { 2029 } else { 2027 })
        });
        let file = desk.file("next.csv", next);
        let shown = desk.import(&file, &["--dry-run"]);
        assert_eq!(!shown["hold"].is_null(), held, "{changed}: {shown}");
        if held {
            assert_eq!(
                (&shown["hold"]["rule"], &shown["hold"]["rows"], &shown["hold"]["of"]),
                (&json!("moved-share"), &json!(changed), &json!(200))
            );
            let error = fail(&mut desk.command(&file, &[]), 3);
            assert!(error.contains("known dates would change, more than 30 %"), "{error}");
        }
    }
    let text =
        succeed(&mut desk.command(&desk.folder.path().join("next.csv"), &["--dry-run", "--output", "text"]));
    assert!(text.contains("Without --approve, this import would be held: 200 of 200 known dates"), "{text}");
}
