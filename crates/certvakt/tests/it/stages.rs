//! Lead times: the declared stages, the selection of an organisation, and the notices after a change of either.

use serde_json::json;

use crate::harness::{NOON, OWNER, TestDatabase, address, fail, succeed};

async fn rehearsal() -> TestDatabase {
    let database = TestDatabase::rehearsal().await;
    database.with_organisation();
    database
}

/// The command, as the owner of the schema.
fn as_owner<'a>(
    database: &TestDatabase,
    arguments: impl IntoIterator<Item = &'a str>,
) -> std::process::Command {
    let mut command = database.certvakt(arguments);
    command.env("DATABASE_URL", address(OWNER, &database.name));
    command
}

fn declare(database: &TestDatabase, days: &str) {
    succeed(&mut as_owner(database, ["stage", "add", days]));
}

fn select(database: &TestDatabase, lead_times: &str) {
    database.ok(["organisation", "set", "org", "--lead-times", lead_times]);
}

/// The names that the check of the log enumerates.
async fn enumerated(database: &TestDatabase) -> String {
    database
        .value(
            "select pg_get_constraintdef(oid) from pg_constraint
             where conname = 'cert_notification_log_notification_type_known'",
        )
        .await
}

#[tokio::test]
async fn a_new_installation_declares_four_stages_and_the_owner_declares_more() {
    let database = rehearsal().await;
    let names = |database: &TestDatabase| {
        let listed = database.json(["stage", "list"]);
        let stages = listed["stages"].as_array().unwrap().iter();
        let names: Vec<String> = stages.map(|one| one["name"].as_str().unwrap().to_owned()).collect();
        (names.join(" "), listed["notices_kept_days"].as_i64().unwrap())
    };
    let four = "expiry_warning_90d expiry_warning_30d expiry_warning_7d expired";
    assert_eq!(names(&database), (four.to_owned(), 180));
    let checked = enumerated(&database).await;
    let said = fail(&mut database.certvakt(["stage", "add", "365"]), 4);
    assert!(said.contains("owns the schema"), "{said}");
    let said = fail(&mut database.certvakt(["organisation", "set", "org", "--lead-times", "365,30"]), 2);
    assert!(said.contains("certvakt stage add"), "{said}");

    let said = succeed(&mut as_owner(&database, ["stage", "add", "365"]));
    assert!(said.contains("at least 455 days"), "{said}");
    declare(&database, "365");
    assert_eq!(names(&database), (format!("expiry_warning_365d {four}"), 455));
    assert_eq!(enumerated(&database).await, checked.replace("ARRAY[", "ARRAY['expiry_warning_365d'::text, "));
    let refused = fail(&mut database.certvakt(["cleanup", "--older-than", "454d"]), 2);
    assert!(refused.contains("455 days"), "{refused}");
    database.ok(["cleanup", "--older-than", "455d"]);
    let kept = "select certvakt.delete_old_notices(interval '454 days', 1)";
    let kept: Result<_, _> =
        sqlx::query(kept).execute(&mut crate::harness::superuser(&database.name).await).await;
    assert!(kept.unwrap_err().to_string().contains("455 days"));

    // Only what nothing uses can be removed.
    select(&database, "365,30");
    for (days, says) in [("365", "in use"), ("90", "new organisation")] {
        let said = fail(&mut as_owner(&database, ["stage", "remove", days]), 2);
        assert!(said.contains(says), "{said}");
    }
    assert_eq!(names(&database).1, 455, "a refused removal changes nothing");
    select(&database, "90,30,7");
    let text = "insert into certvakt.notice_texts (organisation_id, days_before, locale, body)
                select id, unnest(array[365, 90]), 'nb', 'Tekst' from certvakt.organisations limit 2";
    database.execute(text).await;
    succeed(&mut as_owner(&database, ["stage", "remove", "365"]));
    let texts = "select string_agg(distinct days_before::text, ' ') from certvakt.notice_texts";
    assert_eq!(database.value::<String>(texts).await, "90", "the texts of the stage go with it");
    assert_eq!(names(&database), (four.to_owned(), 180));
    assert_eq!(enumerated(&database).await, checked);
    for days in 100..109 {
        declare(&database, &days.to_string());
    }
    let said = fail(&mut as_owner(&database, ["stage", "add", "200"]), 2);
    assert!(said.contains("maximum"), "{said}");
    for days in ["0", "3651", "-1"] {
        fail(&mut as_owner(&database, ["stage", "add", days]), 2);
    }
}

#[tokio::test]
async fn a_change_of_the_stages_waits_for_transactions_and_ends_none_of_them() {
    const TABLES: [&str; 4] = [
        "certvakt.organisations",
        "certvakt.certification_types",
        "certvakt.deliveries",
        "public.cert_notification_log",
    ];
    let database = rehearsal().await;
    let mut verbs = ["add", "remove"].into_iter().cycle();
    for first in TABLES {
        for second in TABLES.into_iter().filter(|second| *second != first) {
            let mut other = crate::harness::superuser(&database.name).await;
            let read = |table| sqlx::raw_sql(sqlx::AssertSqlSafe(format!("select from {table} limit 1")));
            sqlx::raw_sql("begin").execute(&mut other).await.unwrap();
            read(first).execute(&mut other).await.unwrap();
            let verb = verbs.next().unwrap();
            let mut change = as_owner(&database, ["stage", verb, "60"]);
            let change = change.stdout(std::process::Stdio::null()).spawn().unwrap();
            let waits = format!(
                "select exists (select from pg_locks where relation = '{first}'::regclass and not granted)"
            );
            database.until(&waits).await;
            let done = read(second).execute(&mut other).await;
            done.unwrap_or_else(|error| panic!("{first}, then {second}: {error}"));
            sqlx::raw_sql("commit").execute(&mut other).await.unwrap();
            let changed = change.wait_with_output().unwrap();
            assert!(changed.status.success(), "{first}, then {second}: {changed:?}");
        }
    }
}

#[tokio::test]
async fn a_team_declares_a_stage_in_its_own_migrations() {
    let database = rehearsal().await;
    let before = enumerated(&database).await;
    let sql = database.ok(["stage", "add", "180", "--print-sql"]);
    assert_eq!(enumerated(&database).await, before, "printing changes nothing");
    let mut owner =
        <sqlx::PgConnection as sqlx::Connection>::connect(&address(OWNER, &database.name)).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut owner).await.unwrap();
    select(&database, "180,30");
    database.certify("1", "2026-12-12").await;
    assert_eq!(
        database.run("2026-06-15")["recorded"],
        json!({ "expiry_warning_180d": 1, "expiry_warning_30d": 0, "expired": 0 })
    );
    database.ok(["verify"]);
}

#[tokio::test]
async fn doctor_reports_a_check_that_does_not_enumerate_the_declared_stages() {
    let database = rehearsal().await;
    let status = |database: &TestDatabase| {
        let output = database.certvakt(["doctor", "--output", "json"]).output().unwrap();
        let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let stages = found["findings"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["check"] == "stages")
            .unwrap()
            .clone();
        format!("{} {}", stages["status"].as_str().unwrap(), stages["text"].as_str().unwrap())
    };
    assert!(status(&database).starts_with("ok "), "{}", status(&database));
    declare(&database, "180");
    assert!(status(&database).starts_with("ok "), "{}", status(&database));
    for (sql, names) in [
        ("alter table certvakt.deliveries drop constraint deliveries_stage_known", "deliveries_stage_known"),
        ("insert into certvakt.stages (days_before) values (60)", "notification_type_known"),
        ("select certvakt.enumerate_stages()", "organisations_lead_times_declared"),
    ] {
        database.execute(sql).await;
        assert!(status(&database).starts_with("problem ") && status(&database).contains(names), "{sql}");
        if sql.starts_with("alter") {
            database
                .execute("alter table certvakt.deliveries add constraint deliveries_stage_known check (true)")
                .await;
        }
    }
    database.execute("select certvakt.validate_stages()").await;
    assert!(status(&database).starts_with("ok "), "{}", status(&database));
}

/// Each case: the lead times before and after, the last valid day, and the notices after the runs before and after.
#[tokio::test]
async fn another_selection_gives_at_most_one_notice() {
    for (before, after, last_valid_day, notices) in [
        // Inside a new stage: one notice.
        ("90,30,7", "180,60,30", "2026-08-01", &["expiry_warning_90d", "expiry_warning_60d"][..]),
        ("90,30,7", "365,180,90", "2027-05-01", &["expiry_warning_365d"]),
        // Inside an earlier stage again that was recorded, or that a later notice has superseded.
        ("90,30,7", "90", "2026-08-01", &["expiry_warning_90d"]),
        ("90,30,7", "90", "2026-07-01", &["expiry_warning_30d"]),
        ("90,30,7", "90,7", "2026-06-20", &["expiry_warning_7d"]),
        ("365", "180", "2026-07-01", &["expiry_warning_365d", "expiry_warning_180d"]),
        // Not in a stage any more.
        ("365", "30", "2026-12-01", &["expiry_warning_365d"]),
    ] {
        let database = rehearsal().await;
        for days in ["365", "180", "60"] {
            declare(&database, days);
        }
        select(&database, before);
        database.certify("1", last_valid_day).await;
        database.run("2026-06-14");
        database.ok(["verify"]);
        select(&database, after);
        let dry = database.json(["run", "--dry-run", "--date", "2026-06-15"])["runs"][0]["recorded"].clone();
        let recorded = database.run("2026-06-15")["recorded"].clone();
        assert_eq!(dry, recorded, "a dry run shows it");
        database.ok(["verify"]);
        let told: Vec<String> = database.notices("1").await;
        let told: Vec<&str> = told.iter().map(|notice| notice.split(' ').next().unwrap()).collect();
        assert_eq!(told, notices, "{before} to {after}, {last_valid_day}");
        let again = database.json(["run", "--full", "--date", "2026-06-15"])["runs"][0]["recorded"].clone();
        assert!(again.as_object().unwrap().values().all(|number| *number == 0), "{again}");
    }
}

#[tokio::test]
async fn a_flood_of_notices_after_another_selection_is_held() {
    let database = rehearsal().await;
    declare(&database, "180");
    database.ok(["organisation", "set", "org", "--limit-floor", "2", "--limit-percent", "50"]);
    for number in 0..3 {
        database.certify(&number.to_string(), "2026-11-01").await;
    }
    database.run("2026-06-14");
    select(&database, "180,90,30,7");
    let held = database.certvakt(["run", "--date", "2026-06-15", "--output", "json"]).output().unwrap();
    assert_eq!(held.status.code(), Some(3));
    let held: serde_json::Value = serde_json::from_slice(&held.stdout).unwrap();
    assert_eq!(held["runs"][0]["would_record"]["expiry_warning_180d"], 3);
    let status = database.certvakt(["status"]).output().unwrap();
    assert!(String::from_utf8_lossy(&status.stdout).contains("3 notices"), "{status:?}");
}

#[tokio::test]
async fn explain_shows_unselected_stages_as_off_and_the_forecast_follows_the_selection() {
    let database = rehearsal().await;
    declare(&database, "60");
    database.certify("1", "2026-08-20").await;
    assert_eq!(
        database.explained(NOON, "1"),
        [
            "2026-05-22 expiry_warning_90d due_now",
            "2026-06-21 expiry_warning_60d off",
            "2026-07-21 expiry_warning_30d due_on",
            "2026-08-13 expiry_warning_7d due_on",
            "2026-08-21 expired due_on",
        ]
    );
    database.run("2026-06-15");
    let coming = |database: &TestDatabase| {
        let nights = database.at(NOON, ["forecast", "--days", "10", "--output", "json"]);
        let nights = serde_json::from_str::<serde_json::Value>(&nights).unwrap()["nights"].clone();
        let night = nights.as_array().unwrap().iter().find(|one| one["night"] == "2026-06-21").cloned();
        night.map(|one| one["notices"].clone())
    };
    assert_eq!(coming(&database).unwrap().get("expiry_warning_60d"), None);
    select(&database, "90,60");
    assert_eq!(
        coming(&database),
        Some(json!({ "expiry_warning_90d": 0, "expiry_warning_60d": 1, "expired": 0 }))
    );
}
