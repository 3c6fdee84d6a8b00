//! Partners: eligibility for listings, changes sent to portals, and comparisons with listings.

mod adapters;
mod dataverse;
mod inbound;
mod incidents;
mod keys;
mod listed;
pub mod portal;
mod reconciling;
mod serving;
mod sync;

use portal::{Kind, Portal};
use sync::told;

use crate::harness::{NOON, TestDatabase};

/// A key in the format of Standard Webhooks.
const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// The key with which the portal signs its reports.
const INBOUND_KEY: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const FORMER_KEY: &str = "whsec_plJ3nmyCDGBKInavdOK15jsl";
/// The arguments that select the partner.
const WHICH: [&str; 3] = ["portal", "--organisation", "org"];

/// How a mentor gave the consent that a command records.
const HOW: [&str; 8] =
    ["--given-as", "paper", "--given-on", "2026-06-01", "--text-version", "2026-11", "--language", "nb"];

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

    /// Certifies a mentor, and enrols them with the key `M-<id>` and their consent.
    async fn listed(&self, external_id: &str, last_valid_day: &str) {
        self.certify(external_id, last_valid_day).await;
        let key = format!("M-{external_id}");
        self.partner("enrol", [external_id, "--key", &key, "--consents"].into_iter().chain(HOW));
    }

    /// The events of a mentor: the status and the cause of each.
    async fn events(&self, external_id: &str) -> Vec<String> {
        let sql = format!(
            "select coalesce(array_agg(status || ' ' || cause order by number), '{{}}') from certvakt.partner_events
             where partner_key = 'M-{external_id}'"
        );
        self.value(&sql).await
    }
}
