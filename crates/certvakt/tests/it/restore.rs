//! The backup procedures of the runbook.

use std::path::PathBuf;
use std::process::Command;

use sqlx::{AssertSqlSafe, Executor};

use crate::harness::{OWNER, TestDatabase, address, succeed, superuser};

fn program(name: &str) -> PathBuf {
    PathBuf::from(std::env::var("CERTVAKT_TEST_PROGRAMS").expect("run by scripts/with-postgres")).join(name)
}

#[tokio::test]
async fn a_backup_restored_as_another_database_continues_from_its_state() {
    let database = TestDatabase::rehearsal().await;
    database.with_organisation();
    database.certify("1", "2026-06-20").await;
    database.run("2026-06-15");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("backup");

    // Row-level security is forced: only a role that bypasses it can take a backup.
    let backup = format!("{}_backup", database.name);
    let mut server = superuser("postgres").await;
    let make = format!("create role {backup} login bypassrls in role pg_read_all_data");
    server.execute(AssertSqlSafe(make)).await.unwrap();
    let mut dump = Command::new(program("pg_dump"));
    succeed(dump.args(["--format=custom", "--file"]).arg(&file).arg(address(&backup, &database.name)));

    let restored = TestDatabase::empty().await;
    let mut restore = Command::new(program("pg_restore"));
    restore.args(["--exit-on-error", "--dbname"]).arg(address("postgres", &restored.name));
    succeed(restore.arg(&file));

    assert!(
        succeed(
            Command::new(env!("CARGO_BIN_EXE_certvakt"))
                .arg("migrate")
                .env("DATABASE_URL", address(OWNER, &restored.name))
        )
        .contains("up to date")
    );
    restored.ok(["doctor"]);
    restored.ok(["verify"]);
    // The snapshot is not valid here: everything is read, and no notice is repeated.
    restored.certify("2", "2026-06-20").await;
    let run = restored.run("2026-06-15");
    assert_eq!((&run["recorded"]["expiry_warning_7d"], &run["already_recorded"]), (&1.into(), &1.into()));
}
