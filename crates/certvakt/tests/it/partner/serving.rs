//! The service's background work for partners.

use serde_json::{Value, json};

use super::{NOON, told};
use crate::service::Service;
use crate::stand_in::MailServer;

pub(super) const SERVE: &str = "[serve]\nlisten = \"127.0.0.1:0\"\n[delivery]\nchannels = []\n";

#[tokio::test]
async fn the_service_sends_changes_delists_at_midnight_and_compares() {
    let (database, portal, _) = told(&["a", "lapsing"]).await;
    database.at(NOON, ["correct", "lapsing", "--until", "2026-06-15"]);
    let config = portal.config(SERVE);
    // Midnight passes while it runs.
    let service = Service::start(&database, &config, "2026-06-15T23:59:58+02:00");
    database
        .until("select bool_and(accepted_number = number) from certvakt.listings where partner_key = 'M-a'")
        .await;
    database
        .until("select accepted_listed is false from certvakt.listings where partner_key = 'M-lapsing'")
        .await;
    let last = portal.told().await.pop().unwrap();
    assert_eq!(last, ("M-lapsing".to_owned(), "inactive".to_owned()));
    service
        .until_metric(
            "certvakt_partner_waiting{organisation=\"org\",partner=\"portal\",what=\"to_delist\"} 0",
        )
        .await;
    // It read the listing when it started; an hour later, it does so again.
    database.until("select reconciled_at is not null from certvakt.partners").await;
    portal.control(&json!({ "set": { "M-lapsing": "active" }, "render": true })).await;
    database.time_passes().await;
    database.execute("update certvakt.partners set read_tried_at = now() - interval '61 minutes'").await;
    database.until("select replays > 0 from certvakt.listings where partner_key = 'M-lapsing'").await;
    database
        .until("select accepted_number = number from certvakt.listings where partner_key = 'M-lapsing'")
        .await;
    portal.control(&json!({ "render": true })).await;
    assert_eq!(portal.shows().await, ["M-a"]);
}

#[tokio::test]
async fn a_stop_is_a_metric_and_a_line_of_the_status() {
    let (database, portal, _) = told(&["a"]).await;
    let config = portal.config(SERVE);
    portal.control(&json!({ "faults": [{ "on": "POST", "what": "html" }] })).await;
    let service = Service::start(&database, &config, NOON);
    let label = "{organisation=\"org\",partner=\"portal\"}";
    service.until_metric(&format!("certvakt_partner_stopped{label} 1")).await;
    let mut command = database.certvakt(["status", "--output", "json"]);
    let output = command.env("CERTVAKT_NOW", NOON).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let status: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(status["partners"][0]["partner"]["stopped_by"], "contract", "{status}");
    // Sending has stopped, but its listing is still compared.
    database.execute("update certvakt.partners set read_tried_at = now() - interval '61 minutes', reconciled_at = null").await;
    database.until("select reconciled_at is not null from certvakt.partners").await;
}

#[tokio::test]
async fn a_partner_with_an_unreadable_contract_is_stopped_and_reported() {
    let (database, portal, _) = told(&["a"]).await;
    let config = portal.config(SERVE);
    std::fs::remove_file(portal.folder.path().join("contracts/portal/1.toml")).unwrap();
    let _service = Service::start(&database, &config, NOON);
    database
        .until("select coalesce(stopped_by = 'contract', false) and unread_since is not null from certvakt.partners")
        .await;
    let reason: String = database.value("select stopped_reason from certvakt.partners").await;
    assert!(reason.contains("cannot read the contract '1' with 'portal'"), "{reason}");
}

#[tokio::test]
async fn a_token_that_the_portal_has_forgotten_is_fetched_again_however_many_need_it() {
    let (database, portal, _) = told(&["a", "b", "c", "d", "e", "f"]).await;
    let token = format!("endpoint = \"{0}/mentors\"\ntoken = \"{0}/token\"", portal.address);
    let endpoint = format!("endpoint = \"{}/mentors\"", portal.address);
    let flow = "flow = \"client-credentials\"\nclient_id = \"certvakt\"\nscope = \"all\"";
    portal.contract("1", &[("flow = \"signature\"", flow), (&endpoint, &token)]);
    let config = portal.config(SERVE);
    std::fs::write(config.parent().unwrap().join("key"), "sesame").unwrap();
    portal.control(&json!({ "keys": [], "credentials": ["certvakt", "sesame"] })).await;
    let _service = Service::start(&database, &config, NOON);
    database.until("select bool_and(accepted_number = number) from certvakt.listings").await;
    portal.control(&json!({ "forget": true })).await;
    database.partner("replay", ["--since", "2026-01-01T00:00:00Z"]);
    let again = "select coalesce(bool_and(accepted_number = number and replays = 1), false) or
        exists (select from certvakt.partners where stopped_at is not null) from certvakt.listings";
    database.until(again).await;
    let stopped: Option<String> = database.value("select stopped_reason from certvakt.partners").await;
    assert_eq!(stopped, None);
    let record = portal.record().await;
    assert!(record.iter().any(|one| one["status"] == 401), "it was refused");
    assert_eq!(record.iter().filter(|one| one["path"] == "/token").count(), 2, "and fetched once for all");
}

#[tokio::test]
async fn a_stop_reaches_the_mailbox_of_administrators() {
    let (database, portal, config) = told(&["a", "b"]).await;
    let administrator =
        ["person", "add", "--organisation", "org", "--chapter", "chapter", "--role", "org_admin"];
    database.ok(administrator.into_iter().chain(["--name", "Åse", "--email", "a@example.org"]));
    portal.fault("html", 9).await;
    database.sync(&config);
    let mail = MailServer::start(None);
    let _service = Service::start(&database, &mail.config("[serve]\nlisten = \"127.0.0.1:0\"\n"), NOON);
    database.until("select exists (select from certvakt.mail_queue where mailed_at is not null)").await;
    let mails = mail.mails();
    let [one] = &mails[..] else { panic!("{mails:?}") };
    let said = one.to_string();
    assert!(said.contains("a@example.org") && said.contains("2 endringer venter"), "{said}");
    assert!(!said.contains("M-a"), "nothing of the mentors: {said}");
}
