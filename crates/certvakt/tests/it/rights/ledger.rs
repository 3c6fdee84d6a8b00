//! The ledger of erasures.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor};
use uuid::Uuid;

use super::{MARK, TEXTS, UNTIL_TAKEN_OFF, columns_with, ledger, somebody};
use crate::harness::{TestDatabase, fail, superuser};

#[tokio::test]
async fn erased_people_are_erased_again_after_a_restore() {
    let (database, person) = somebody().await;
    let folder = tempfile::tempdir().unwrap();
    let (path, ledger) = ledger(&folder);
    let before = TestDatabase::named(format!("{}_before", database.name));
    let mut server = superuser("postgres").await;
    let copy = format!("create database {} template {} owner certvakt_owner", before.name, database.name);
    server.execute(AssertSqlSafe(copy)).await.unwrap();
    database.ok(["person", "erase", "zqx7-1", "--ledger", &ledger]);
    // A person of another database, and a line that a crash or an editor left.
    let mut lines = format!("{{\"person\":\"{}\",\"erased_at\":\"2026-01-01T00:00:00Z\"}}\nx\n", Uuid::nil());
    lines += &fs::read_to_string(&path).unwrap();
    fs::write(&path, lines).unwrap();
    let replay = |database: &TestDatabase, status: i32| -> Value {
        let arguments = ["person", "erase", "--replay", "--ledger", &ledger, "--output", "json"];
        let done = database.certvakt(arguments).output().unwrap();
        assert_eq!(done.status.code(), Some(status), "{done:?}");
        serde_json::from_slice(&done.stdout).unwrap()
    };
    let expected = json!({ "erased": 1, "before": 0, "unknown": 1, "unreadable_lines": [2], "failed": [] });
    assert_eq!(replay(&before, 1), expected);
    let until_taken_off: BTreeSet<String> = UNTIL_TAKEN_OFF.iter().map(ToString::to_string).collect();
    assert_eq!(columns_with(&before, TEXTS, Some(MARK)).await, until_taken_off);
    let name: Option<String> =
        before.value(&format!("select name from certvakt.people where id = '{person}'")).await;
    assert_eq!(name, None);
    assert_eq!(before.json(["verify", "--history"])["faults"], json!([]));
    // Again, and there is nothing left to do.
    fs::write(&path, fs::read_to_string(&path).unwrap().replace("x\n", "")).unwrap();
    assert_eq!(replay(&before, 0)["before"], 1);
}

#[tokio::test]
async fn nobody_is_erased_without_a_ledger_entry() {
    let (database, person) = somebody().await;
    let folder = tempfile::tempdir().unwrap();
    let (path, ledger) = ledger(&folder);
    for (arguments, status, code) in [
        (&["person", "erase", "zqx7-1"][..], 2, "ledger-missing"),
        (&["person", "erase", "zqx7-1", "--ledger", "/no/such/folder/erased"], 2, "ledger-not-writable"),
        (&["person", "erase", "--replay", "--ledger", &ledger], 5, "file-unreadable"),
        (&["person", "erase", "nobody", "--ledger", &ledger], 2, "unknown-name"),
        (&["person", "export", "nobody"], 2, "unknown-name"),
    ] {
        let said = fail(&mut database.certvakt(arguments.iter().copied()), status);
        assert!(said.contains(code), "{arguments:?}: {said}");
    }
    let name: Option<String> =
        database.value(&format!("select name from certvakt.people where id = '{person}'")).await;
    assert_eq!(name.as_deref(), Some("Åse zqx7"));
    // A line that a crash left incomplete must not swallow the next one.
    fs::write(&path, "{\"person\":").unwrap();
    database.ok(["person", "erase", "zqx7-1", "--ledger", &ledger]);
    let lines = fs::read_to_string(&path).unwrap();
    assert_eq!(lines.lines().count(), 2, "{lines}");
    assert!(serde_json::from_str::<Value>(lines.lines().last().unwrap()).is_ok(), "{lines}");
}
