//! Contracts, addresses and credentials of portals.

use serde_json::{Value, json};

use super::told;
use crate::harness::{fail, succeed};
use crate::partner::{KEY, Kind, Portal, WHICH, place};

#[tokio::test]
async fn another_contract_is_another_file() {
    let (database, portal, config) = told(&["a"]).await;
    // The portal has renamed a field.
    portal.contract("2", &[("status = \"{status}\"", "state = \"{status}\"")]);
    let enable = ["enable"].into_iter().chain(WHICH).chain(["--environment", "live", "--contract", "2"]);
    let said = fail(&mut database.partner_with(&config, enable.clone()), 2);
    assert!(said.contains("request.schema") && said.contains("[contract-invalid]"), "{said}");
    portal.contract(
        "2",
        &[
            ("status = \"{status}\"", "state = \"{status}\""),
            ("\"status\", \"sequence\"", "\"state\", \"sequence\""),
            ("status = { enum", "state = { enum"),
        ],
    );
    portal.control(&json!({ "know": ["example-1"] })).await;
    let probe = ["probe"].into_iter().chain(WHICH).chain(["--contract", "2", "--output", "json"]);
    let output = database.partner_with(&config, probe).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let points: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(points["points"][0]["keeps"], false, "{points}");
    succeed(&mut database.partner_with(&config, enable));
    assert_eq!(database.sync(&config)["accepted"], 0);
    assert_eq!(database.stands(&config)["partner"]["stopped_by"], "contract");
}

#[tokio::test]
async fn a_key_can_be_changed_and_one_that_is_refused_stops_sending() {
    let other = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    let (database, portal, config) = told(&["a", "b"]).await;
    portal.control(&json!({ "keys": [other], "know": ["example-1"] })).await;
    let stopped = database.sync(&config);
    assert!(stopped["stopped"].as_str().unwrap().contains("the portal refused access (401)"), "{stopped}");
    assert_eq!(database.stands(&config)["partner"]["stopped_by"], "sign-in");
    // Both sides know two keys for a while: the signatures include the portal's key.
    let folder = config.parent().unwrap();
    std::fs::write(folder.join("new-key"), other).unwrap();
    let text = std::fs::read_to_string(&config).unwrap();
    let one = format!("keys = [\"{}/key\"]", folder.display());
    let two = format!("keys = [\"{0}/new-key\", \"{0}/key\"]", folder.display());
    std::fs::write(&config, text.replace(&one, &two)).unwrap();
    succeed(&mut database.partner_with(&config, ["resume"].into_iter().chain(WHICH)));
    assert_eq!(database.sync(&config)["accepted"], 2);
    portal.control(&json!({ "keys": [KEY] })).await;
    database.change("a", "status = 'suspended'").await;
    assert_eq!(database.sync(&config)["accepted"], 1, "the portal has only the old key");
}

#[tokio::test]
async fn a_header_and_a_token_sign_in_as_well() {
    let (database, portal) = (place().await, Portal::start(Kind::Webhook).await);
    let config = portal.config("");
    let folder = config.parent().unwrap().to_owned();
    database.listed("a", "2026-12-31").await;
    for (flow, control) in [
        ("flow = \"header-key\"\nheader = \"X-Api-Key\"", json!({ "header_key": "sesame-1" })),
        (
            "flow = \"client-credentials\"\nclient_id = \"certvakt\"\nscope = \"all\"",
            json!({ "header_key": null, "credentials": ["certvakt", "sesame-1"] }),
        ),
    ] {
        let token = format!("endpoint = \"{0}/mentors\"\ntoken = \"{0}/token\"", portal.address);
        let endpoint = format!("endpoint = \"{}/mentors\"", portal.address);
        portal.contract("1", &[("flow = \"signature\"", flow), (&endpoint, &token)]);
        std::fs::write(folder.join("key"), "sesame-1\n").unwrap();
        portal.control(&json!({ "keys": [], "know": ["M-a"] })).await;
        portal.control(&control).await;
        database.enable(&config);
        database.partner("replay", ["--since", "2026-01-01T00:00:00Z"]);
        assert_eq!(database.sync(&config)["accepted"], 1, "{flow}");
        std::fs::write(folder.join("key"), "sesame-2\n").unwrap();
        database.partner("replay", ["--since", "2026-01-01T00:00:00Z"]);
        let stopped = database.sync(&config);
        assert_eq!(database.stands(&config)["partner"]["stopped_by"], "sign-in", "{flow}: {stopped}");
        assert!(!stopped.to_string().contains("sesame"), "{stopped}");
        database
            .execute(
                "update certvakt.partners set stopped_at = null, stopped_by = null, stopped_reason = null",
            )
            .await;
    }
}

#[tokio::test]
async fn an_internal_address_is_refused_by_name_and_by_number() {
    let (database, portal) = (place().await, Portal::start(Kind::Webhook).await);
    let config = portal.config("");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace("[\"127.0.0.1\"]", "[]")).unwrap();
    database.listed("a", "2026-12-31").await;
    let port = portal.address.rsplit_once(':').unwrap().1;
    for host in ["127.0.0.1", "localhost", "[::1]"] {
        portal.contract("1", &[(&portal.address, &format!("http://{host}:{port}"))]);
        database.enable(&config);
        let stopped = database.sync(&config);
        assert!(stopped["stopped"].as_str().unwrap().contains("in a private network"), "{host}: {stopped}");
        database
            .execute(
                "update certvakt.partners set stopped_at = null, stopped_by = null, stopped_reason = null",
            )
            .await;
    }
    assert_eq!(portal.record().await, Vec::<Value>::new());
}

#[tokio::test]
async fn no_secret_and_no_key_is_in_a_table_a_log_or_a_response() {
    let (database, portal, config) = told(&["a"]).await;
    let secret = KEY.trim_start_matches("whsec_");
    portal.control(&json!({ "faults": [{ "on": "POST", "what": "renamed" }] })).await;
    let mut said = Vec::new();
    for words in [&["sync"][..], &["status"], &["status", "--output", "json"]] {
        let mut command = database.partner_with(&config, words.iter().copied());
        let output = command.env("RUST_LOG", "trace").output().unwrap();
        said.extend([output.stdout, output.stderr]);
    }
    for text in said {
        let text = String::from_utf8_lossy(&text).into_owned();
        assert!(!text.contains(secret) && !text.contains("M-a"), "{text}");
    }
    let dumped: bool = database
        .value(&format!(
            "select exists (select from certvakt.partners p where position('{secret}' in p::text) > 0)
               or exists (select from certvakt.listings l where position('{secret}' in l::text) > 0)"
        ))
        .await;
    assert!(!dumped);
}
