//! Running stand-ins for portals: one that accepts webhooks, and one on Dataverse.

use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command};
use std::time::Duration;

use serde_json::{Value, json};

use super::{FORMER_KEY, INBOUND_KEY, KEY};
use crate::stand_in::{listen, write_config};

/// The protocol of a portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One signed request per change.
    Webhook,
    /// The Web API of Dataverse, with sign-in by a certificate.
    Dataverse,
}

/// The contracts that the documentation shows.
const CONTRACTS: [&str; 2] = [
    include_str!("../../../../../contracts/example/2026-1.toml"),
    include_str!("../../../../../contracts/dataverse/2026-1.toml"),
];
/// The base path of the Web API.
const WEB_API: &str = "/api/data/v9.2/";

/// A running portal; it ends with this value.
pub struct Portal {
    _process: (Child, ChildStdin),
    pub(super) kind: Kind,
    pub(super) address: String,
    pub(super) folder: tempfile::TempDir,
    /// The URL for the test's control requests.
    orders: String,
    pub(super) client: reqwest::Client,
}

/// The Python interpreter with the modules of the stand-ins.
pub(super) fn python() -> Command {
    let program = std::env::var("CERTVAKT_TEST_PYTHON").unwrap_or_else(|_| {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
        let tools = Command::new(format!("{root}/scripts/install-tools")).arg("python").output().unwrap();
        format!("{}/python/bin/python", String::from_utf8(tools.stdout).unwrap().trim())
    });
    let mut command = Command::new(program);
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

impl Portal {
    /// Starts a portal that accepts the tests' credentials.
    pub async fn start(kind: Kind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let stand_ins = concat!(env!("CARGO_MANIFEST_DIR"), "/../stand-ins");
        let builder = certvakt_engine::outbound::builder(Duration::from_mins(1));
        let mut command = python();
        let (process, address, orders, client, secret) = match kind {
            Kind::Webhook => {
                let (process, listening) = listen(command.arg(format!("{stand_ins}/portal.py")));
                let address = listening["address"].as_str().unwrap().to_owned();
                (process, address.clone(), address, builder, KEY.to_owned())
            }
            Kind::Dataverse => {
                let (process, listening) =
                    listen(command.arg(format!("{stand_ins}/dataverse")).arg(folder.path()));
                let [address, orders] =
                    ["address", "control"].map(|name| listening[name].as_str().unwrap().to_owned());
                let authority = std::fs::read(folder.path().join("ca.pem")).unwrap();
                let authority = reqwest::Certificate::from_pem(&authority).unwrap();
                let secret = std::fs::read_to_string(folder.path().join("client.pem")).unwrap();
                (process, address, orders, builder.tls_certs_only([authority]), secret)
            }
        };
        std::fs::write(folder.path().join("key"), format!("{secret}\n")).unwrap();
        let client = client.build().unwrap();
        let portal = Self { _process: process, kind, address, folder, orders, client };
        if kind == Kind::Webhook {
            portal.control(&json!({ "keys": [KEY] })).await;
        }
        portal
    }

    /// Sends a control request.
    pub async fn control(&self, wish: &Value) {
        let done = self.client.post(format!("{}/control", self.orders)).json(wish).send().await.unwrap();
        assert_eq!(done.status(), 200, "{wish}: {}", done.text().await.unwrap());
    }

    async fn get(&self, address: &str) -> Value {
        self.client.get(address).send().await.unwrap().json().await.unwrap()
    }

    /// Adds mentors whom it knows but does not list yet.
    pub async fn know(&self, keys: &[String]) {
        let rows: Vec<Value> =
            keys.iter().map(|key| json!({ "new_key": key, "new_listed": 100_000_001 })).collect();
        self.control(&match self.kind {
            Kind::Webhook => json!({ "know": keys }),
            Kind::Dataverse => json!({ "rows": { "new_mentors": rows } }),
        })
        .await;
    }

    /// Changes manually whether it lists a mentor.
    pub(super) async fn set_by_hand(&self, key: &str, is_listed: bool) {
        self.control(&match self.kind {
            Kind::Webhook => json!({ "set": { key: if is_listed { "active" } else { "inactive" } } }),
            Kind::Dataverse => {
                json!({ "set": { key: { "new_listed": if is_listed { 100_000_000 } else { 100_000_001 } } } })
            }
        })
        .await;
    }

    /// Sets a fault for the next change requests.
    pub(super) async fn fault(&self, what: impl Into<Value>, times: u32) {
        let what = what.into();
        let on = match self.kind {
            Kind::Webhook => vec![("POST", "/mentors".to_owned())],
            Kind::Dataverse => {
                vec![("PATCH", WEB_API.to_owned()), ("POST", format!("{WEB_API}$batch"))]
            }
        };
        let faults: Vec<Value> = on
            .into_iter()
            .map(|(method, path)| json!({ "on": method, "path": path, "what": what, "times": times }))
            .collect();
        self.control(&json!({ "faults": faults })).await;
    }

    /// Renders its page now, before its cache expires.
    pub(super) async fn render(&self) {
        self.control(&json!({ "render": true })).await;
    }

    /// All requests, except the test's control requests.
    pub(super) async fn record(&self) -> Vec<Value> {
        self.get(&format!("{}/record", self.orders)).await.as_array().unwrap().clone()
    }

    /// The received changes in order: the key and the value.
    pub async fn told(&self) -> Vec<(String, String)> {
        self.changes().await.into_iter().map(|(change, _)| change).collect()
    }

    /// The changes that it has stored, with or without a response.
    pub(super) async fn taken(&self) -> Vec<(String, String)> {
        let changes = self.changes().await.into_iter();
        changes.filter(|(_, status)| matches!(status, Some(200..300))).map(|(change, _)| change).collect()
    }

    async fn changes(&self) -> Vec<((String, String), Option<u64>)> {
        let record = self.record().await;
        let body = |one: &Value| serde_json::from_str::<Value>(one["body"].as_str().unwrap()).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let alone = |one: &Value| one["operations"].as_array().cloned().unwrap_or_else(|| vec![one.clone()]);
        let each = record.iter().flat_map(alone);
        match self.kind {
            Kind::Webhook => each
                .filter(|one| one["method"] == "POST" && one["path"] == "/mentors")
                .map(|one| {
                    let body = body(&one);
                    ((text(&body["mentorId"]), text(&body["status"])), one["status"].as_u64())
                })
                .collect(),
            Kind::Dataverse => each
                .filter(|one| one["method"] == "PATCH")
                .map(|one| {
                    let path = text(&one["path"]);
                    let key = path.split_once("='").unwrap().1.trim_end_matches("')").to_owned();
                    let word = if body(&one)["new_listed"] == 100_000_000 { "active" } else { "inactive" };
                    ((key, word.to_owned()), one["status"].as_u64())
                })
                .collect(),
        }
    }

    /// The rows of its table: the key and the value.
    pub(super) async fn rows(&self) -> Vec<(String, String)> {
        let rows = self.get(&format!("{}/rows", self.orders)).await;
        let mentors = rows["new_mentors"].as_array().unwrap().iter();
        let word = |row: &Value| if row["new_listed"] == 100_000_000 { "active" } else { "inactive" };
        mentors.map(|row| (row["new_key"].as_str().unwrap().to_owned(), word(row).to_owned())).collect()
    }

    /// The keys in its public listing.
    pub(super) async fn shows(&self) -> Vec<String> {
        let (first, key, next) = match self.kind {
            Kind::Webhook => ("/listing", "mentorId", "next"),
            Kind::Dataverse => ("/_odata/mentors", "new_key", "@odata.nextLink"),
        };
        let mut shown = Vec::new();
        let mut place = Some(first.to_owned());
        while let Some(path) = place {
            let page =
                self.get(&if path.starts_with('/') { format!("{}{path}", self.address) } else { path }).await;
            let entries = page["value"].as_array().unwrap().iter();
            shown.extend(entries.map(|one| one[key].as_str().unwrap().to_owned()));
            place = page[next].as_str().map(str::to_owned);
        }
        shown
    }

    /// Writes a version of the contract: the documentation's example with replacements.
    pub fn contract(&self, version: &str, replace: &[(&str, &str)]) {
        let folder = self.folder.path().join("contracts/portal");
        std::fs::create_dir_all(&folder).unwrap();
        let mut text = CONTRACTS[self.kind as usize].to_owned();
        for host in ["https://portal.example", "https://org.example", "https://login.example"] {
            text = text.replace(host, &self.address);
        }
        for (what, with) in replace {
            assert!(text.contains(what), "{what}");
            text = text.replace(what, with);
        }
        std::fs::write(folder.join(format!("{version}.toml")), text).unwrap();
    }

    /// The settings of certvakt for it, as the partner `portal` of an organisation.
    pub fn settings(&self, organisation: &str) -> String {
        let folder = self.folder.path();
        for (name, key) in [("inbound", INBOUND_KEY), ("former", FORMER_KEY)] {
            std::fs::write(folder.join(name), format!("{key}\n")).unwrap();
        }
        format!(
            "[partners]\ncontracts = \"{0}/contracts\"\nallowed_internal_hosts = [\"127.0.0.1\"]\npoll_seconds = 1\n\
             [partners.secrets.{organisation}.portal.staging]\nkeys = [\"{0}/key\"]\ninbound = [\"{0}/inbound\"]\n\
             [partners.secrets.{organisation}.portal.live]\nkeys = [\"{0}/key\"]\ninbound = [\"{0}/inbound\", \"{0}/former\"]\n",
            folder.display()
        )
    }

    /// Writes a configuration for it, with additional settings.
    pub(super) fn config(&self, more: &str) -> PathBuf {
        write_config(self.folder.path(), &format!("{}{more}", self.settings("org")))
    }
}
