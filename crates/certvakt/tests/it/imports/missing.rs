//! Certifications that are missing from a register.

use serde_json::json;

use super::{Desk, counts};
use crate::harness::{fail, succeed};

const REGISTER: &str = "id,expires\n1,2027-12-31\n2,2027-12-31\n3,2027-12-31\n";
const WITHOUT_2: &str = "id,expires\n1,2027-12-31\n3,2027-12-31\n";

#[tokio::test]
async fn missing_certifications_are_reported_suspended_or_withdrawn() {
    for (more, change, status) in [
        (&[][..], "report", "active"),
        (&["--missing", "report"], "report", "active"),
        (&["--missing", "suspend"], "suspend", "suspended"),
        (&["--missing", "withdraw"], "withdraw", "suspended"),
    ] {
        let desk = Desk::new().await;
        desk.take(REGISTER, &[]);
        let dry = desk.take(WITHOUT_2, &[more, &["--dry-run"]].concat());
        assert_eq!(dry["missing"]["number"], 1);
        assert_eq!(desk.certifications().await[1], "2 2027-12-31 active", "a dry run changes nothing");
        let imported = desk.take(WITHOUT_2, more);
        assert_eq!(counts(&imported), [0, 0, 2, 0]);
        assert_eq!(
            imported["missing"],
            json!({ "number": 1, "change": change, "kept_for_rejects": false, "first": ["2"] })
        );
        assert_eq!(desk.certifications().await[1], format!("2 2027-12-31 {status}"), "{more:?}");
        let text = succeed(&mut desk.command(&desk.file("register.csv", WITHOUT_2), more));
        // The second time, a suspended one is not missing any more.
        assert_eq!(text.contains("Missing from the file: 1 certification (2)"), status == "active", "{text}");
        // It returns with the register, unless it was withdrawn.
        desk.take(REGISTER, &[]);
        let expected = if change == "withdraw" { "suspended" } else { "active" };
        assert_eq!(desk.certifications().await[1], format!("2 2027-12-31 {expected}"), "{more:?}");
    }
}

#[tokio::test]
async fn a_suspension_by_hand_does_not_end_with_a_register() {
    let desk = Desk::new().await;
    desk.take(REGISTER, &[]);
    desk.take(WITHOUT_2, &["--missing", "suspend"]);
    desk.database.ok(["reinstate", "2"]);
    desk.database.ok(["suspend", "2", "--note", "leave"]);
    assert_eq!(counts(&desk.take(REGISTER, &[])), [0, 0, 3, 0]);
    assert_eq!(desk.certifications().await[1], "2 2027-12-31 suspended");
}

#[tokio::test]
async fn only_the_chapters_and_types_of_the_file_are_covered() {
    let desk = Desk::new().await;
    desk.database.ok(["chapter", "add", "bodo", "--organisation", "org", "--name", "Bodø"]);
    desk.database.ok(["type", "add", "other", "--organisation", "org"]);
    let all = "id,expires,lag,kurs\n1,2027-12-31,chapter,type\n2,2027-12-31,bodo,type\n3,2027-12-31,chapter,other\n\
        4,2027-12-31,chapter,type\n";
    let columns = ["--column", "chapter=lag", "type=kurs"];
    desk.take(all, &columns);
    let next = "id,expires,lag,kurs\n1,2027-12-31,chapter,type\n";
    let imported = desk.take(next, &[&columns[..], &["--missing", "suspend"]].concat());
    assert_eq!(imported["missing"]["first"], json!(["4"]));
    // A mentor who moved to another chapter is not missing.
    let moved = "id,expires,lag,kurs\n1,2027-12-31,chapter,type\n2,2027-12-31,chapter,type\n";
    let imported = desk.take(moved, &[&columns[..], &["--missing", "suspend"]].concat());
    assert_eq!(imported["missing"]["number"], 0);
}

#[tokio::test]
async fn a_file_with_rejected_rows_changes_nobody_unless_requested() {
    let desk = Desk::new().await;
    desk.take(REGISTER, &[]);
    let rejected = "id,expires\n1,2027-12-31\n3,no date\n";
    let imported = desk.take(rejected, &["--missing", "suspend"]);
    assert_eq!(
        imported["missing"],
        json!({ "number": 1, "change": "report", "kept_for_rejects": true, "first": ["2"] })
    );
    assert_eq!(desk.certifications().await[1..], ["2 2027-12-31 active", "3 2027-12-31 active"]);
    let imported = desk.take(rejected, &["--missing", "suspend", "--missing-despite-rejects"]);
    assert_eq!(imported["missing"]["number"], 1);
    assert_eq!(
        desk.certifications().await[1..],
        ["2 2027-12-31 suspended", "3 2027-12-31 active"],
        "a rejected row shows that its certification is still there"
    );
}

#[tokio::test]
async fn too_many_missing_certifications_hold_the_import() {
    let desk = Desk::new().await;
    let limits = ["--limit-floor", "3", "--limit-percent", "10"];
    desk.database.ok([&["organisation", "set", "org"][..], &limits].concat());
    let register = |ids: std::ops::Range<i32>| {
        let rows: Vec<String> = ids.map(|id| format!("{id:02},2027-12-31")).collect();
        format!("id,expires\n{}\n", rows.join("\n"))
    };
    desk.take(register(0..30), &[]);
    let file = desk.file("register.csv", register(4..31));
    assert_eq!(desk.import(&file, &["--dry-run"]).get("hold"), None, "a report is never held");
    let dry = desk.import(&file, &["--missing", "suspend", "--dry-run"]);
    assert_eq!((&dry["hold"]["rule"], &dry["hold"]["of"]), (&json!("missing-share"), &json!(30)));
    let said = fail(&mut desk.command(&file, &["--missing", "suspend"]), 3);
    assert!(
        said.contains("4 of 30 certifications are missing from it, more than 10 % (00; 01; 02)"),
        "{said}"
    );
    assert_eq!(desk.certifications().await.len(), 30, "nothing was imported");
    // At the limit, and with approval.
    let file = desk.file("register.csv", register(3..30));
    assert_eq!(desk.import(&file, &["--missing", "suspend"])["missing"]["number"], 3);
    let file = desk.file("register.csv", register(20..30));
    let imported = desk.import(&file, &["--missing", "withdraw", "--approve"]);
    assert_eq!(imported["missing"]["number"], 20);
    let missing: i64 = desk.database.value("select sum(missing)::bigint from certvakt.imports").await;
    assert_eq!(missing, 23);
}

#[tokio::test]
async fn a_replaced_certification_is_not_missing() {
    let desk = Desk::new().await;
    let more = ["--column", "person_id=medlem", "--one-per-type", "--missing", "suspend"];
    desk.take("id,expires,medlem\nA,2027-06-20,7\n", &more);
    let imported = desk.take("id,expires,medlem\nB,2028-06-20,7\n", &more);
    assert_eq!((&imported["replaced"], &imported["missing"]["number"]), (&json!(1), &json!(0)));
}
