//! The first run: the printed URL, with which the first organisation is added in a browser.

use super::links::{address_in, all_mailed, press};
use super::{Answer, Browser, PUBLIC, Provider, TestService};
use crate::harness::TestDatabase;

/// A form that is right.
const RIGHT: [(&str, &str); 8] = [
    ("organisation", "Hørselhemmedes forening"),
    ("locale", "nb"),
    ("timezone", "Europe/Oslo"),
    ("chapter", "Østre Åsen"),
    ("type_name", "Likeperson"),
    ("months", "24"),
    ("name", "Åse Leder"),
    ("address", "ok-leder@EXAMPLE.org"),
];

async fn empty(more: &str) -> TestService {
    TestService::on(TestDatabase::rehearsal().await, Provider::shared(), more)
}

/// The token of the printed URL.
async fn token(place: &TestService) -> String {
    let start = format!("{PUBLIC}/setup?token=");
    place.service.printed(&start).await.strip_prefix(&start).unwrap().to_owned()
}

async fn open(browser: &mut Browser, token: &str) -> Answer {
    browser.get(&format!("/setup?token={token}")).await
}

/// Sends a form that is right except for some of its fields.
async fn send(browser: &mut Browser, token: &str, other: &[(&str, &str)]) -> Answer {
    let mut form = vec![("token", token)];
    form.extend(RIGHT.iter().map(|field| other.iter().find(|one| one.0 == field.0).unwrap_or(field)));
    browser.post("/setup", &form).await
}

async fn organisations(place: &TestService) -> i64 {
    place.database.value("select count(*) from certvakt.organisations").await
}

#[tokio::test]
async fn the_printed_url_leads_to_an_organisation_and_its_administrator_once() {
    let place = empty("").await;
    let token = token(&place).await;
    let stored: bool = place
        .database
        .value(&format!("select setup_hash = sha256('{token}') from certvakt.installation"))
        .await;
    assert!(stored, "only the hash is stored");
    let mut browser = place.browser();
    for _ in 0..2 {
        let page = open(&mut browser, &token).await;
        assert_eq!(page.status, 200, "to look uses nothing up: {}", page.text);
        assert!(page.text.contains("value=\"Europe/Oslo\""), "{}", page.text);
        assert_eq!(page.headers["referrer-policy"], "no-referrer");
    }
    let done = send(&mut browser, &token, &[]).await;
    assert_eq!(done.status, 303, "{}", done.text);
    let done = browser.get(&done.location.unwrap()).await;
    assert!(done.text.contains("Foreningen er opprettet"), "{}", done.text);
    let (form, below) = done.text.split_once("</form>").unwrap();
    assert!(
        !form.contains("href=\"/sign-in") && below.contains("\">Be om en ny e-post</a>"),
        "{}",
        done.text
    );
    let added: String = place
        .database
        .value(
            "select concat_ws(' ', o.slug, o.time_zone, o.locale, h.slug, t.code, t.validity_months, m.role, i.operator)
             from certvakt.organisations o join certvakt.chapters h on h.organisation_id = o.id
             join certvakt.certification_types t on t.organisation_id = o.id
             join certvakt.memberships m on m.chapter_id = h.id, certvakt.command_log i where i.command = 'setup'",
        )
        .await;
    assert_eq!(added, "horselhemmedes-forening Europe/Oslo nb ostre-asen likeperson 24 org_admin setup URL");
    for _ in 0..2 {
        assert_eq!(open(&mut browser, &token).await.status, 404);
        assert_eq!(send(&mut browser, &token, &[]).await.status, 404, "it works once");
    }
    assert_eq!(organisations(&place).await, 1);

    // The link proves the address.
    let mails = all_mailed(&place, 1).await;
    assert_eq!(mails[0]["headers"]["to"], "ok-leder@example.org");
    let page = browser.get(&address_in(&mails[0])).await;
    let home = press(&mut browser, &page).await;
    assert!(home.text.contains("Åse Leder, administrator"), "{}", home.text);
    assert!(home.text.contains("href=\"/imports\""), "the next step: {}", home.text);
    let today = browser.get("/today").await;
    assert!(today.text.contains("Ingen sertifiseringer ennå"), "{}", today.text);
    let steps = today.text.split_once("viser denne siden hvem som trenger deg").expect("what it is for").1;
    for path in ["/imports", "/certifications/new"] {
        assert!(steps.contains(&format!("<li><a href=\"{path}\">")), "{path} in {steps}");
        assert_eq!(browser.get(path).await.status, 200, "{path}");
    }
    let new = browser.get("/certifications/new").await;
    assert!(new.text.contains("/people/new\">Legg til en person i"), "{}", new.text);
    let none =
        "Det er ingen sertifiseringer her ennå. De kommer når registeret er importert. <a href=\"/imports\">";
    assert!(browser.get("/certifications").await.text.contains(none));
    let filtered = browser.get("/certifications?q=nobody").await;
    assert!(filtered.text.contains("Ingen sertifiseringer passer."), "{}", filtered.text);
    let place = place.again("");
    let offered: bool =
        place.database.value("select setup_hash is not null from certvakt.installation").await;
    assert!(!offered && !place.service.output().contains("/setup"), "a restart offers nothing");
    let log = place.service.end();
    assert!(!log.contains(&token) && !log.contains("Leder"), "{log}");
}

#[tokio::test]
async fn a_form_that_is_wrong_keeps_what_was_entered() {
    let place = empty("").await;
    let token = token(&place).await;
    let mut browser = place.browser();
    let long = "a".repeat(201);
    for (field, wrong) in [
        ("organisation", " "),
        ("organisation", &long),
        ("chapter", ""),
        ("type_name", "\u{1b}[31m"),
        ("name", "\u{202e}"),
        ("address", "nobody"),
        ("months", "0"),
        ("months", "1201"),
        ("months", "2 år"),
        ("timezone", "Oslo"),
        ("locale", "fr"),
    ] {
        let refused = send(&mut browser, &token, &[(field, wrong)]).await;
        assert_eq!(refused.status, 422, "{field}: {}", refused.text);
        assert!(refused.text.contains("<title>Feil: "), "{}", refused.text);
        assert_eq!(refused.text.matches("<li><a href=\"#").count(), 1, "{}", refused.text);
        assert!(refused.text.contains(&format!("<li><a href=\"#{field}\">")), "{field}: {}", refused.text);
        let (other, kept) =
            if field == "chapter" { ("name", "Åse Leder") } else { ("chapter", "Østre Åsen") };
        assert!(
            refused.text.contains(&format!("name=\"{other}\"")) && refused.text.contains(kept),
            "{}",
            refused.text
        );
    }
    let all = browser.post("/setup", &[("token", &token)]).await;
    assert_eq!((all.status, all.text.matches("<li><a href=\"#").count()), (422, 7), "{}", all.text);
    assert_eq!(organisations(&place).await, 0);
    let escaped = send(&mut browser, &token, &[("organisation", "<script>\"&"), ("months", "x")]).await;
    assert!(!escaped.text.contains("<script>"), "{}", escaped.text);
    // Certifications with a date each.
    assert_eq!(send(&mut browser, &token, &[("months", "")]).await.status, 303);
    let valid: bool =
        place.database.value("select validity_months is null from certvakt.certification_types").await;
    assert!(valid);
}

#[tokio::test]
async fn nobody_else_can_set_up() {
    let place = empty("").await;
    let first = token(&place).await;
    let mut browser = place.browser();
    for wrong in ["", "short", &"A".repeat(43), &format!("{}A", &first[..42])] {
        if wrong != first {
            assert_eq!(open(&mut browser, wrong).await.status, 404, "{wrong}");
            assert_eq!(send(&mut browser, wrong, &[]).await.status, 404, "{wrong}");
        }
    }
    browser.headers.push(("sec-fetch-site", "cross-site".to_owned()));
    assert_eq!(send(&mut browser, &first, &[]).await.status, 403, "another site");
    let mut browser = place.browser();
    place.database.execute("update certvakt.installation set setup_ends_at = now()").await;
    assert_eq!(open(&mut browser, &first).await.status, 404, "after an hour");
    assert_eq!(send(&mut browser, &first, &[]).await.status, 404, "after an hour");
    let place = place.again("");
    let second = token(&place).await;
    let mut browser = place.browser();
    assert_eq!(open(&mut browser, &first).await.status, 404, "a restart prints another");
    assert_eq!(open(&mut browser, &second).await.status, 200);
    place.database.with_organisation();
    assert_eq!(open(&mut browser, &second).await.status, 404, "an organisation exists");
    assert_eq!(send(&mut browser, &second, &[]).await.status, 404, "an organisation exists");
    assert_eq!(organisations(&place).await, 1);
    let mut last = 0;
    for _ in 0..30 {
        last = open(&mut browser, &second).await.status;
    }
    assert_eq!(last, 429, "guessing is limited");
}

#[tokio::test]
async fn of_concurrent_forms_one_adds_an_organisation() {
    let place = empty("").await;
    let token = token(&place).await;
    let mut browsers: Vec<Browser> = (0..8).map(|_| place.browser()).collect();
    let sent = browsers.iter_mut().map(|browser| send(browser, &token, &[]));
    let mut statuses: Vec<u16> =
        futures_util::future::join_all(sent).await.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 404, 404, 404, 404, 404, 404, 404]);
    assert_eq!(organisations(&place).await, 1);
}

#[tokio::test]
async fn without_links_by_mail_the_administrator_accepts_an_invitation_at_the_provider() {
    let place = empty("links = false\n").await;
    let token = token(&place).await;
    let mut browser = place.browser();
    let done = send(&mut browser, &token, &[]).await;
    let invitation = done.location.unwrap();
    assert!(invitation.starts_with(&format!("{PUBLIC}/sign-in/invitation?token=")), "{invitation}");
    browser.sign_in("/sign-in/provider", "leader").await;
    let page = browser.get(&invitation).await;
    let home = press(&mut browser, &page).await;
    assert!(home.text.contains("Åse Leder, administrator"), "{}", home.text);
}
