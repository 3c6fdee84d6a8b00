//! Sign-in links and invitations by e-mail.

use reqwest::Method;
use serde_json::Value;

use super::{Answer, Browser, HOME, NOON, TestService, between};

pub(super) const MENTOR: &str = "00000000-0000-4000-8000-0000000100a2";

/// Adds a mail address of a person, who gets no digest.
pub(super) async fn mailed(place: &TestService, person: &str, address: &str) {
    place
        .database
        .execute(&format!(
            "insert into certvakt.digest_settings (person_id, schedule) values ('{person}', 'off') on conflict do nothing;
             insert into certvakt.contact_points (person_id, kind, address) values ('{person}', 'email', '{address}')"
        ))
        .await;
}

/// Waits until all requested e-mails are sent.
pub(super) async fn all_mailed(place: &TestService, mails: usize) -> Vec<Value> {
    place
        .database
        .until(&format!("select count(*) = {mails} from certvakt.mail_queue where mailed_at is not null"))
        .await;
    place.mail.mails()
}

/// The URL in an e-mail, which must be the same in the text and the HTML part.
pub(super) fn address_in(mail: &Value) -> String {
    let text = mail["parts"][0]["text"].as_str().unwrap();
    let address = text.lines().find(|line| line.starts_with("https://")).unwrap().trim().to_owned();
    assert!(mail["parts"][1]["text"].as_str().unwrap().contains(&format!("href=\"{address}\"")), "{mail}");
    address
}

/// Presses the button of a page.
pub(super) async fn press(browser: &mut Browser, page: &Answer) -> Answer {
    let action = between(&page.text, "action=\"", "\"");
    let fields: Vec<(String, String)> = page
        .text
        .lines()
        .filter(|line| line.contains("type=\"hidden\""))
        .map(|line| (between(line, "name=\"", "\""), between(line, "value=\"", "\"")))
        .collect();
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    browser.follow(Method::POST, &action, &fields).await
}

#[tokio::test]
async fn a_link_signs_its_person_in_once() {
    let place = TestService::start("").await;
    mailed(&place, MENTOR, "ok-mentor@example.org").await;
    let mut browser = place.browser();
    browser.post("/sign-in/link", &[("address", " OK-Mentor@example.org ")]).await;
    let mails = all_mailed(&place, 1).await;
    let [mail] = &mails[..] else { panic!("{mails:?}") };
    assert_eq!(mail["headers"]["to"], "ok-mentor@example.org");
    assert_eq!(mail["headers"]["subject"], "Lenken din for å logge inn");
    assert_eq!(mail["headers"]["auto-submitted"], "auto-generated");
    let text = mail["parts"][0]["text"].as_str().unwrap();
    assert!(text.contains("Hei Mentor a2,") && text.contains("15 minutter"), "{text}");
    let address = address_in(mail);
    // A program that scans e-mail, and a person.
    for _ in 0..2 {
        let page = browser.get(&address).await;
        assert_eq!((page.status, place.sessions().await), (200, 0), "to look signs nobody in");
    }
    let page = browser.get(&address).await;
    let home = press(&mut browser, &page).await;
    assert!(home.text.contains("Mentor a2, likeperson"), "{}", home.text);
    let me = browser.get("/api/v1/me").await;
    assert!(me.text.contains(MENTOR), "{}", me.text);
    let login: String = place.database.value("select issuer || ' ' || subject from certvakt.sessions").await;
    assert_eq!(login, format!("urn:certvakt:link {MENTOR}"));

    let mut thief = place.browser();
    let again = press(&mut thief, &page).await;
    assert_eq!((again.status, place.sessions().await), (422, 1), "it works once");
    assert!(again.text.contains("Be om en ny"), "{}", again.text);
    // The next time, the login already exists.
    browser.post("/sign-in/link", &[("address", "ok-mentor@example.org")]).await;
    let page = browser.get(&address_in(&all_mailed(&place, 2).await[1])).await;
    place.database.execute("update certvakt.mail_queue set expires_at = expires_at - interval '15 minutes' where used_at is null").await;
    assert_eq!(press(&mut thief, &page).await.status, 422, "nor after a quarter of an hour");
    place
        .database
        .execute(
            "update certvakt.mail_queue set expires_at = expires_at + interval '1 minute' where used_at is null",
        )
        .await;
    assert_eq!(press(&mut thief, &page).await.status, 200);
    let log = place.service.end();
    for secret in ["ok-mentor", "Mentor a2", address.split("token=").nth(1).unwrap()] {
        assert!(!log.to_lowercase().contains(&secret.to_lowercase()), "{log}");
    }
}

#[tokio::test]
async fn no_response_reveals_whether_an_address_is_known() {
    let place = TestService::start("").await;
    mailed(&place, MENTOR, "ok-known@example.org").await;
    let mut browser = place.browser();
    let mut answers = Vec::new();
    for address in ["ok-unknown@example.org", "OK-Known@EXAMPLE.org.", "nonsense"] {
        let answer = browser.post("/sign-in/link", &[("address", address)]).await;
        let mut headers = answer.headers;
        for name in ["date", "x-request-id"] {
            headers.remove(name);
        }
        answers.push((answer.status, headers, answer.text));
    }
    assert_eq!(answers[0].0, 303);
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
    assert_eq!(all_mailed(&place, 1).await.len(), 1);
    for address in ["", " ", &"x".repeat(255), "a\0b@example.org"] {
        assert_eq!(browser.post("/sign-in/link", &[("address", address)]).await.status, 422);
    }
    assert_eq!(browser.post("/sign-in/link", &[]).await.status, 422);
}

#[tokio::test]
async fn people_who_share_an_address_get_separate_links() {
    let place = TestService::start("").await;
    mailed(&place, MENTOR, "ok-parents@example.org").await;
    mailed(&place, "00000000-0000-4000-8000-0000000100a3", "OK-Parents@example.org").await;
    place.database.execute(&format!("update certvakt.people set locale = 'en' where id = '{MENTOR}'")).await;
    let mut browser = place.browser();
    browser.post("/sign-in/link", &[("address", "ok-parents@example.org")]).await;
    let mails = all_mailed(&place, 2).await;
    for (greeting, person) in [("Hello Mentor a2,", "Mentor a2"), ("Hei Mentor a3,", "Mentor a3")] {
        let mail =
            mails.iter().find(|mail| mail["parts"][0]["text"].as_str().unwrap().contains(greeting)).unwrap();
        let page = browser.get(&address_in(mail)).await;
        let home = press(&mut browser, &page).await;
        assert!(home.text.contains(&format!("{person}, ")), "{}", home.text);
    }
    assert_eq!(place.sessions().await, 1, "the second took the first one's place in this browser");
}

#[tokio::test]
async fn links_per_person_are_limited() {
    let place = TestService::start("client_header = \"X-Forwarded-For\"\n").await;
    mailed(&place, MENTOR, "ok-mentor@example.org").await;
    let mut browser = place.browser();
    let mut asked = Vec::new();
    for client in 0..6 {
        browser.headers = vec![("x-forwarded-for", format!("10.0.0.{client}"))];
        asked.push(browser.post("/sign-in/link", &[("address", "ok-mentor@example.org")]).await.status);
    }
    assert_eq!(asked, [303, 303, 303, 303, 303, 429], "an address");
    // The proxy appends its value after the client's own.
    let mut sent = 0;
    let refused = loop {
        browser.headers = vec![("x-forwarded-for", format!("10.0.1.{sent}, 10.0.2.1"))];
        let address = format!("ok-{sent}@example.org");
        let answer = browser.post("/sign-in/link", &[("address", &address)]).await;
        if answer.status != 303 || sent == 5_000 {
            break answer;
        }
        sent += 1;
    };
    assert_eq!(refused.status, 429, "a client, after {sent}");
    assert!(sent >= 20, "{sent}");
    mailed(&place, "00000000-0000-4000-8000-0000000100a3", "ok-last@example.org").await;
    browser.headers = vec![("x-forwarded-for", "10.0.3.1".to_owned())];
    browser.post("/sign-in/link", &[("address", "ok-last@example.org")]).await;
    // Requests are handled in order, so all before the last one have been handled.
    place.database.until("select exists (select from certvakt.mail_queue l join certvakt.contact_points c on c.id = l.contact_point_id where c.address = 'ok-last@example.org' and l.mailed_at is not null)").await;
    let mails = place.mail.mails();
    assert_eq!(mails.iter().filter(|mail| mail["headers"]["to"] == "ok-mentor@example.org").count(), 3);
}

#[tokio::test]
async fn an_unsent_letter_gets_a_new_token_and_a_refused_one_is_not_tried_again() {
    let place = TestService::start("").await;
    for (person, address) in
        [(MENTOR, "later-1@example.org"), ("00000000-0000-4000-8000-0000000100a3", "unknown-1@example.org")]
    {
        mailed(&place, person, address).await;
        place.browser().post("/sign-in/link", &[("address", address)]).await;
    }
    let state = "select string_agg(concat_ws(' ', mail_due_at > now(), mailed_at is null), ', ' order by person_id) from certvakt.mail_queue";
    place.database.until(&format!("select ({state}) is not distinct from 't t, t'")).await;
    let before: String = place
        .database
        .value("select encode(token_hash, 'hex') from certvakt.mail_queue where mail_due_at is not null")
        .await;
    // The mail server works again; a process that died in between leaves the same state.
    place.database.execute("update certvakt.contact_points set address = 'ok-1@example.org' where address = 'later-1@example.org'; update certvakt.mail_queue set mail_due_at = now() where mail_due_at is not null").await;
    let mails = all_mailed(&place, 1).await;
    let after: String = place
        .database
        .value("select encode(token_hash, 'hex') from certvakt.mail_queue where mailed_at is not null")
        .await;
    assert_ne!(before, after, "the first token is dead");
    let mut browser = place.browser();
    let page = browser.get(&address_in(&mails[0])).await;
    assert_eq!(press(&mut browser, &page).await.status, 200);
    place.service.until_said("refused with 550").await;
}

#[tokio::test]
async fn a_refusal_of_the_sender_keeps_the_letter_and_shows_until_one_is_mailed() {
    let place = TestService::start("").await;
    mailed(&place, MENTOR, "ok-mentor@example.org").await;
    place.mail.answer("mail", "553 5.7.1 <varsel@example.org>: sender address rejected");
    let mut browser = place.browser();
    browser.post("/sign-in/link", &[("address", "ok-mentor@example.org")]).await;
    place.database.until("select exists (select from certvakt.channel_stops where channel = 'email' and organisation_id is null and reason = 'refused with 553 5.7.1 at MAIL FROM')").await;
    let waits: bool = place
        .database
        .value("select mailed_at is null and mail_due_at > now() from certvakt.mail_queue")
        .await;
    assert!(waits, "the address is not at fault");
    place.service.until_metric("certvakt_channel_stopped{channel=\"email\"} 1").await;
    place.mail.recover();
    place.database.execute("update certvakt.mail_queue set mail_due_at = now()").await;
    assert_eq!(all_mailed(&place, 1).await.len(), 1);
    place.database.until("select not exists (select from certvakt.channel_stops)").await;
}

#[tokio::test]
async fn an_invitation_goes_to_its_person_alone_and_makes_another_login_theirs() {
    let place = TestService::start("").await;
    place.known("coordinator").await;
    mailed(&place, MENTOR, "ok-mentor@example.org").await;
    mailed(&place, "00000000-0000-4000-8000-0000000100a3", "ok-beside@example.org").await;
    let mut coordinator = place.browser();
    coordinator.sign_in("/sign-in/provider", "coordinator").await;
    let csrf: Value = serde_json::from_str(&coordinator.get("/sign-in/session").await.text).unwrap();
    coordinator.headers = vec![("x-csrf-token", csrf["csrf"].as_str().unwrap().to_owned())];
    // A person of another chapter, one without an e-mail address, and an unknown one: the same response.
    let mut refused = Vec::new();
    for person in ["0000000100a3", "0000000100a4", "00000000dead"] {
        let path = format!("/api/v1/people/00000000-0000-4000-8000-{person}/invitation");
        let answer = coordinator.post(&path, &[]).await;
        refused.push((answer.status, answer.text));
    }
    assert_eq!(refused[0].0, 404);
    assert!(refused.iter().all(|one| *one == refused[0]), "{refused:?}");
    let path = format!("/api/v1/people/{MENTOR}/invitation");
    for _ in 0..2 {
        let invited = coordinator.post(&path, &[]).await;
        assert_eq!((invited.status, &*invited.text), (202, ""), "no token in sight");
    }
    let mails = all_mailed(&place, 1).await;
    let [mail] = &mails[..] else { panic!("once in ten minutes: {mails:?}") };
    assert_eq!(mail["headers"]["to"], "ok-mentor@example.org");
    assert_eq!(mail["headers"]["subject"], "Du er invitert til å logge inn");
    let asked: String = place.database.value("select requested_by::text from certvakt.mail_queue").await;
    assert_eq!(asked, "00000000-0000-4000-8000-000000000001");

    let address = address_in(mail);
    let page = coordinator.get(&address).await;
    let taken = press(&mut coordinator, &page).await;
    assert_eq!(taken.status, 409, "who is somebody does not become another: {}", taken.text);
    let mut newcomer = place.browser();
    let page = newcomer.get(&address).await;
    let sign_in = between(&page.text, "class=\"button\" href=\"", "\"").replace("&#38;", "&");
    let choice = newcomer.get(&sign_in).await;
    let provider = between(&choice.text, "class=\"button\" href=\"", "\"").replace("&#38;", "&");
    let page = newcomer.sign_in(&provider, "newcomer").await;
    assert_eq!(page.url, address, "and back to the invitation");
    let me = newcomer.get(HOME).await;
    assert!(me.text.contains("hører ikke til noen her"), "{}", me.text);
    let home = press(&mut newcomer, &page).await;
    assert!(home.text.contains("Mentor a2, likeperson"), "{}", home.text);
    let mut thief = place.browser();
    let page = thief
        .sign_in(
            &format!("/sign-in/provider?return_to={}", address.split_once("example").unwrap().1),
            "thief",
        )
        .await;
    assert_eq!(press(&mut thief, &page).await.status, 404, "it is good once");
}

/// Follows an invitation, signing in at the provider with this login unless the browser is signed in.
async fn accepts(place: &TestService, browser: &mut Browser, token: &str, login: Option<&str>) -> Answer {
    place
        .database
        .execute(&format!(
            "insert into certvakt.invitations (person_id, token_hash, expires_at)
             values ('{MENTOR}', sha256('{token}'), now() + interval '1 day')"
        ))
        .await;
    let path = format!("/sign-in/invitation?token={token}");
    let page = match login {
        Some(login) => browser.sign_in(&format!("/sign-in/provider?return_to={path}"), login).await,
        None => browser.get(&path).await,
    };
    press(browser, &page).await
}

#[tokio::test]
async fn an_invitation_leads_to_the_page_that_the_person_wanted() {
    let place = TestService::start("").await;
    let page = "/certifications/00000000-0000-4000-8000-0000000200a2";
    let wanted = format!("https://certvakt.example{page}");
    // Signed in before the invitation came, and signed in for it.
    let mut before = place.browser();
    before.sign_in(&format!("/sign-in/provider?return_to={page}"), "before").await;
    let nobody = before.follow(Method::GET, page, &[]).await;
    assert!(nobody.text.contains("hører ikke til noen her"), "{}", nobody.text);
    let shown = accepts(&place, &mut before, &"1".repeat(64), None).await;
    assert_eq!((shown.status, &*shown.url), (200, &*wanted));
    let mut after = place.browser();
    after.follow(Method::GET, page, &[]).await;
    let shown = accepts(&place, &mut after, &"2".repeat(64), Some("after")).await;
    assert_eq!((shown.status, &*shown.url), (200, &*wanted));
    assert!(!after.cookies.keys().any(|name| name.ends_with("wanted")), "it is forgotten");

    for (number, elsewhere) in
        ["https://elsewhere.example/", "//elsewhere.example", "/%5Celsewhere", "/sign-in/invitation?token=x"]
            .into_iter()
            .enumerate()
    {
        let mut browser = place.browser();
        browser.get(&format!("/sign-in?return_to={elsewhere}")).await;
        assert!(browser.cookies.is_empty(), "{elsewhere}");
        // Nor does a cookie lead there that another program wrote.
        let cookie = "certvakt.example __Host-certvakt-wanted".to_owned();
        browser.cookies.insert(cookie, elsewhere.replace("%5C", "\\"));
        let token = format!("{:064}", 300 + number);
        let shown = accepts(&place, &mut browser, &token, Some(&format!("login-{number}"))).await;
        assert_eq!((shown.status, &*shown.url), (200, "https://certvakt.example/me"), "{elsewhere}");
    }
}

#[tokio::test]
async fn nobody_is_invited_without_a_mail_server() {
    let place = TestService::start("").await;
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "[serve]\nlisten = \"127.0.0.1:0\"\n[sign_in]\npublic_url = \"https://certvakt.example\"\n\
         {}",
        place.client("certvakt")
    );
    let config = crate::stand_in::write_config(folder.path(), &text);
    let service = crate::service::Service::start(&place.database, &config, NOON);
    place.known("coordinator").await;
    let mut browser = place.browser();
    browser.service = format!("http://{}", service.address());
    browser.sign_in("/sign-in/provider", "coordinator").await;
    let csrf: Value = serde_json::from_str(&browser.get("/sign-in/session").await.text).unwrap();
    browser.headers = vec![("x-csrf-token", csrf["csrf"].as_str().unwrap().to_owned())];
    let answer = browser.post(&format!("/api/v1/people/{MENTOR}/invitation"), &[]).await;
    assert!(answer.status == 503 && answer.text.contains("mail-off"), "{}", answer.text);
    assert_eq!(browser.post("/sign-in/link", &[("address", "a@example.org")]).await.status, 404);
}
