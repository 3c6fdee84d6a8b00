//! `[partners]`: the folder of contracts, and the credentials.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// `[partners]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct PartnersConfig {
    /// The folder of contracts, `<partner>/<version>.toml`; if empty, nothing is sent to partners.
    pub contracts: PathBuf,
    /// Hosts that certvakt may connect to although they are on this machine or in a private network.
    pub allowed_internal_hosts: Vec<String>,
    /// Seconds between two checks for changes to send and for lapsed certifications.
    pub poll_seconds: u32,
    /// The credentials for portals: `[partners.secrets.<organisation>.<partner>.<environment>]`.
    secrets: BTreeMap<String, BTreeMap<String, BTreeMap<String, SecretsConfig>>>,
}

impl Default for PartnersConfig {
    fn default() -> Self {
        Self {
            contracts: PathBuf::new(),
            allowed_internal_hosts: Vec::new(),
            poll_seconds: 5,
            secrets: BTreeMap::new(),
        }
    }
}

impl PartnersConfig {
    /// The credentials for an organisation's partner at a stage.
    pub fn secrets_of(&self, organisation: &str, partner: &str, stage: &str) -> Option<&SecretsConfig> {
        self.secrets.get(organisation)?.get(partner)?.get(stage)
    }

    /// Two places under `partners.secrets` of different organisations with the same key, if there are any:
    /// with a shared key, the portal of one organisation could sign for the other. Skips unreadable keys,
    /// because the code that uses them reports them.
    pub fn shared_key(&self) -> Option<(String, String)> {
        let mut known: HashMap<[u8; 32], (&str, String)> = HashMap::new();
        let places = self.secrets.iter().flat_map(|(organisation, partners)| {
            partners.iter().flat_map(move |(partner, stages)| {
                stages.iter().map(move |(stage, secrets)| {
                    (organisation, format!("{organisation}.{partner}.{stage}"), secrets)
                })
            })
        });
        for (organisation, place, secrets) in places {
            let texts = secrets.keys.iter().chain(&secrets.inbound).filter_map(|place| read(place).ok());
            for digest in texts.flat_map(|text| digests(&text)) {
                match known.get(&digest) {
                    Some((other, at)) if *other != organisation => return Some((at.clone(), place)),
                    Some(_) => {}
                    None => _ = known.insert(digest, (organisation, place.clone())),
                }
            }
        }
        None
    }
}

/// The digests of the keys in a text, in any notation: private keys in PEM, a key of Standard Webhooks with
/// or without its prefix, or any other secret.
fn digests(text: &str) -> Vec<[u8; 32]> {
    let keys: Vec<[u8; 32]> = pem::parse_many(text)
        .unwrap_or_default()
        .iter()
        .filter(|block| block.tag().ends_with("PRIVATE KEY"))
        .map(|block| Sha256::digest(block.contents()).into())
        .collect();
    if !keys.is_empty() {
        return keys;
    }
    let text = text.trim();
    let plain = text.strip_prefix("whsec_").unwrap_or(text);
    let decoded = STANDARD.decode(plain);
    vec![Sha256::digest(decoded.as_deref().unwrap_or(plain.as_bytes())).into()]
}

/// The credentials for a partner at one stage.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct SecretsConfig {
    /// The places of the secret: each is the path of a file, or `env:` and the name of a variable. There are
    /// two during a rotation, the new one first.
    pub keys: Vec<String>,
    /// The last day on which the first of them is valid (`2027-05-01`), for warnings. Not needed for a
    /// certificate, which contains the date.
    pub ends: Option<NaiveDate>,
    /// The places of the key with which the portal signs its reports, in the same notation.
    pub inbound: Vec<String>,
}

impl SecretsConfig {
    /// Reads the secrets for signing in. An error names the place, but contains no part of a secret.
    pub fn read(&self) -> Result<Vec<String>, String> {
        Self::read_all(&self.keys)
    }

    /// Reads the keys with which the portal signs its reports.
    pub fn read_inbound(&self) -> Result<Vec<String>, String> {
        Self::read_all(&self.inbound)
    }

    fn read_all(places: &[String]) -> Result<Vec<String>, String> {
        places.iter().map(|place| read(place)).collect()
    }
}

/// Reads a secret from its place. An error describes the fault, but contains no part of the secret.
fn read(place: &str) -> Result<String, String> {
    let text = match place.strip_prefix("env:") {
        Some(variable) => std::env::var(variable).map_err(|_| format!("the variable {variable} is not set")),
        None => std::fs::read_to_string(place)
            .map_err(|error| format!("the file '{place}' cannot be read ({})", error.kind())),
    }?;
    let text = text.trim_end().to_owned();
    if text.is_empty() { Err(format!("'{place}' is empty")) } else { Ok(text) }
}
