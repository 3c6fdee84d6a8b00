//! The keys that verify portals' reports.

use std::path::Path;

use serde_json::json;

use super::inbound::{ADDRESS, Listening, contract, course, signed};
use super::serving::SERVE;
use super::{FORMER_KEY, INBOUND_KEY, KEY, NOON, told};
use crate::harness::{fail, succeed};
use crate::service::Service;

#[tokio::test]
async fn a_portals_key_signs_for_its_organisation_only() {
    let (database, portal, _) = told(&["a"]).await;
    contract(&portal, &[]);
    database.add_organisation("other", "Europe/Oslo");
    database.ok(["partner", "add", "portal", "--organisation", "other", "--requires", "type"]);
    let folder = tempfile::tempdir().unwrap();
    let key = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let own = key("other-key", "whsec_plJ3nmyCDGBKInavdOK15jsm");
    let inbound = key("other-inbound", "whsec_plJ3nmyCDGBKInavdOK15jsn");
    let other = |inbound: &Path| {
        format!(
            "{SERVE}[partners.secrets.other.portal.live]\nkeys = [\"{}\"]\ninbound = [\"{}\"]\n",
            own.display(),
            inbound.display()
        )
    };
    let config = portal.config(&other(&inbound));
    let enable = [
        "partner",
        "enable",
        "portal",
        "--organisation",
        "other",
        "--environment",
        "live",
        "--contract",
        "1",
    ];
    succeed(database.certvakt(enable).args(["--config", config.to_str().unwrap()]));
    let service = Service::start(&database, &config, NOON);
    let listening = Listening { database, portal, config, service };
    let elsewhere = "/api/v1/partners/other/portal/renewals";
    let body = course("E-1", "a").to_string();
    let before = listening.database.everything().await;
    for (address, key) in [(elsewhere, INBOUND_KEY), (ADDRESS, "whsec_plJ3nmyCDGBKInavdOK15jsn")] {
        let (status, answer) = listening.post(address, &body, signed(key, &body, 0)).await;
        assert_eq!((status, &answer["code"]), (401, &json!("not-signed")), "{address}");
    }
    assert_eq!(listening.database.everything().await, before);
    assert_eq!(listening.post(ADDRESS, &body, signed(INBOUND_KEY, &body, 0)).await.0, 202);
    let signed_there = signed("whsec_plJ3nmyCDGBKInavdOK15jsn", &body, 0);
    assert_eq!(listening.post(elsewhere, &body, signed_there).await.0, 202);
    // Two organisations cannot share a key, in any notation.
    let Listening { database, portal, config: _, service } = listening;
    drop(service);
    for text in [INBOUND_KEY, INBOUND_KEY.trim_start_matches("whsec_"), KEY, &format!(" {FORMER_KEY}\n")] {
        let config = portal.config(&other(&key("other-shared", text)));
        let mut doctor = database.certvakt(["doctor", "--config", config.to_str().unwrap()]);
        let found = doctor.output().unwrap();
        let said = String::from_utf8(found.stdout).unwrap();
        assert_eq!(found.status.code(), Some(1), "{said}");
        assert!(said.contains("has the same key at") && !said.contains(text.trim()), "{said}");
        let said = fail(&mut database.certvakt(["serve", "--config", config.to_str().unwrap()]), 2);
        assert!(said.contains("config-contradiction") && said.contains("other.portal.live"), "{said}");
    }
}
