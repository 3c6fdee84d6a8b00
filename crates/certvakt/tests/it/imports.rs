//! Imports of registers: every encoding and format, every row accounted for, without duplicates.

pub mod binary;
mod brake;
mod columns;
mod days;
mod ended;
mod forms;
mod fuzz;
mod guess;
mod layouts;
mod missing;
pub mod opendocument;
mod replacing;
mod rows;
mod shared;
mod undo;
pub mod workbooks;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{TestDatabase, succeed};

/// A database with an organisation, and a folder for registers.
struct Desk {
    database: TestDatabase,
    folder: TempDir,
}

impl Desk {
    async fn new() -> Self {
        let database = TestDatabase::rehearsal().await;
        database.with_organisation();
        Self { database, folder: tempfile::tempdir().unwrap() }
    }

    fn file(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, contents).unwrap();
        path
    }

    /// `import` of a file with the columns `id` and `expires`, and additional arguments.
    fn command(&self, file: &Path, more: &[&str]) -> Command {
        self.command_for("org", "type", file, more)
    }

    fn command_for(&self, organisation: &str, kind: &str, file: &Path, more: &[&str]) -> Command {
        let mut command = self.database.certvakt(["import", file.to_str().unwrap()]);
        command.args(["--organisation", organisation, "--chapter", "chapter", "--type", kind]);
        command.args(["--column", "external_id=id", "expires_at=expires"]).args(more);
        command
    }

    /// Runs an import; every row must be accounted for.
    fn import(&self, file: &Path, more: &[&str]) -> Value {
        take_in(&mut self.command(file, more))
    }

    fn take(&self, contents: impl AsRef<[u8]>, more: &[&str]) -> Value {
        self.import(&self.file("register.csv", contents), more)
    }

    /// Every certification: its id, its last valid day in Oslo, status and mentor's name.
    async fn certifications(&self) -> Vec<String> {
        let rows: Option<String> = self
            .database
            .value(
                "select string_agg(concat_ws(' ', c.external_id,
                   coalesce((c.expires_at at time zone 'Europe/Oslo')::date::text, 'never'), c.status, p.name), e'\\n'
                   order by c.external_id)
                 from public.peer_mentor_certifications c left join certvakt.person_names p
                   on p.person_id = c.peer_mentor_id and p.organisation_id = c.organisation_id",
            )
            .await;
        rows.unwrap_or_default().lines().map(str::to_owned).collect()
    }

    async fn is_empty(&self) -> bool {
        self.database
            .value(
                "select not exists (select from public.peer_mentor_certifications)
                   and not exists (select from certvakt.people) and not exists (select from certvakt.imports)",
            )
            .await
    }
}

/// The result of an import, in which every row must be accounted for.
fn take_in(command: &mut Command) -> Value {
    let output = succeed(command.args(["--output", "json"]));
    let imported: Value = serde_json::from_str(&output).unwrap();
    let number = |name: &str| imported[name].as_i64().unwrap();
    let accounted = number("added") + number("updated") + number("unchanged") + number("duplicate");
    let accounted = accounted + number("rejected");
    assert_eq!(number("read"), accounted, "{imported}");
    imported
}

fn counts(imported: &Value) -> [i64; 4] {
    ["added", "updated", "unchanged", "rejected"].map(|name| imported[name].as_i64().unwrap())
}

/// The line, the column and the start of the reason of each reject.
fn rejects(imported: &Value) -> Vec<(i64, String, String)> {
    let list = imported["rejects"].as_array().unwrap();
    list.iter()
        .map(|one| {
            let text = |name: &str| one[name].as_str().unwrap().to_owned();
            (one["line"].as_i64().unwrap(), text("column"), text("reason"))
        })
        .collect()
}
