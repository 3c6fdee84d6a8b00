//! Partners: who is to be listed, what portals are told of it, and whether their listings show it.

mod drills;
mod facts;
mod reconciling;
mod serving;
mod telling;

use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command};

use serde_json::{Value, json};

use telling::told;

use crate::harness::TestDatabase;
use crate::stand_in::{listen, write_config};

/// A key as Standard Webhooks writes them.
const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// In the middle of the year of the tests.
const NOON: &str = "2026-06-15T12:00:00+02:00";
/// Which partner of which organisation.
const WHICH: [&str; 3] = ["portal", "--organisation", "org"];

/// An organisation with the partner `portal`, which requires the type `type`.
async fn place() -> TestDatabase {
    let database = TestDatabase::rehearsal().await;
    database.with_organisation();
    database.ok(["partner", "add"].into_iter().chain(WHICH).chain(["--requires", "type"]));
    database
}

impl TestDatabase {
    /// Runs a command about the partner as of noon; it must succeed.
    fn partner<'a>(&self, what: &'a str, more: impl IntoIterator<Item = &'a str>) -> String {
        self.at(NOON, ["partner", what].into_iter().chain(WHICH).chain(more))
    }

    /// Certifies a mentor whom the partner knows as `M-<id>`; they consent.
    async fn listed(&self, external_id: &str, last_valid_day: &str) {
        self.certify(external_id, last_valid_day).await;
        self.partner("enrol", [external_id, "--key", &format!("M-{external_id}"), "--consents"]);
    }

    /// What the partner is to be told of a mentor: each event's status and cause.
    async fn events(&self, external_id: &str) -> Vec<String> {
        let sql = format!(
            "select coalesce(array_agg(status || ' ' || cause order by number), '{{}}') from certvakt.partner_events
             where partner_key = 'M-{external_id}'"
        );
        self.value(&sql).await
    }
}

/// A running portal; it ends with this value.
struct Portal {
    _process: (Child, ChildStdin),
    address: String,
    client: reqwest::Client,
    folder: tempfile::TempDir,
}

impl Portal {
    /// Starts it; it knows the key of webhooks.
    async fn start() -> Self {
        let tools = std::env::var("CERTVAKT_TEST_PYTHON").unwrap_or_else(|_| {
            let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
            let tools = Command::new(format!("{root}/scripts/install-tools")).arg("python").output().unwrap();
            format!("{}/python/bin/python", String::from_utf8(tools.stdout).unwrap().trim())
        });
        let mut command = Command::new(tools);
        let (process, listening) =
            listen(command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/stand-ins/portal.py")));
        let address = listening["address"].as_str().unwrap().to_owned();
        let client = certvakt::http::builder(std::time::Duration::from_mins(1)).build().unwrap();
        let portal = Self { _process: process, address, client, folder: tempfile::tempdir().unwrap() };
        portal.control(&json!({ "keys": [KEY] })).await;
        portal
    }

    async fn control(&self, wish: &Value) {
        let url = format!("{}/control", self.address);
        let done = self.client.post(url).json(wish).send().await.unwrap();
        assert_eq!(done.status(), 200);
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.client.get(format!("{}{path}", self.address)).send().await.unwrap();
        answer.json().await.unwrap()
    }

    /// Every request that came, but those of the test.
    async fn record(&self) -> Vec<Value> {
        self.get("/record").await.as_array().unwrap().clone()
    }

    /// What it was told, in the order in which it came: key and status.
    async fn told(&self) -> Vec<(String, String)> {
        let record = self.record().await;
        let told = record.iter().filter(|one| one["method"] == "POST" && one["path"] == "/mentors");
        told.map(|one| {
            let body: Value = serde_json::from_str(one["body"].as_str().unwrap()).unwrap();
            (body["mentorId"].as_str().unwrap().to_owned(), body["status"].as_str().unwrap().to_owned())
        })
        .collect()
    }

    /// Whom its listing shows, as anybody reads it.
    async fn shows(&self) -> Vec<String> {
        let mut shown = Vec::new();
        let mut next = Some("/listing".to_owned());
        while let Some(path) = next {
            let page = self.get(&path).await;
            let entries = page["value"].as_array().unwrap().iter();
            shown.extend(entries.map(|one| one["mentorId"].as_str().unwrap().to_owned()));
            next = page["next"].as_str().map(str::to_owned);
        }
        shown
    }

    /// Writes a version of the contract: that of the documentation, with something replaced.
    fn contract(&self, version: &str, replace: &[(&str, &str)]) {
        let folder = self.folder.path().join("contracts/portal");
        std::fs::create_dir_all(&folder).unwrap();
        let mut text = CONTRACT.replace("https://portal.example", &self.address);
        for (what, with) in replace {
            assert!(text.contains(what), "{what}");
            text = text.replace(what, with);
        }
        std::fs::write(folder.join(format!("{version}.toml")), text).unwrap();
    }

    /// A configuration for it, and what else is given.
    fn config(&self, more: &str) -> PathBuf {
        let folder = self.folder.path();
        std::fs::write(folder.join("key"), format!("{KEY}\n")).unwrap();
        write_config(
            folder,
            &format!(
                "[partners]\ncontracts = \"{0}/contracts\"\nallowed_inward = [\"127.0.0.1\"]\npoll_seconds = 1\n\
                 [partners.secrets.portal.live]\nkeys = [\"{0}/key\"]\n\
                 [partners.secrets.portal.staging]\nkeys = [\"{0}/key\"]\n{more}",
                folder.display()
            ),
        )
    }
}

/// The contract that the documentation shows.
const CONTRACT: &str = include_str!("../../../../../contracts/example/2026-1.toml");
