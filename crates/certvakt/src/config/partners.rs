//! `[partners]`: where contracts are, and what signs us in.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// `[partners]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct PartnersConfig {
    /// The folder of contracts, `<partner>/<version>.toml`; empty: no partner is told anything.
    pub contracts: PathBuf,
    /// Hosts that may be addressed although they are inside: this machine, a private network.
    pub allowed_inward: Vec<String>,
    /// Seconds between two looks whether somebody is to be told, or has lapsed.
    pub poll_seconds: u32,
    /// What signs us in: `[partners.secrets.<partner>.<stage>]`.
    pub secrets: BTreeMap<String, BTreeMap<String, SecretsConfig>>,
}

impl Default for PartnersConfig {
    fn default() -> Self {
        Self {
            contracts: PathBuf::new(),
            allowed_inward: Vec::new(),
            poll_seconds: 5,
            secrets: BTreeMap::new(),
        }
    }
}

impl PartnersConfig {
    /// What signs us in with a partner at a stage.
    pub fn secrets_of(&self, partner: &str, stage: &str) -> Option<&SecretsConfig> {
        self.secrets.get(partner)?.get(stage)
    }
}

/// What signs us in with a partner at one stage.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct SecretsConfig {
    /// Where the secret is: the path of a file, or `env:` and the name of a variable. Two while it is changed, the new
    /// one first.
    pub keys: Vec<String>,
    /// The last day on which the first of them is good (`2027-05-01`), so that somebody is told before; what a
    /// certificate says of itself needs no saying here.
    pub ends: Option<NaiveDate>,
    /// Where the key is by which the portal signs what it tells us, likewise.
    pub inbound: Vec<String>,
}

impl SecretsConfig {
    /// What signs us in, read. An error says which cannot be, and nothing that is in it.
    pub fn read(&self) -> Result<Vec<String>, String> {
        Self::read_all(&self.keys)
    }

    /// The keys by which the portal signs, read likewise.
    pub fn read_inbound(&self) -> Result<Vec<String>, String> {
        Self::read_all(&self.inbound)
    }

    fn read_all(places: &[String]) -> Result<Vec<String>, String> {
        places
            .iter()
            .map(|place| {
                let text = match place.strip_prefix("env:") {
                    Some(variable) => {
                        std::env::var(variable).map_err(|_| format!("the variable {variable} is not set"))
                    }
                    None => std::fs::read_to_string(place)
                        .map_err(|error| format!("the file '{place}' cannot be read ({})", error.kind())),
                }?;
                let text = text.trim_end().to_owned();
                if text.is_empty() { Err(format!("'{place}' is empty")) } else { Ok(text) }
            })
            .collect()
    }
}
