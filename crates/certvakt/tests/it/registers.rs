//! Real registers, with counts made independently of this code (`../shared/data/README.md`).

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::harness::TestDatabase;

/// A file in `../shared/data`; `None` if that folder is missing.
fn shared(file: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(file);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: ../shared/data/{file} is not here");
    None
}

fn recorded(run: &Value) -> [i64; 4] {
    assert_eq!(run["state"], "complete", "{run}");
    ["expiry_warning_90d", "expiry_warning_30d", "expiry_warning_7d", "expired"]
        .map(|stage| run["recorded"][stage].as_i64().unwrap())
}

#[tokio::test]
async fn the_tlc_register_gives_the_counted_notices_night_by_night() {
    let Some(register) = shared("tlc_medallion_drivers_2015.csv") else { return };
    let database = TestDatabase::rehearsal().await;
    database.ok(["organisation", "add", "tlc", "--name", "TLC", "--timezone", "America/New_York"]);
    database.ok(["chapter", "add", "nyc", "--organisation", "tlc", "--name", "New York"]);
    database.ok(["type", "add", "driver", "--organisation", "tlc", "--name", "Medallion driver"]);
    let import = || {
        database.json([
            "import",
            register.to_str().unwrap(),
            "--organisation",
            "tlc",
            "--chapter",
            "nyc",
            "--type",
            "driver",
            "--column",
            "external_id=License Number",
            "--column",
            "expires_at=Expiration Date",
            "--date-format",
            "MM/DD/YYYY",
        ])
    };
    let first = import();
    assert_eq!(
        (&first["read"], &first["added"], &first["rejected"]),
        (&json!(52_736), &json!(52_736), &json!(0))
    );
    let again = import();
    assert_eq!((&again["read"], &again["unchanged"]), (&json!(52_736), &json!(52_736)));

    let run = |date: &str| database.json(["run", "--date", date])["runs"][0].clone();
    assert_eq!(recorded(&run("2015-07-23")), [4_424, 1_681, 517, 0]);
    assert_eq!(recorded(&run("2015-07-23")), [0, 0, 0, 0]);
    // The forecast before the thirty nights matches their notices.
    let mut forecast = database.certvakt(["forecast", "--days", "30", "--output", "json"]);
    let forecast = crate::harness::succeed(forecast.env("CERTVAKT_NOW", "2015-07-23T20:00:00-04:00"));
    let forecast: Value = serde_json::from_str(&forecast).unwrap();

    let mut together = [0; 4];
    for (night, day) in (0..30)
        .map(|night| chrono::NaiveDate::from_ymd_opt(2015, 7, 24).unwrap() + chrono::Days::new(night))
        .enumerate()
    {
        let date = day.to_string();
        let counts = recorded(&run(&date));
        match date.as_str() {
            "2015-07-24" => assert_eq!(counts, [64, 83, 114, 41]),
            "2015-07-25" => assert_eq!(counts, [64, 32, 40, 29]),
            _ => {}
        }
        let foreseen = &forecast["nights"][night];
        assert_eq!(foreseen["night"], date.as_str());
        for (count, stage) in
            counts.iter().zip(["expiry_warning_90d", "expiry_warning_30d", "expiry_warning_7d", "expired"])
        {
            assert_eq!(foreseen["notices"][stage], json!(count), "{date} {stage}");
        }
        together = std::array::from_fn(|stage| together[stage] + counts[stage]);
    }
    assert_eq!(together, [2_144, 2_035, 2_290, 2_088]);
    assert_eq!(recorded(&database.json(["run", "--full", "--date", "2015-08-22"])["runs"][0]), [0, 0, 0, 0]);
    let verified = database.json(["verify"]);
    assert_eq!(verified["organisations"][0]["faults"], json!([]));
    let notices: i64 = database.value("select count(*) from public.cert_notification_log").await;
    assert_eq!(notices, 4_424 + 1_681 + 517 + together.iter().sum::<i64>());
    let expired: i64 = database
        .value("select count(*) from public.peer_mentor_certifications where status = 'expired'")
        .await;
    assert_eq!(expired, 2_088);
}

#[tokio::test]
async fn the_chicago_register_is_accounted_for_row_by_row() {
    let Some(register) = shared("chicago_public_chauffeurs.csv") else { return };
    let database = TestDatabase::new().await;
    database.ok(["organisation", "add", "chicago", "--name", "Chicago", "--timezone", "America/Chicago"]);
    database.ok(["chapter", "add", "city", "--organisation", "chicago", "--name", "City"]);
    database.ok(["type", "add", "chauffeur", "--organisation", "chicago", "--name", "Public chauffeur"]);
    let folder = tempfile::tempdir().unwrap();
    let rejects = folder.path().join("rejects.csv");
    let imported = database.json([
        "import",
        register.to_str().unwrap(),
        "--organisation",
        "chicago",
        "--chapter",
        "city",
        "--type",
        "chauffeur",
        "--column",
        "external_id=License Number",
        "expires_at=Expires",
        "issued_at=Original Issue Date",
        "status=Status",
        "--date-format",
        "MM/DD/YYYY",
        "--active-status",
        "ACTIVE",
        "--rejects",
        rejects.to_str().unwrap(),
    ]);
    assert_eq!(imported["read"], 25_350);
    // In the register, two licences ended before they were issued.
    assert_eq!((&imported["added"], &imported["rejected"]), (&json!(25_348), &json!(2)));
    let rejected = std::fs::read_to_string(rejects).unwrap();
    assert_eq!(rejected.lines().count(), 3);
    assert!(rejected.lines().skip(1).all(|line| line.contains("before the day of issue")), "{rejected}");
    let active: i64 = database
        .value("select count(*) from public.peer_mentor_certifications where status = 'active'")
        .await;
    assert_eq!(active, 11_477);
    let month_ends: bool = database
        .value(
            "select bool_and(extract(day from (expires_at at time zone 'America/Chicago')::date + 1) = 1)
             from public.peer_mentor_certifications",
        )
        .await;
    assert!(month_ends, "MM/YYYY means the month's last day");
}

/// Imports a register as it is into a new rehearsal.
async fn rehearsal_of(register: &Path, more: &[&str]) -> (TestDatabase, Value) {
    let database = TestDatabase::rehearsal().await;
    database.ok(["organisation", "add", "board", "--name", "Board", "--timezone", "America/New_York"]);
    database.ok(["organisation", "set", "board", "--limit-floor", "2000"]);
    database.ok(["chapter", "add", "state", "--organisation", "board", "--name", "State"]);
    database.ok(["type", "add", "nurse", "--organisation", "board", "--name", "Nurse"]);
    let file = register.to_str().unwrap();
    let to = ["import", file, "--organisation", "board", "--chapter", "state", "--type", "nurse"];
    let imported = database.json([&to[..], more].concat());
    (database, imported)
}

#[tokio::test]
async fn the_wyoming_workbook_is_read_behind_its_empty_row() {
    let Some(register) = shared("wy_credentials.xlsx") else { return };
    let columns = ["--column", "external_id=License Number", "expires_at=Expiration Date"];
    let more = [&columns[..], &["--date-format", "MM/DD/YYYY"]].concat();
    let (database, imported) = rehearsal_of(&register, &more).await;
    assert_eq!((&imported["added"], &imported["rejected"]), (&json!(1_428), &json!(0)), "{imported}");
    let run = &database.json(["run", "--date", "2022-10-05"])["runs"][0];
    assert_eq!(recorded(run), [1_163, 0, 0, 0]);
}

#[tokio::test]
async fn the_massachusetts_register_is_read_with_its_bars_and_midnights() {
    let Some(register) = shared("ma_nurses.txt") else { return };
    let columns = ["--column", "external_id=license_no", "expires_at=expiration_date"];
    let more = [&columns[..], &["--date-format", "M/D/YYYY"]].concat();
    for (date, expected) in
        [("2021-06-01", [11, 10, 1, 8]), ("2021-10-15", [1_190, 4, 4, 48]), ("2022-01-10", [4, 4, 2, 1_184])]
    {
        let (database, imported) = rehearsal_of(&register, &more).await;
        assert_eq!((&imported["added"], &imported["rejected"]), (&json!(1_321), &json!(9)), "{imported}");
        assert_eq!(recorded(&database.json(["run", "--date", date])["runs"][0]), expected, "{date}");
    }
}
