//! The effects of a register's rows.

use std::fs;

use serde_json::{Value, json};

use super::{Desk, counts, rejects, take_in};
use crate::harness::{fail, succeed};

#[tokio::test]
async fn rejected_rows_have_a_reason_and_the_others_are_imported() {
    let desk = Desk::new().await;
    let rejected = desk.folder.path().join("rejected.csv");
    let register = [
        "id,expires,issued,mail,name",
        "1,2026-12-31,2024-12-31,a@example.org,Åse",
        ",2026-12-31,,,no id",
        "3,,,,no date",
        "4,01/02/2026,,,two days",
        "5,2026-12-31,2027-01-01,,issued after the end",
        "6,2026-12-31,,nobody,no mail address",
        "7,2026-12-31,,,01017000027",
        "1,2027-12-31,,,twice",
        "9,2026-12-31",
        "10,30.02.2026,,,no such day",
    ]
    .join("\n");
    let more = [
        "--column",
        "issued_at=issued",
        "--column",
        "email=mail",
        "--column",
        "name=name",
        "--rejects",
        rejected.to_str().unwrap(),
    ];
    let number = national_number();
    let imported = desk.take(register.replace("01017000027", &number), &more);
    assert_eq!((counts(&imported), &imported["contacts_rejected"]), ([3, 0, 0, 6], &json!(1)));
    assert_eq!(imported["duplicate"], 1);
    let found = rejects(&imported);
    assert_eq!(found.len(), 8);
    for ((line, column, reason), (at, field, because)) in found.iter().zip([
        (2, "external_id", "given twice: line 9 counts"),
        (3, "external_id", "blank"),
        (4, "expires_at", "--blank-expires"),
        (5, "expires_at", "--date-format"),
        (6, "expires_at", "before the day of issue"),
        (7, "email", "not a valid e-mail address"),
        (8, "name", "national identity number"),
        (11, "expires_at", "the day does not exist"),
    ]) {
        assert_eq!((*line, column.as_str()), (at, field));
        assert!(reason.contains(because), "line {line}: {reason}");
    }
    let written = fs::read_to_string(&rejected).unwrap();
    assert_eq!(written.lines().next(), Some("line,column,reason,external_id,row_imported"));
    assert_eq!(written.lines().count(), 9);
    assert!(!written.contains(&number), "nobody's number is kept");
    assert_eq!(
        desk.certifications().await,
        ["1 2027-12-31 active twice", "6 2026-12-31 active no mail address", "9 2026-12-31 active"]
    );
    // The same again: nothing changes, the same rows are rejected.
    assert_eq!(counts(&desk.take(register.replace("01017000027", &number), &more)), [0, 0, 3, 6]);
}

/// A valid synthetic national identity number, whose month is moved by 80.
fn national_number() -> String {
    let weights = [[3, 7, 6, 1, 8, 9, 4, 5, 2, 1, 0], [5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]];
    (0..100_000)
        .map(|tail| format!("018170{tail:05}"))
        .find(|number| {
            weights.iter().all(|weights| {
                let digits = number.bytes().map(|digit| u32::from(digit - b'0'));
                weights.iter().zip(digits).map(|(weight, digit)| weight * digit).sum::<u32>() % 11 == 0
            })
        })
        .unwrap()
}

#[tokio::test]
async fn ambiguous_dates_need_a_form_and_a_month_means_its_last_day() {
    let desk = Desk::new().await;
    let register = "id,expires\n1,01/02/2027\n2,02/2028\n";
    assert_eq!(counts(&desk.take(register, &[])), [1, 0, 0, 1]);
    assert_eq!(counts(&desk.take(register, &["--date-format", "MM/DD/YYYY"])), [1, 0, 1, 0]);
    assert_eq!(desk.certifications().await, ["1 2027-01-02 active", "2 2028-02-29 active"]);
    let said = fail(&mut desk.command(&desk.file("r.csv", register), &["--date-format", "D.M.Y"]), 2);
    assert!(said.contains("YYYY"), "{said}");
}

#[tokio::test]
async fn a_register_that_comes_again_renews_and_corrects() {
    let desk = Desk::new().await;
    let first = "id,expires\n1,2026-12-31\n2,2026-12-31\n3,2026-12-31\n";
    let second = "id,expires\n1,2028-12-31\n2,2026-11-30\n3,2026-12-31\n";
    assert_eq!(counts(&desk.take(first, &[])), [3, 0, 0, 0]);
    assert_eq!(counts(&desk.take(first, &[])), [0, 0, 3, 0]);

    let dry = desk.take(second, &["--dry-run"]);
    assert_eq!((&dry["renewed"], &dry["corrected"]), (&json!(1), &json!(1)));
    assert_eq!(desk.certifications().await[0], "1 2026-12-31 active", "a dry run changes nothing");
    let dry = desk.take(second, &["--dry-run", "--dates-are", "corrections"]);
    assert_eq!((&dry["renewed"], &dry["corrected"]), (&json!(0), &json!(2)));

    let imported = desk.take(second, &[]);
    assert_eq!(counts(&imported), [0, 2, 1, 0]);
    let kinds: String = desk
        .database
        .value(
            "select string_agg(c.external_id || ' ' || k.kind, ', ' order by c.external_id)
             from certvakt.certification_changes k join public.peer_mentor_certifications c on c.id = k.certification_id
             where k.kind <> 'recorded'",
        )
        .await;
    assert_eq!(kinds, "1 renewed, 2 corrected");
}

#[tokio::test]
async fn an_expired_certification_is_active_again_once_renewed() {
    let desk = Desk::new().await;
    desk.take("id,expires\n1,2026-06-14\n", &[]);
    desk.database.run("2026-06-15");
    assert_eq!(desk.certifications().await, ["1 2026-06-14 expired"]);
    desk.take("id,expires\n1,2026-06-14\n", &[]);
    assert_eq!(desk.certifications().await, ["1 2026-06-14 expired"], "the same register revives nobody");
    desk.take("id,expires\n1,2028-06-14\n", &[]);
    assert_eq!(desk.certifications().await, ["1 2028-06-14 active"]);
}

#[tokio::test]
async fn a_status_column_suspends_and_reinstates() {
    let desk = Desk::new().await;
    let status = ["--column", "status=status", "--active-status", "ACTIVE"];
    desk.take("id,expires,status\n1,2026-12-31,Active\n2,2026-12-31,REVOKED\n3,,REVOKED\n", &status);
    assert_eq!(
        desk.certifications().await,
        ["1 2026-12-31 active", "2 2026-12-31 suspended", "3 never suspended"]
    );
    let imported =
        desk.take("id,expires,status\n1,2026-12-31,\n2,2026-12-31,active\n3,2026-12-31,active\n", &status);
    assert_eq!(counts(&imported), [0, 3, 0, 0]);
    assert_eq!(
        desk.certifications().await,
        ["1 2026-12-31 suspended", "2 2026-12-31 active", "3 2026-12-31 active"]
    );
}

#[tokio::test]
async fn a_device_is_one_persons_and_a_new_mail_address_takes_the_old_ones_place() {
    let desk = Desk::new().await;
    let contacts = ["--column", "email=mail", "--column", "push_token=device"];
    let points = "select string_agg(c.external_id || ' ' || k.kind || ' ' || k.address, ', ' order by c.external_id, k.kind, k.address)
        from certvakt.contact_points k join public.peer_mentor_certifications c on c.peer_mentor_id = k.person_id";
    desk.take(
        "id,expires,mail,device\n1,2026-12-31,a@example.org,d1\n2,2026-12-31,b@example.org,d2\n",
        &contacts,
    );
    let imported = desk.take(
        "id,expires,mail,device\n1,2026-12-31,c@example.org,d1\n2,2026-12-31,b@example.org,d1\n",
        &contacts,
    );
    // A device that a register gives to two people belongs to neither.
    assert_eq!((counts(&imported), &imported["contacts_rejected"]), ([0, 1, 1, 0], &json!(2)));
    let found: String = desk.database.value(points).await;
    assert_eq!(found, "1 email c@example.org, 1 push d1, 2 email b@example.org, 2 push d2");

    // A device that another organisation knows cannot be taken over.
    let database = &desk.database;
    database.add_organisation("other", "Europe/Oslo");
    let register = desk.file("other.csv", "id,expires,device\n1,2026-12-31,d1\n");
    take_in(&mut desk.command_for("other", "type", &register, &["--column", "push_token=device"]));
    let holders: i64 =
        database.value("select count(*) from certvakt.contact_points where address = 'd1'").await;
    assert_eq!(holders, 2);
}

#[tokio::test]
async fn one_register_never_touches_another_organisations_people() {
    let desk = Desk::new().await;
    let database = &desk.database;
    database.add_organisation("other", "Europe/Oslo");
    let register = desk.file("register.csv", "id,expires,name\n1,2026-12-31,Åse\n");
    desk.import(&register, &["--column", "name=name"]);
    take_in(&mut desk.command_for("other", "type", &register, &[]));
    let people: i64 = database.value("select count(*) from certvakt.people").await;
    assert_eq!(people, 2, "the same id in another organisation is somebody else");
    // Rows of two types in one organisation belong to the same person.
    database.ok(["type", "add", "second", "--organisation", "org", "--name", "Second"]);
    take_in(&mut desk.command_for("org", "second", &register, &[]));
    let people: i64 = database.value("select count(*) from certvakt.people").await;
    assert_eq!(people, 2);
}

#[tokio::test]
async fn hostile_contents_are_only_text() {
    let desk = Desk::new().await;
    let name = "'; drop table certvakt.people; -- \\N \\t %s {{x}} <script>";
    let register =
        format!("id,expires,name\n\\.,2026-12-31,\"{name}\"\n\\N,2026-12-31,x\n3,2026-12-31,\u{202e}\n");
    let imported = desk.take(register, &["--column", "name=name"]);
    assert_eq!(counts(&imported), [2, 0, 0, 1]);
    let names: Vec<String> = desk.certifications().await;
    assert!(names.iter().any(|row| row.starts_with("\\.") && row.ends_with(name)), "{names:?}");
    assert!(names.iter().any(|row| row.starts_with("\\N ")), "{names:?}");
    let long = format!("id,expires,name\n4,2026-12-31,{}\n", "x".repeat(201));
    assert!(rejects(&desk.take(long, &["--column", "name=name"]))[0].2.contains("too long"));
    let controls = "id,expires,name\n5,2026-12-31,\"a\nb\"\n";
    assert!(rejects(&desk.take(controls, &["--column", "name=name"]))[0].2.contains("control characters"));
}

#[tokio::test]
async fn rows_that_the_schema_could_not_hold_are_rejected_like_any_other() {
    let desk = Desk::new().await;
    let database = &desk.database;
    database.add_organisation("far", "America/New_York");
    let token = "t".repeat(3000);
    let register = desk.file(
        "far.csv",
        format!("id,expires,device\n1,9998-12-31,\n2,2026-12-31,{token}\n3,2026-12-31,æ\n4,1900-01-01,\n"),
    );
    let imported =
        take_in(&mut desk.command_for("far", "type", &register, &["--column", "push_token=device"]));
    assert_eq!((counts(&imported), &imported["contacts_rejected"]), ([3, 0, 0, 1], &json!(2)));
}

#[tokio::test]
async fn two_imports_of_one_register_at_once_take_everybody_once() {
    let desk = Desk::new().await;
    let rows: Vec<String> = (0..3_000).map(|number| format!("{number},2026-12-31")).collect();
    let register = desk.file("register.csv", format!("id,expires\n{}\n", rows.join("\n")));
    let imports: Vec<_> = (0..2)
        .map(|_| {
            let mut command = desk.command(&register, &["--output", "json"]);
            command.stdout(std::process::Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let added: i64 = imports
        .into_iter()
        .map(|import| {
            let output = import.wait_with_output().unwrap();
            assert!(output.status.success());
            let imported: Value = serde_json::from_slice(&output.stdout).unwrap();
            imported["added"].as_i64().unwrap()
        })
        .sum();
    assert_eq!(added, 3_000);
}

#[tokio::test]
async fn a_server_that_goes_away_in_the_middle_leaves_nothing_behind() {
    let desk = Desk::new().await;
    let register = desk.file("register.csv", "id,expires\n1,2026-12-31\n");
    let blocked = desk
        .database
        .blocked_at("public.peer_mentor_certifications", &mut desk.command(&register, &[]))
        .await;
    let said = blocked.cut_off(4).await;
    assert!(said.contains("database-unreachable") && said.contains("nothing was changed halfway"), "{said}");
    assert!(desk.is_empty().await);
}

#[tokio::test]
async fn ids_that_look_alike_are_one_person_or_rejected() {
    let desk = Desk::new().await;
    assert_eq!(counts(&desk.take("id,expires\nÅ 1,2027-12-31\n", &[])), [1, 0, 0, 0]);
    for id in [
        "A\u{30a} 1",
        "\u{212b} 1",
        "Å\u{a0}1",
        "Å\u{202f}1",
        "\u{200b}Å 1",
        "Å\u{ad} 1",
        "Å  1",
        "Å 1\u{2060}",
        "Å １",
    ] {
        let imported = desk.take(format!("id,expires\n{id},2027-12-31\n"), &[]);
        assert_eq!(counts(&imported), [0, 0, 1, 0], "{id:?}");
        let imported = desk.take(format!("id,expires\nÅ 1,2027-12-31\n{id},2027-12-31\n"), &[]);
        assert_eq!((counts(&imported), &imported["duplicate"]), ([0, 0, 1, 0], &json!(1)), "{id:?}");
    }
    for id in [
        "Å\u{202e}1",
        "Å\u{2066}1",
        "Å\u{7f}1",
        "Å\u{85}1",
        "\u{200b}",
        "Å\u{fff9}1",
        "1.23457E+15",
        "1,2E+7",
    ] {
        assert_eq!(counts(&desk.take(format!("id,expires\n{id},2027-12-31\n"), &[])), [0, 0, 0, 1], "{id:?}");
    }
    let people: i64 = desk.database.value("select count(*) from certvakt.people").await;
    assert_eq!(people, 1);
}

#[tokio::test]
async fn an_id_of_a_register_is_found_in_any_form() {
    let desk = Desk::new().await;
    let database = &desk.database;
    desk.take("id,expires\nA\u{2013}1,2027-12-31\n", &[]);
    // An app stores ids as they are.
    database.certify("B\u{2011}2", "2027-12-31").await;
    for (id, expected) in
        [("A-1", "A-1"), ("A\u{2011}1", "A-1"), (" \u{ff21}-\u{ff11}", "A-1"), ("B\u{2011}2", "B\u{2011}2")]
    {
        let found = database.json(["explain", id]);
        assert_eq!(found["certifications"][0]["external_id"], expected, "{id:?}");
        database.ok(["suspend", id]);
        database.ok(["reinstate", id]);
        database.ok(["person", "opt-out", id, "email"]);
    }
    assert!(fail(&mut database.certvakt(["explain", "B-2"]), 2).contains("'B-2'"));
    database.ok(["partner", "add", "portal", "--organisation", "org", "--requires", "type"]);
    let file = desk.file("mentors.csv", "mentor,key\nA\u{2011}1,M-1\nB\u{2011}2,M-2\n");
    let enrol = ["partner", "enrol", "portal", "--organisation", "org", "--file", file.to_str().unwrap()];
    assert_eq!(database.json(enrol)["enrolled"], 2);
}

#[tokio::test]
async fn a_status_means_the_same_in_any_case_and_any_form() {
    let desk = Desk::new().await;
    let status = ["--column", "status=status", "--active-status", "løpende", "--active-status", "Åpen"];
    let register = "id,expires,status\n1,2027-12-31,LØPENDE\n2,2027-12-31,A\u{30a}PEN\n3,2027-12-31,løpende\u{a0}\n\
        4,2027-12-31,lopende\n";
    desk.take(register, &status);
    assert_eq!(
        desk.certifications().await,
        ["1 2027-12-31 active", "2 2027-12-31 active", "3 2027-12-31 active", "4 2027-12-31 suspended"]
    );
}

#[tokio::test]
async fn of_several_rows_with_one_id_the_latest_expiry_counts_in_any_order() {
    let rows = [
        "1,2026-12-31,active,first",
        "1,2027-12-31,active,latest",
        "1,,revoked,suspended",
        "1,2027-12-31,active,also",
    ];
    let more = ["--column", "status=status", "name=name"];
    for turn in 0..rows.len() {
        let desk = Desk::new().await;
        let (before, after) = rows.split_at(turn);
        let register = format!("id,expires,status,name\n{}\n", [after, before].concat().join("\n"));
        let imported = desk.take(register, &more);
        assert_eq!((counts(&imported), &imported["duplicate"]), ([1, 0, 0, 0], &json!(3)), "{turn}");
        assert_eq!(desk.certifications().await, ["1 2027-12-31 active also"], "{turn}");
        assert!(
            rejects(&imported)
                .iter()
                .all(|(_, column, reason)| column == "external_id" && reason.contains("counts"))
        );
    }
    // A row without a date never expires, so it counts; of two rows with the same date, the suspended one counts.
    let desk = Desk::new().await;
    desk.take("id,expires\n1,2027-12-31\n1,\n", &["--blank-expires", "never"]);
    desk.take(
        "id,expires,status\n2,2027-12-31,active\n2,2027-12-31,revoked\n",
        &["--column", "status=status"],
    );
    assert_eq!(desk.certifications().await, ["1 never active", "2 2027-12-31 suspended"]);
}

#[tokio::test]
async fn years_of_another_century_or_calendar_are_rejected() {
    let desk = Desk::new().await;
    for (expires, is_taken) in [
        ("1899-12-31", false),
        ("1900-01-01", true),
        ("2076-12-31", true),
        ("2077-01-01", false),
        ("2206-12-31", false),
        ("2569-12-31", false),
        ("9998-12-31", false),
        ("0026-12-31", false),
    ] {
        let mut command =
            desk.command(&desk.file("r.csv", format!("id,expires\n1,{expires}\n")), &["--dry-run"]);
        let imported = take_in(command.env("CERTVAKT_NOW", "2026-06-01T10:00:00Z"));
        assert_eq!(counts(&imported)[3] == 0, is_taken, "{expires}");
    }
    let issued = desk.take("id,expires,issued\n1,2027-12-31,2569-01-01\n", &["--column", "issued_at=issued"]);
    assert_eq!(rejects(&issued)[0].1, "issued_at");
}

#[tokio::test]
async fn an_instant_that_could_mean_two_days_needs_a_rule() {
    let desk = Desk::new().await;
    // Midnight in Oslo, as a program in London writes it.
    let register = "id,expires\n1,2026-12-31T23:00:00Z\n2,2026-12-31T12:00:00Z\n";
    let imported = desk.take(register, &["--dry-run"]);
    assert_eq!(counts(&imported), [1, 0, 0, 1]);
    assert!(rejects(&imported)[0].2.contains("--instant-day"), "{imported}");
    for (rule, expected) in [("local", "1 2027-01-01 active"), ("written", "1 2026-12-31 active")] {
        desk.take(register, &["--instant-day", rule]);
        assert_eq!(desk.certifications().await, [expected, "2 2026-12-31 active"]);
    }
}

#[tokio::test]
async fn an_invalid_contact_does_not_reject_its_row() {
    let desk = Desk::new().await;
    let contacts = ["--column", "email=mail", "--column", "push_token=device"];
    let token = "t".repeat(3000);
    let register = format!(
        "id,expires,mail,device\n1,2027-12-31,a@example.org,d1\n2,2027-12-31,nobody,d2\n3,2027-12-31,b@example.org,{token}\n\
         4,2027-12-31,#N/A,two words\n"
    );
    for turn in [[4, 0, 0, 0], [0, 0, 4, 0]] {
        let imported = desk.take(&register, &contacts);
        assert_eq!((counts(&imported), &imported["contacts_rejected"]), (turn, &json!(4)));
        let found: Vec<(i64, String)> =
            rejects(&imported).into_iter().map(|(line, column, _)| (line, column)).collect();
        let expected = [(3, "email"), (4, "push_token"), (5, "email"), (5, "push_token")];
        assert_eq!(found, expected.map(|(line, column)| (line, column.to_owned())));
        assert!(imported["rejects"].as_array().unwrap().iter().all(|one| one["is_row_imported"] == true));
    }
    let file = desk.file("r.csv", &register);
    let said = succeed(&mut desk.command(&file, &contacts));
    assert!(said.contains("4 contacts cannot be used; the rows were imported without them."), "{said}");
    let said = succeed(desk.command(&file, &contacts).arg("--dry-run"));
    assert!(said.contains("4 contacts cannot be used; the rows would be imported without them."), "{said}");
    let points: i64 = desk.database.value("select count(*) from certvakt.contact_points").await;
    assert_eq!(points, 4);
}
