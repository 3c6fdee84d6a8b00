//! The forms of dates in registers, and the values that mean that a certification does not expire.

use std::fmt::Write as _;

use serde_json::json;

use super::{Desk, counts, rejects};
use crate::harness::succeed;

/// Imports a register with one row for each date, with the ids 10, 11, and so on.
fn register(dates: &[&str]) -> String {
    let mut rows = "id|expires\n".to_owned();
    for (id, date) in (10..).zip(dates) {
        writeln!(rows, "{id}|{date}").unwrap();
    }
    rows
}

#[tokio::test]
async fn dates_are_read_as_people_and_databases_write_them() {
    for (formats, cases) in [
        (
            &[][..],
            &[
                ("5. mai 2026", "2026-05-05"),
                ("5 maj 2026", "2026-05-05"),
                ("1. DESEMBER 2026", "2026-12-01"),
                ("1 okt. 2026", "2026-10-01"),
                ("31. März 2026", "2026-03-31"),
                ("1er février 2027", "2027-02-01"),
                ("15 juil. 2026", "2026-07-15"),
                ("May 5, 2026", "2026-05-05"),
                ("05-MAY-2026", "2026-05-05"),
                ("May  5 2026 12:00AM", "2026-05-05"),
                ("februar 2028", "2028-02-29"),
                ("2026-05-01 00:00:00+02", "2026-05-01"),
                ("2026-05-01 09:30:00.25+00", "2026-05-01"),
                ("2026-05-01T23:59:59+02:00", "2026-05-01"),
                ("2026-05-01T12:00:00Z", "2026-05-01"),
                ("2026-05-01 00:00:00", "2026-05-01"),
                ("01.05.2026 00:00", "2026-05-01"),
                ("2026-05-01 13:45", "2026-05-01"),
            ][..],
        ),
        (&["M/D/YYYY"], &[("12/1/2026 12:00:00 AM", "2026-12-01"), ("12/1/2026 0:00", "2026-12-01")]),
        (
            &["DD.MM.YY"],
            &[("01.02.26", "2026-02-01"), ("31.12.68", "2068-12-31"), ("31.12.69", "1969-12-31")],
        ),
        (&["MM/DD/YY"], &[("01/02/26 12:00:00 AM", "2026-01-02")]),
        (&["DD-MMM-YY"], &[("05-MAI-26", "2026-05-05")]),
    ] {
        let desk = Desk::new().await;
        let formats: Vec<&str> = formats.iter().flat_map(|form| ["--date-format", form]).collect();
        let texts: Vec<&str> = cases.iter().map(|(text, _)| *text).collect();
        let imported = desk.take(register(&texts), &formats);
        assert_eq!(imported["rejected"], 0, "{imported}");
        let expected: Vec<String> =
            (10..).zip(cases).map(|(id, (_, day))| format!("{id} {day} active")).collect();
        assert_eq!(desk.certifications().await, expected);
    }
}

#[tokio::test]
async fn a_doubtful_date_is_rejected_with_what_to_do() {
    let desk = Desk::new().await;
    for (date, hint) in [
        ("05/06/2026", "--date-format"),
        ("05/06/2026 12:00:00 AM", "--date-format"),
        ("05.06.26", "DD.MM.YY"),
        ("5 mai 26", "--date-format"),
        ("31 juin 2026", "the day does not exist"),
        ("2026-05-01 25:00", "--date-format"),
        ("2026-04-30 22:30:00+00", "--instant-day"),
        ("Livsvarig", "--never"),
        ("9999-12-31", "--never"),
        ("00.00.0000", "--never"),
        ("infinity", "--never"),
    ] {
        let imported = desk.take(register(&[date]), &[]);
        assert_eq!(counts(&imported), [0, 0, 0, 1], "{date}");
        let (line, column, reason) = &rejects(&imported)[0];
        assert_eq!((*line, column.as_str()), (2, "expires_at"), "{date}");
        assert!(reason.contains(hint) && !reason.contains(date), "{date}: {reason}");
    }
    assert!(desk.certifications().await.is_empty());
}

#[tokio::test]
async fn a_value_that_means_never_gives_no_expiry() {
    let never = ["--never", "9999-12-31", "--never", "Livsvarig"];
    let desk = Desk::new().await;
    let dates =
        ["9999-12-31", "31.12.9999", "9999-12-31 00:00:00", "LIVSVARIG", " livsvarig ", "2026-12-31", "evig"];
    let imported = desk.take(register(&dates), &never);
    assert_eq!(counts(&imported), [6, 0, 0, 1], "{imported}");
    assert_eq!(rejects(&imported)[0].0, 8);
    let mut expected: Vec<String> = (10..15).map(|id| format!("{id} never active")).collect();
    expected.push("15 2026-12-31 active".to_owned());
    assert_eq!(desk.certifications().await, expected);
    assert_eq!(counts(&desk.take(register(&dates), &never)), [0, 0, 6, 1]);
    // A blank has its own option.
    assert_eq!(counts(&desk.take(register(&[""]), &never)), [0, 0, 0, 1]);
}

#[tokio::test]
async fn a_value_that_many_rows_share_is_suggested_as_never() {
    let desk = Desk::new().await;
    let register = |shared: usize| {
        let rows: Vec<String> = (0..200)
            .map(|id| format!("{id},{}", if id < shared { "Løpende avtale" } else { "2027-12-31" }))
            .collect();
        format!("id,expires\n{}\n", rows.join("\n"))
    };
    assert_eq!(desk.take(register(19), &[]).get("shared_expiries"), None);
    let imported = desk.take(register(30), &[]);
    assert_eq!(imported["shared_expiries"], json!([{ "value": "Løpende avtale", "rows": 30 }]));
    let text = succeed(&mut desk.command(&desk.file("register.csv", register(30)), &[]));
    assert!(text.contains("--never 'Løpende avtale'"), "{text}");
    let imported = desk.take(register(30), &["--never", "Løpende avtale"]);
    assert_eq!((&imported["rejected"], imported.get("shared_expiries")), (&json!(0), None));
}
