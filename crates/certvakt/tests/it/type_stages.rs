//! Types with other lead times than their organisation: the selection, the notices, and the readers of both.

use serde_json::{Value, json};

use crate::harness::{NOON, OWNER, TestDatabase, address, fail, succeed};
use crate::stand_in::StandIn;

/// An organisation with the lead times 90, 30 and 7, of an installation that declares six.
async fn rehearsal() -> TestDatabase {
    let database = TestDatabase::rehearsal().await;
    database.with_organisation();
    for days in ["180", "120", "60"] {
        succeed(&mut as_owner(&database, ["stage", "add", days]));
    }
    database
}

fn as_owner<const N: usize>(database: &TestDatabase, arguments: [&str; N]) -> std::process::Command {
    let mut command = database.certvakt(arguments);
    command.env("DATABASE_URL", address(OWNER, &database.name));
    command
}

fn add(database: &TestDatabase, code: &str, lead_times: &str) {
    database.ok(["type", "add", code, "--organisation", "org", "--lead-times", lead_times]);
}

fn select(database: &TestDatabase, code: &str, lead_times: &str) {
    database.ok(["type", "set", code, "--organisation", "org", "--lead-times", lead_times]);
}

/// The stages of a certification's notices, oldest first, with the states of their deliveries.
async fn told(database: &TestDatabase, external_id: &str) -> Vec<String> {
    let notices = database.notices(external_id).await;
    let words = |notice: &String| notice.split(' ').map(str::to_owned).collect::<Vec<_>>();
    notices.iter().map(words).map(|words| format!("{} {}", words[0], words[2])).collect()
}

/// The stages of a certification's notices, oldest first.
async fn stages(database: &TestDatabase, external_id: &str) -> Vec<String> {
    let told = told(database, external_id).await;
    told.iter().map(|notice| notice.split(' ').next().unwrap().to_owned()).collect()
}

/// The numbers above zero.
fn positive(numbers: &Value) -> Value {
    let numbers = numbers.as_object().unwrap().iter().filter(|(_, number)| **number != 0);
    Value::Object(numbers.map(|(stage, number)| (stage.clone(), number.clone())).collect())
}

#[tokio::test]
async fn a_type_selects_among_the_declared_lead_times() {
    let database = rehearsal().await;
    let lead_times = |database: &TestDatabase| {
        let listed = database.json(["type", "list", "--organisation", "org"]);
        let types = listed["types"].as_array().unwrap().iter();
        types.map(|one| format!("{} {}", one["code"], one["lead_times"]).replace('"', "")).collect::<Vec<_>>()
    };
    add(&database, "aid", "30,180,90,30");
    add(&database, "open", "default");
    database.ok(["type", "add", "plain", "--organisation", "org"]);
    assert_eq!(lead_times(&database), ["aid [180,90,30]", "open null", "plain null", "type null"]);
    let shown = database.ok(["type", "list"]);
    assert!(shown.contains("180, 90, 30") && shown.contains("default"), "{shown}");
    select(&database, "plain", "60");
    select(&database, "aid", "default");
    assert_eq!(lead_times(&database), ["aid null", "open null", "plain [60]", "type null"]);

    for (arguments, says) in [
        (
            &["type", "add", "x", "--organisation", "org", "--lead-times", "90,45"][..],
            "certvakt stage add 45",
        ),
        (&["type", "set", "plain", "--organisation", "org", "--lead-times", "45"], "180, 120, 90, 60, 30, 7"),
        (&["organisation", "set", "org", "--lead-times", "90,45"], "certvakt stage add 45"),
        (&["type", "set", "plan", "--organisation", "org", "--lead-times", "60"], "did you mean 'plain'"),
        (&["type", "set", "plain", "--organisation", "ogr", "--lead-times", "60"], "did you mean 'org'"),
        (&["type", "set", "plain", "--organisation", "org", "--lead-times", ""], "180,90,30"),
        (&["type", "set", "plain", "--organisation", "org", "--lead-times", "0"], "from 1 to 3650"),
        (&["type", "set", "plain", "--organisation", "org", "--lead-times", "3651"], "from 1 to 3650"),
        (&["type", "set", "plain", "--organisation", "org", "--lead-times", "90,,7"], "180,90,30"),
        (&["type", "set", "plain", "--organisation", "org"], "--lead-times"),
        (&["type", "list", "--organisation", "ogr"], "did you mean 'org'"),
    ] {
        let said = fail(&mut database.certvakt(arguments.iter().copied()), 2);
        assert!(said.contains(says), "{arguments:?}: {said}");
    }
    assert_eq!(lead_times(&database), ["aid null", "open null", "plain [60]", "type null"]);

    let said = fail(&mut as_owner(&database, ["stage", "remove", "60"]), 2);
    assert!(said.contains("certvakt type set"), "{said}");
    select(&database, "plain", "default");
    succeed(&mut as_owner(&database, ["stage", "remove", "60"]));
}

#[tokio::test]
async fn each_type_is_notified_by_its_own_lead_times() {
    let types = [
        ("type", "default", &[90, 30, 7][..]),
        ("early", "180,90,30", &[180, 90, 30]),
        ("other", "120,60,7", &[120, 60, 7]),
        ("twin", "120,60,7", &[120, 60, 7]),
    ];
    let database = rehearsal().await;
    database.ok(["organisation", "set", "org", "--limit-floor", "1000"]);
    for (code, lead_times, _) in &types[1..] {
        add(&database, code, lead_times);
    }
    for (code, ..) in &types {
        // Dates on both sides of the change of the clock, and inside a stage when the first run begins.
        for last_valid_day in ["2026-07-01", "2026-09-05", "2026-10-30"] {
            database.certify_as(code, &format!("{code} {last_valid_day}"), last_valid_day).await;
        }
    }
    let day = |text: &str| text.parse::<chrono::NaiveDate>().unwrap();
    // Single nights, and missed ones between them.
    let nights =
        ["2026-06-15", "2026-06-16", "2026-07-02", "2026-07-03", "2026-08-06", "2026-08-29", "2026-10-23"];
    let nights = nights.into_iter().chain(["2026-10-31", "2026-11-01"]).map(day);
    let mut expected: std::collections::BTreeMap<String, Vec<String>> = std::collections::BTreeMap::new();
    for night in nights {
        let mut due = serde_json::Map::new();
        for (code, _, lead_times) in &types {
            for last_valid_day in ["2026-07-01", "2026-09-05", "2026-10-30"] {
                let left = (day(last_valid_day) - night).num_days();
                let lead_time = lead_times.iter().rev().find(|days| left <= **days);
                let stage = match (left, lead_time) {
                    (..=-31, _) | (_, None) => continue,
                    (..0, _) => "expired".to_owned(),
                    (_, Some(days)) => format!("expiry_warning_{days}d"),
                };
                let notices = expected.entry(format!("{code} {last_valid_day}")).or_default();
                if !notices.contains(&stage) {
                    notices.push(stage.clone());
                    due.insert(
                        stage.clone(),
                        json!(due.get(&stage).and_then(Value::as_i64).unwrap_or(0) + 1),
                    );
                }
            }
        }
        let night = night.to_string();
        let dry = database.json(["run", "--dry-run", "--date", &night])["runs"][0]["recorded"].clone();
        assert_eq!(positive(&dry), Value::Object(due), "{night}");
        assert_eq!(database.run(&night)["recorded"], dry, "{night}");
        database.ok(["verify"]);
        for (certification, notices) in &expected {
            assert_eq!(&stages(&database, certification).await, notices, "{certification}, {night}");
        }
        let full = database.json(["run", "--full", "--date", &night])["runs"][0]["recorded"].clone();
        assert_eq!(positive(&full), json!({}), "{night}");
    }
}

/// Each case: the lead times of the type before and after, the last valid day, and its notices after both runs.
#[tokio::test]
async fn another_selection_of_a_type_gives_at_most_one_notice_and_none_to_other_types() {
    for (before, after, last_valid_day, notices) in [
        ("default", "180,60,30", "2026-08-01", &["expiry_warning_90d", "expiry_warning_60d"][..]),
        ("default", "180,90", "2026-12-01", &["expiry_warning_180d"]),
        ("default", "90", "2026-07-01", &["expiry_warning_30d"]),
        ("180,7", "default", "2026-07-01", &["expiry_warning_180d", "expiry_warning_30d"]),
        ("180", "30", "2026-10-01", &["expiry_warning_180d"]),
        ("default", "90,30,7", "2026-07-01", &["expiry_warning_30d"]),
    ] {
        let database = rehearsal().await;
        add(&database, "own", before);
        database.certify_as("own", "own", last_valid_day).await;
        for day in ["2026-07-01", "2026-08-01", "2026-10-01", "2026-12-01"] {
            database.certify(day, day).await;
        }
        database.run("2026-06-14");
        let others = database.value::<i64>("select count(*) from certvakt.deliveries").await;
        select(&database, "own", after);
        let dry = database.json(["run", "--dry-run", "--date", "2026-06-15"])["runs"][0]["recorded"].clone();
        assert_eq!(database.run("2026-06-15")["recorded"], dry, "a dry run shows it");
        database.ok(["verify"]);
        assert_eq!(stages(&database, "own").await, notices, "{before} to {after}, {last_valid_day}");
        let more: i64 = database.value("select count(*) from certvakt.deliveries").await;
        let due: i64 = dry.as_object().unwrap().values().filter_map(Value::as_i64).sum();
        assert_eq!(more - others, due, "only this type");
        for day in ["2026-06-15", "2026-06-16"] {
            let again = database.json(["run", "--full", "--date", day])["runs"][0]["recorded"].clone();
            assert_eq!(positive(&again), json!({}), "{before} to {after}");
        }
    }
}

#[tokio::test]
async fn a_flood_after_another_selection_of_a_type_is_held() {
    let database = rehearsal().await;
    database.ok(["organisation", "set", "org", "--limit-floor", "2", "--limit-percent", "50"]);
    add(&database, "own", "default");
    for number in 0..3 {
        database.certify_as("own", &format!("own {number}"), "2026-11-01").await;
        database.certify(&number.to_string(), "2026-11-01").await;
    }
    database.run("2026-06-14");
    database.ok(["organisation", "set", "org", "--limit-percent", "40"]);
    select(&database, "own", "180,90,30,7");
    let held = database.certvakt(["run", "--date", "2026-06-15", "--output", "json"]).output().unwrap();
    assert_eq!(held.status.code(), Some(3));
    let held: Value = serde_json::from_slice(&held.stdout).unwrap();
    assert_eq!(positive(&held["runs"][0]["would_record"]), json!({ "expiry_warning_180d": 3 }));
    let approved = database.json(["run", "--date", "2026-06-15", "--approve"])["runs"][0].clone();
    assert_eq!(positive(&approved["recorded"]), json!({ "expiry_warning_180d": 3 }));
}

/// Each case: the command that deselects the stage of a delivery that waits, the notices after the next run, and the
/// command that selects the stage again.
#[tokio::test]
async fn a_delivery_whose_stage_was_deselected_is_cancelled_and_opens_again() {
    let stand_in = StandIn::start();
    let config = stand_in.config("[\"fcm\"]", "");
    let organisation = |days| ["organisation", "set", "org", "--lead-times", days].to_vec();
    let of_type = |days| ["type", "set", "own", "--organisation", "org", "--lead-times", days].to_vec();
    for (deselect, recorded, reselect) in [
        // Nobody was notified of the later stage, so the one that is current again is recorded.
        (
            organisation("90,7"),
            &["expiry_warning_30d cancelled", "expiry_warning_90d pending"][..],
            organisation("30"),
        ),
        (of_type("90,7"), &["expiry_warning_30d cancelled", "expiry_warning_90d pending"], of_type("30,7")),
        (of_type("7"), &["expiry_warning_30d cancelled"], of_type("default")),
        (of_type("180,120"), &["expiry_warning_30d cancelled", "expiry_warning_120d pending"], of_type("30")),
    ] {
        let database = rehearsal().await;
        add(&database, "own", "default");
        database.certify_as("own", "1", "2026-07-05").await;
        database.reachable("1", "push", "ok-1").await;
        database.run("2026-06-14");
        let sent = stand_in.messages().len();
        database.ok(deselect.clone());
        assert_eq!(database.work(NOON, &config)["cancelled"], 1, "{deselect:?}");
        let reason: String = database.value("select reason from certvakt.deliveries").await;
        assert_eq!(reason, "lead time not selected any more");
        let due = |database: &TestDatabase| {
            database.explained(NOON, "1").into_iter().find(|stage| stage.ends_with("due_now"))
        };
        let due_now = due(&database);
        database.run("2026-06-15");
        assert_eq!(told(&database, "1").await, recorded, "{deselect:?}");
        assert_eq!(due_now.is_some(), recorded.len() > 1, "explain said what the run did");
        database.ok(["verify"]);
        database.ok(reselect.clone());
        let run = database.run("2026-06-15");
        assert_eq!(positive(&run["recorded"]), json!({}), "the notice exists");
        assert_eq!(told(&database, "1").await[0], "expiry_warning_30d pending", "{reselect:?}");
        let done = database.work(NOON, &config);
        assert_eq!((&done["delivered"], &done["cancelled"]), (&json!(1), &json!(recorded.len() - 1)));
        assert_eq!(stand_in.messages().len(), sent + 1, "one notice");
        database.ok(["verify"]);
    }
}

#[tokio::test]
async fn a_delivered_notice_of_a_deselected_stage_stays_the_last_one() {
    let stand_in = StandIn::start();
    let config = stand_in.config("[\"fcm\"]", "");
    let database = rehearsal().await;
    add(&database, "own", "default");
    database.certify_as("own", "1", "2026-07-05").await;
    database.reachable("1", "push", "ok-1").await;
    database.run("2026-06-14");
    assert_eq!(database.work(NOON, &config)["delivered"], 1);
    select(&database, "own", "90,7");
    database.run("2026-06-15");
    assert_eq!(told(&database, "1").await, ["expiry_warning_30d delivered"]);
    database.ok(["verify"]);
    assert_eq!(
        database.explained(NOON, "1"),
        [
            "2026-01-06 expiry_warning_180d off",
            "2026-03-07 expiry_warning_120d off",
            "2026-04-06 expiry_warning_90d superseded",
            "2026-05-06 expiry_warning_60d off",
            "2026-06-05 expiry_warning_30d sent",
            "2026-06-28 expiry_warning_7d due_on",
            "2026-07-06 expired due_on",
        ]
    );
    let text = database.at(NOON, ["explain", "1"]);
    assert!(text.contains("the type does not use this lead time"), "{text}");
}

#[tokio::test]
async fn a_mentor_without_an_address_stays_unreachable_in_the_stage_of_the_type() {
    let stand_in = StandIn::start();
    let config = stand_in.config("[\"fcm\"]", "");
    let config_path = config.to_str().unwrap();
    let database = rehearsal().await;
    add(&database, "own", "120,7");
    database.certify_as("own", "own", "2026-07-05").await;
    database.certify("other", "2026-07-05").await;
    for day in ["2026-06-14", "2026-06-15"] {
        database.ok(["run", "--date", day, "--config", config_path]);
    }
    assert_eq!(told(&database, "own").await, ["expiry_warning_120d unreachable"]);
    // The stage passes: of the one type on another day than of the other.
    database.ok(["run", "--date", "2026-06-28", "--config", config_path]);
    assert_eq!(
        told(&database, "own").await,
        ["expiry_warning_120d cancelled", "expiry_warning_7d unreachable"]
    );
    database.reachable("own", "push", "ok-1").await;
    assert_eq!(database.work("2026-06-28T12:00:00+02:00", &config)["delivered"], 1);
    database.ok(["verify"]);
}

#[tokio::test]
async fn a_certification_of_another_type_follows_the_lead_times_of_that_type() {
    let database = rehearsal().await;
    add(&database, "early", "180,60");
    database.certify("1", "2026-11-20").await;
    database.run("2026-06-14");
    assert!(stages(&database, "1").await.is_empty());
    database.change("1", "certification_type = 'early'").await;
    database.run("2026-06-15");
    assert_eq!(stages(&database, "1").await, ["expiry_warning_180d"]);
    database.ok(["verify"]);
    database.change("1", "certification_type = 'type'").await;
    let run = database.run("2026-06-16");
    assert_eq!(positive(&run["recorded"]), json!({}));
    let stages = database.explained(NOON, "1");
    assert!(stages.iter().any(|stage| stage.contains("180d") && !stage.ends_with("off")), "{stages:?}");
    database.ok(["verify"]);
}

#[tokio::test]
async fn the_forecast_counts_each_type_by_its_own_lead_times() {
    let database = rehearsal().await;
    add(&database, "early", "180,90,30");
    add(&database, "other", "120,60,7");
    for code in ["type", "early", "other"] {
        for (number, days) in [180_i64, 120, 90, 60, 30, 7, -1].into_iter().enumerate() {
            let day = chrono::NaiveDate::from_ymd_opt(2026, 6, 20).unwrap() + chrono::Duration::days(days);
            database.certify_as(code, &format!("{code} {number}"), &day.to_string()).await;
        }
    }
    database.run("2026-06-15");
    let nights = database.at(NOON, ["forecast", "--days", "10", "--output", "json"]);
    let nights: Value = serde_json::from_str(&nights).unwrap();
    let night = nights["nights"].as_array().unwrap().iter().find(|one| one["night"] == "2026-06-20").unwrap();
    assert_eq!(
        night["notices"],
        json!({
            "expiry_warning_180d": 1, "expiry_warning_120d": 1, "expiry_warning_90d": 2, "expiry_warning_60d": 1,
            "expiry_warning_30d": 2, "expiry_warning_7d": 2, "expired": 3
        })
    );
    for arguments in [&["forecast", "--days", "10"][..], &["status"]] {
        let mut command = database.certvakt(arguments.iter().copied());
        let output = command.env("CERTVAKT_NOW", NOON).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{arguments:?}: {line}");
        }
    }
    let text = database.ok(["run", "--dry-run", "--date", "2026-06-20"]);
    assert!(text.contains("org: 180 d 1, 120 d 1, 90 d 2, 60 d 1, 30 d 2, 7 d 2, expired 3."), "{text}");
    assert_eq!(database.run("2026-06-20")["recorded"], night["notices"]);
}

/// The number of certifications that are due in each stage, computed one by one in the database.
async fn in_stages(database: &TestDatabase, night: &str) -> Value {
    database
        .value(&format!(
            "select coalesce(jsonb_object_agg(stage, notices), '{{}}') from (
               select s.name as stage, count(*) as notices
               from public.peer_mentor_certifications c
               join certvakt.organisations o on o.id = c.organisation_id
               join certvakt.certification_types t on t.organisation_id = o.id and t.code = c.certification_type
               cross join lateral (select (c.expires_at at time zone o.time_zone)::date - date '{night}' as days_left) d
               join certvakt.stages s on s.days_before = (
                 select min(n) from unnest(-1 || coalesce(t.lead_times, o.lead_times)) n where n >= d.days_left)
               where d.days_left > -31
               group by s.name) due"
        ))
        .await
}

#[tokio::test]
async fn a_large_run_in_two_lanes_records_each_type_once() {
    let database = rehearsal().await;
    for days in ["300", "240", "150", "45", "14", "1"] {
        succeed(&mut as_owner(&database, ["stage", "add", days]));
    }
    add(&database, "all", "300,240,180,150,120,90,60,45,30,14,7,1");
    for (code, lead_times) in [("one", "300"), ("another", "14"), ("few", "240,45"), ("twin", "240,45")] {
        add(&database, code, lead_times);
    }
    let certify = |from: i64| {
        format!(
            "with people as (
               insert into certvakt.people (name) select 'Mentor ' || n from generate_series({from}, {from} + 11999) n
               returning id, substring(name from 8)::int as n)
             insert into public.peer_mentor_certifications
               (organisation_id, chapter_id, peer_mentor_id, certification_type, external_id, expires_at)
             select h.organisation_id, h.id, p.id, (array['type', 'all', 'one', 'another', 'few', 'twin'])[1 + p.n % 6],
               p.n::text, (date '2026-06-15' + p.n / 6 % 345 - 35 + time '12:00') at time zone 'Europe/Oslo'
             from people p, certvakt.chapters h"
        )
    };
    let lanes =
        "select count(distinct xmin::text) from public.cert_notification_log where certification_id in (
                   select id from public.peer_mentor_certifications where external_id::int >=";
    // The first run divides the days that came due, the second one the ids of the changed certifications.
    for (night, from) in [("2026-06-14", 0), ("2026-06-15", 12_000)] {
        database.execute(&certify(from)).await;
        database.execute("analyze").await;
        let earlier: i64 = database.value("select count(*) from public.cert_notification_log").await;
        let run = database.json(["run", "--date", night, "--approve"])["runs"][0].clone();
        assert!(run["recorded"].as_object().unwrap().len() == 13, "{run}");
        let new = database.value::<i64>("select count(*) from public.cert_notification_log").await - earlier;
        assert_eq!(
            positive(&run["recorded"]).as_object().unwrap().values().filter_map(Value::as_i64).sum::<i64>(),
            new
        );
        if from == 0 {
            assert_eq!(positive(&run["recorded"]), in_stages(&database, night).await);
        }
        assert_eq!(database.value::<i64>(&format!("{lanes} {from})")).await, 2, "two lanes");
        database.ok(["verify"]);
        let full =
            database.json(["run", "--full", "--date", night, "--approve"])["runs"][0]["recorded"].clone();
        assert_eq!(positive(&full), json!({}), "{night}");
        let wrong: i64 = database
            .value(
                "select count(*) from public.peer_mentor_certifications c
                 join public.cert_notification_log l on l.certification_id = c.id
                 join certvakt.certification_types t on t.organisation_id = c.organisation_id and t.code = c.certification_type
                 join certvakt.organisations o on o.id = c.organisation_id
                 join certvakt.stages s on s.name = l.notification_type
                 where s.days_before <> all (-1 || coalesce(t.lead_times, o.lead_times))",
            )
            .await;
        assert_eq!(wrong, 0, "notices of stages that the type does not have");
    }
}
