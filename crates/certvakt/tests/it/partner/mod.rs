//! Partners: who is to be listed, what portals are told of it, and whether their listings show it.

mod adapters;
mod dataverse;
mod inbound;
mod incidents;
mod keys;
mod listed;
mod portal;
mod reconciling;
mod serving;
mod sync;

use portal::{Kind, Portal};
use sync::told;

use crate::harness::TestDatabase;

/// A key as Standard Webhooks writes them.
const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// With what the portal signs, and with what it did before.
const INBOUND_KEY: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const FORMER_KEY: &str = "whsec_plJ3nmyCDGBKInavdOK15jsl";
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
