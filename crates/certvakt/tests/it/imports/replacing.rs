//! Columns for suspensions and for replaced certifications.

use serde_json::json;

use super::{Desk, counts, rejects, take_in};

#[tokio::test]
async fn a_column_gives_the_last_day_of_a_suspension() {
    let desk = Desk::new().await;
    let import = |rows: &str| {
        let file = desk.file("register.csv", format!("id,expires,permisjon\n{rows}"));
        let mut command = desk.command(&file, &["--column", "suspended_until=permisjon"]);
        take_in(command.env("CERTVAKT_NOW", "2026-06-15T12:00:00Z"))
    };
    let rows = "1,2027-12-31,2026-06-15\n2,2027-12-31,2026-06-14\n3,2027-12-31,\n4,2027-12-31,31.08.2026\n";
    assert_eq!(counts(&import(rows)), [4, 0, 0, 0]);
    let states = "select concat_ws(' ', external_id, status, suspended_until)
        from public.peer_mentor_certifications order by external_id";
    assert_eq!(
        desk.rows(states).await,
        ["1 suspended 2026-06-15", "2 active", "3 active", "4 suspended 2026-08-31"]
    );
    assert_eq!(counts(&import(rows)), [0, 0, 4, 0]);
    desk.database.ok(["suspend", "3", "--note", "by hand"]);
    // The register ends and moves its own suspensions, and leaves one that has no end.
    assert_eq!(
        counts(&import("1,2027-12-31,\n2,2027-12-31,\n3,2027-12-31,\n4,2027-12-31,2026-09-30\n")),
        [0, 2, 2, 0]
    );
    assert_eq!(desk.rows(states).await, ["1 active", "2 active", "3 suspended", "4 suspended 2026-09-30"]);
}

#[tokio::test]
async fn a_new_number_replaces_the_old_one() {
    let desk = Desk::new().await;
    let more = ["--column", "person_id=medlem"];
    desk.take("id,expires,medlem\nA,2026-06-20,7\nB,2026-06-20,8\n", &more);
    let replaced = "select concat_ws(' ', c.external_id, c.status, s.external_id)
        from public.peer_mentor_certifications c left join certvakt.replacements r on r.certification_id = c.id
        left join public.peer_mentor_certifications s on s.id = r.successor_id order by c.external_id";
    // Only on request.
    desk.take("id,expires,medlem\nC,2028-06-20,7\n", &more);
    assert_eq!(desk.rows(replaced).await, ["A active", "B active", "C active"]);
    let once = [&more[..], &["--one-per-type"]].concat();
    let register = "id,expires,medlem\nA,2026-06-20,7\nC,2028-06-20,7\nB,2026-06-20,8\n";
    let imported = desk.take(register, &once);
    assert_eq!((counts(&imported), &imported["replaced"]), ([0, 0, 3, 0], &json!(1)));
    assert_eq!(desk.rows(replaced).await, ["A suspended C", "B active", "C active"]);
    assert_eq!(desk.take(register, &once)["replaced"], 0, "the same again changes nothing");
    assert_eq!(desk.rows(replaced).await, ["A suspended C", "B active", "C active"]);
    // A replaced certification has no more notices, and says why.
    let run = desk.database.at("2026-06-15T12:00:00Z", ["run"]);
    assert!(!run.is_empty());
    let noticed = desk
        .rows(
            "select c.external_id from public.cert_notification_log l
             join public.peer_mentor_certifications c on c.id = l.certification_id",
        )
        .await;
    assert_eq!(noticed, ["B"]);
    let explained = desk.database.at("2026-06-15T12:00:00Z", ["explain", "A"]);
    assert!(explained.contains("replaced by C"), "{explained}");
}

#[tokio::test]
async fn a_column_names_the_replaced_number() {
    let desk = Desk::new().await;
    desk.take("id,expires\nA,2026-06-20\nB,2026-06-20\n", &[]);
    let more = ["--column", "replaces=erstatter"];
    let register =
        "id,expires,erstatter\nC,2028-06-20,A\nD,2028-06-20,unknown\nE,2028-06-20,E\nB,2026-06-20,\n";
    let imported = desk.take(register, &more);
    assert_eq!((counts(&imported), &imported["replaced"]), ([2, 0, 1, 1], &json!(1)), "{imported}");
    assert_eq!(
        desk.placed().await,
        ["A chapter type A", "B chapter type B", "C chapter type A", "D chapter type D"],
        "the new number belongs to the same person"
    );
    assert_eq!(desk.take(register, &more)["replaced"], 0);
    // Two numbers that name each other stay.
    let imported = desk.take("id,expires,erstatter\nB,2026-06-20,D\nD,2028-06-20,B\n", &more);
    assert_eq!(imported["replaced"], 0);
}

#[tokio::test]
async fn a_number_of_somebody_else_is_not_replaced() {
    let desk = Desk::new().await;
    let more = ["--column", "person_id=medlem", "replaces=erstatter", "name=name"];
    desk.take("id,expires,medlem,erstatter,name\nA,2026-06-20,P1,,Åse\nB,2026-06-20,P2,,Bo\n", &more);
    // A new number and a known one, which name the number of another person.
    let wrong = "id,expires,medlem,erstatter,name\nC,2028-06-20,P3,A,Chris\nB,2026-06-20,P2,A,Bo\n";
    let imported = desk.take(wrong, &more);
    assert_eq!((counts(&imported), &imported["replaced"]), ([0, 0, 0, 2], &json!(0)), "{imported}");
    assert!(rejects(&imported).iter().all(|(_, column, _)| column == "replaces"), "{imported}");
    assert_eq!(desk.certifications().await, ["A 2026-06-20 active Åse", "B 2026-06-20 active Bo"]);
    // Without ids of people, both numbers can be new.
    let imported = desk
        .take("id,expires,erstatter\nY,2028-06-20,X\nX,2026-06-20,\n", &["--column", "replaces=erstatter"]);
    assert_eq!((counts(&imported), &imported["replaced"]), ([2, 0, 0, 0], &json!(1)));
    assert_eq!(desk.certifications().await[2..], ["X 2026-06-20 suspended", "Y 2028-06-20 active"]);
    // A placeholder is nobody's number, and makes nobody one person.
    let register = "id,expires,erstatter,name\nP,2028-06-20,0,Per\nQ,2028-06-20,0,Qi\n";
    desk.take(register, &["--column", "replaces=erstatter", "name=name"]);
    assert_eq!(desk.certifications().await[2..4], ["P 2028-06-20 active Per", "Q 2028-06-20 active Qi"]);
}

#[tokio::test]
async fn a_valid_certification_is_not_replaced_by_a_suspended_or_unlisted_one() {
    let desk = Desk::new().await;
    let more = ["--column", "person_id=medlem", "status=status", "--one-per-type"];
    let imported = desk.take(
        "id,expires,medlem,status\nA,2027-06-30,7,active\nB,,7,cancelled\nC,2027-06-30,8,active\n",
        &more,
    );
    assert_eq!(imported["replaced"], 1);
    assert_eq!(
        desk.certifications().await,
        ["A 2027-06-30 active", "B never suspended", "C 2027-06-30 active"]
    );
    // The number in the register counts, even if a known one expires later.
    let imported = desk.take("id,expires,medlem,status\nD,2026-12-31,8,active\n", &more);
    assert_eq!(imported["replaced"], 1);
    assert_eq!(desk.certifications().await[2..], ["C 2027-06-30 suspended", "D 2026-12-31 active"]);
}

#[tokio::test]
async fn a_suspension_that_is_over_stays_over() {
    let desk = Desk::new().await;
    let import = |now: &str| {
        let file = desk.file("register.csv", "id,expires,status,til\n1,2027-12-31,Permisjon,2026-12-31\n");
        let mut command = desk.command(&file, &["--column", "status=status", "suspended_until=til"]);
        take_in(command.env("CERTVAKT_NOW", now))
    };
    import("2026-12-15T12:00:00Z");
    assert_eq!(desk.certifications().await, ["1 2027-12-31 suspended"]);
    desk.database.at("2027-01-01T12:00:00+01:00", ["run"]);
    assert_eq!(desk.certifications().await, ["1 2027-12-31 active"]);
    assert_eq!(counts(&import("2027-01-05T12:00:00Z")), [0, 0, 1, 0]);
    assert_eq!(desk.certifications().await, ["1 2027-12-31 active"]);
}

#[tokio::test]
async fn an_erased_person_does_not_come_back_as_replaced() {
    let desk = Desk::new().await;
    desk.take("id,expires\nA,2027-12-31\n", &[]);
    let ledger = desk.folder.path().join("erased");
    desk.database.ok(["person", "erase", "A", "--ledger", ledger.to_str().unwrap()]);
    let imported = desk.take("id,expires,erstatter\nB,2028-12-31,A\n", &["--column", "replaces=erstatter"]);
    assert_eq!((counts(&imported), rejects(&imported)[0].1.as_str()), ([0, 0, 0, 1], "replaces"));
}

#[tokio::test]
async fn a_new_number_does_not_repeat_a_notice_of_the_old_one() {
    let desk = Desk::new().await;
    desk.take("id,expires\nA,2026-07-10\n", &[]);
    desk.database.run("2026-06-15");
    desk.database
        .execute(
            "update certvakt.deliveries set state = 'delivered', finished_at = now(), available_at = null",
        )
        .await;
    let imported = desk.take("id,expires,erstatter\nX,2026-07-10,A\n", &["--column", "replaces=erstatter"]);
    assert_eq!(imported["replaced"], 1);
    let notices =
        || desk.rows("select l.notification_type from public.cert_notification_log l order by l.id");
    desk.database.run("2026-06-16");
    assert_eq!(notices().await, ["expiry_warning_30d"], "the mentor knows already");
    // The next stage is a new one, and so is the same stage of a later date.
    desk.database.run("2026-07-03");
    assert_eq!(notices().await, ["expiry_warning_30d", "expiry_warning_7d"]);
}

#[tokio::test]
async fn a_lapsed_number_or_a_rejected_row_replaces_nothing_valid() {
    let desk = Desk::new().await;
    let once = ["--column", "person_id=medlem", "--one-per-type"];
    desk.take("id,expires,medlem\nB,2030-12-31,7\n", &once);
    desk.take("id,expires,medlem\nA,2024-12-31,7\n", &once);
    assert_eq!(desk.certifications().await, ["A 2024-12-31 suspended", "B 2030-12-31 active"]);
    let imported = desk.take("id,expires,medlem\nC,2029-12-31,7\nB,31.13.2030,7\n", &once);
    assert_eq!((counts(&imported), &imported["replaced"]), ([1, 0, 0, 1], &json!(0)));
    // The column counts more than the date.
    let both = [&once[..], &["--column", "replaces=erstatter"]].concat();
    let imported = desk.take("id,expires,medlem,erstatter\nE,2031-12-31,8,\nF,2030-12-31,8,E\n", &both);
    assert_eq!(imported["replaced"], 1);
    assert_eq!(desk.certifications().await[3..], ["E 2031-12-31 suspended", "F 2030-12-31 active"]);
}

#[tokio::test]
async fn a_chain_of_numbers_leads_to_the_newest() {
    let desk = Desk::new().await;
    let more = ["--column", "replaces=erstatter"];
    desk.take("id,expires,erstatter\nA,2027-06-20,\nB,2028-06-20,A\n", &more);
    desk.take("id,expires,erstatter\nB,2028-06-20,A\nC,2029-06-20,B\n", &more);
    for old in ["A", "B"] {
        let explained = desk.database.ok(["explain", old]);
        assert!(explained.contains("replaced by C"), "{explained}");
    }
}

#[tokio::test]
async fn a_status_suspends_in_spite_of_a_leave_long_ago() {
    let desk = Desk::new().await;
    let more = ["--column", "status=status", "suspended_until=til"];
    desk.take("id,expires,status,til\n1,2030-12-31,active,\n2,2030-12-31,active,\n", &more);
    desk.database.ok(["suspend", "2"]);
    desk.take(
        "id,expires,status,til\n1,2030-12-31,Sluttet,2020-03-01\n2,2030-12-31,active,2020-03-01\n3,,Sluttet,2020-03-01\n",
        &more,
    );
    assert_eq!(
        desk.certifications().await,
        ["1 2030-12-31 suspended", "2 2030-12-31 active", "3 never suspended"]
    );
}
