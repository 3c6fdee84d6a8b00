//! Consent to being listed needs a proven login: an address that an administrator adds to the register proves
//! nothing.

use reqwest::Method;
use serde_json::{Value, json};

use super::links::{address_in, press};
use super::{Browser, TestService, between};

const A: &str = "00000000-0000-4000-8000-0000000000a0";
/// A second administrator of the organisation A.
const SECOND: &str = "00000000-0000-4000-8000-000000000012";

/// A service with an enrolled mentor whom a register added with an address.
struct Mentor {
    place: TestService,
    id: String,
    consent: String,
}

impl Mentor {
    async fn known_by(address: &str) -> Self {
        let place = TestService::start("").await;
        import(&place, address);
        let id: String = place
            .database
            .value("select peer_mentor_id::text from public.peer_mentor_certifications where external_id = 'm-1'")
            .await;
        place
            .database
            .execute(&format!(
                "insert into certvakt.people (id) values ('{SECOND}');
                 insert into certvakt.memberships (organisation_id, chapter_id, person_id, role)
                   values ('{A}', '00000000-0000-4000-8000-0000000000a1', '{SECOND}', 'org_admin');
                 insert into certvakt.identities (issuer, subject, person_id)
                   values ('https://issuer.example', 'second', '{SECOND}');
                 insert into certvakt.partners (organisation_id, code) values ('{A}', 'portal');
                 insert into certvakt.partner_types values ('{A}', 'portal', 'type');
                 insert into certvakt.listings (organisation_id, partner, partner_key, person_id)
                   values ('{A}', 'portal', 'M-1', '{id}')"
            ))
            .await;
        Self { place, id, consent: format!("/api/v1/me/listings/{A}/portal/consent") }
    }

    /// A browser that has opened a link from an e-mail to an address.
    async fn by_link(&self, address: &str) -> Browser {
        let mut browser = self.place.browser();
        browser.post("/sign-in/link", &[("address", address)]).await;
        // The address is looked up after the response has been sent.
        let is_mailed = "select exists (select from certvakt.mail_queue where kind = 'link' and used_at is null and mailed_at is not null)";
        self.place.database.until(is_mailed).await;
        let mail = self.mail(&address.to_lowercase(), "Lenken din for å logge inn").await;
        let page = browser.get(&address_in(&mail)).await;
        press(&mut browser, &page).await;
        with_csrf(&mut browser).await;
        browser
    }

    /// The last e-mail to an address with a subject, once all e-mails are sent.
    async fn mail(&self, address: &str, subject: &str) -> Value {
        self.subjects_to(address).await;
        let mails = self.place.mail.mails();
        let found =
            mails.iter().rfind(|one| one["headers"]["to"] == address && one["headers"]["subject"] == subject);
        found.unwrap_or_else(|| panic!("no {subject} to {address} in {mails:?}")).clone()
    }

    /// The subjects of all e-mails to an address in alphabetical order, once all e-mails are sent.
    async fn subjects_to(&self, address: &str) -> Vec<String> {
        self.place
            .database
            .until("select exists (select from certvakt.mail_queue) and not exists (select from certvakt.mail_queue where mail_due_at is not null)")
            .await;
        let mails = self.place.mail.mails();
        let to = mails.iter().filter(|mail| mail["headers"]["to"] == address);
        let mut subjects: Vec<String> =
            to.map(|mail| mail["headers"]["subject"].as_str().unwrap().to_owned()).collect();
        subjects.sort();
        subjects
    }

    async fn consent(&self, browser: &mut Browser) -> (u16, String) {
        let answer = browser.send(Method::PUT, &self.consent, &[]).await;
        let code: Value = serde_json::from_str(&answer.text).unwrap_or_default();
        (answer.status, code["code"].as_str().unwrap_or_default().to_owned())
    }

    /// The response to a confirmation of the mentor's address.
    async fn confirm(&self, who: &str, address: &str) -> (u16, Value) {
        let body = json!({ "address": address });
        self.place.send(who, json!({}), Method::PUT, &self.confirmations(), Some(&body)).await
    }

    /// The response to an objection.
    async fn object(&self, who: &str) -> u16 {
        self.place.ask(who, Method::DELETE, &self.confirmations()).await.0
    }

    fn confirmations(&self) -> String {
        format!("/people/{}/address-confirmations/{A}", self.id)
    }

    async fn two_weeks_pass(&self) {
        self.place
            .database
            .execute(
                "update certvakt.address_confirmations set confirmed_at = confirmed_at - interval '14 days';
                 update certvakt.address_uses set first_used_at = first_used_at - interval '14 days'",
            )
            .await;
    }

    async fn consents(&self) -> String {
        self.place
            .database
            .value(
                "select coalesce(string_agg(concat_ws(' ', is_given::text, issuer, proof), ', ' order by id), '')
                 from certvakt.listing_consents",
            )
            .await
    }
}

/// Imports a register that gives the mentor an address, as an operator does.
fn import(place: &TestService, address: &str) {
    let register = place.folder.path().join("register.csv");
    std::fs::write(&register, format!("id,til,epost\nm-1,2026-09-01,{address}\n")).unwrap();
    let taken = place.database.json([
        "import",
        register.to_str().unwrap(),
        "--organisation",
        "a",
        "--chapter",
        "own",
        "--type",
        "type",
        "--column",
        "external_id=id",
        "expires_at=til",
        "email=epost",
    ]);
    assert_eq!(taken["rejected"], 0, "{taken}");
}

async fn with_csrf(browser: &mut Browser) {
    let said: Value = serde_json::from_str(&browser.get("/sign-in/session").await.text).unwrap();
    browser.headers = vec![("x-csrf-token", said["csrf"].as_str().unwrap().to_owned())];
}

#[tokio::test]
async fn an_address_put_in_the_place_of_the_mentors_consents_to_nothing() {
    let mentor = Mentor::known_by("ok-mentor@example.org").await;
    import(&mentor.place, "ok-other@example.org");
    assert_eq!(mentor.subjects_to("ok-mentor@example.org").await, ["En adresse er fjernet"]);
    let told = mentor.mail("ok-mentor@example.org", "En adresse er fjernet").await;
    let text = told["parts"][0]["text"].as_str().unwrap();
    assert!(!text.contains("ok-other") && !text.contains("https://"), "nothing of the new address: {text}");

    let mut browser = mentor.by_link("ok-other@example.org").await;
    assert_eq!(mentor.consent(&mut browser).await, (403, "login-unproven".to_owned()));
    // Neither time nor another sign-in proves it.
    mentor.two_weeks_pass().await;
    let mut again = mentor.by_link("ok-other@example.org").await;
    for browser in [&mut browser, &mut again] {
        assert_eq!(mentor.consent(browser).await, (403, "login-unproven".to_owned()));
    }
    assert_eq!(mentor.consents().await, "");
    let subjects = mentor.subjects_to("ok-mentor@example.org").await;
    assert_eq!(
        subjects,
        ["En adresse er fjernet", "Ny innlogging", "Ny innlogging"],
        "the previous address is notified of each browser"
    );
}

#[tokio::test]
async fn two_administrators_and_two_weeks_prove_an_address_unless_one_objects() {
    let mentor = Mentor::known_by("ok-mentor@example.org").await;
    import(&mentor.place, "ok-new@example.org");
    let mut browser = mentor.by_link("ok-new@example.org").await;
    for who in ["coordinator", "both", "mentor", "outsider", "stranger", "nobody"] {
        let expected = match who {
            "nobody" => 401,
            "stranger" => 403,
            _ => 404,
        };
        assert_eq!(mentor.confirm(who, "ok-new@example.org").await.0, expected, "{who}");
        assert_eq!(mentor.object(who).await, expected, "{who}");
    }
    for address in ["ok-mentor@example.org", "ok-nobody@example.org", "none", ""] {
        assert_eq!(mentor.confirm("administrator", address).await.0, 404, "not theirs now: {address}");
    }
    for _ in 0..2 {
        let one = json!({ "number": 1, "counts_from": null });
        assert_eq!(
            mentor.confirm("administrator", "OK-new@example.org").await,
            (200, one),
            "one counts once"
        );
    }
    mentor.two_weeks_pass().await;
    assert_eq!(mentor.consent(&mut browser).await.0, 403, "one is not enough, however long ago");
    let (status, body) = mentor.confirm("second", "ok-new@example.org").await;
    assert_eq!((status, &body["number"]), (200, &json!(2)));
    assert_eq!(
        mentor.subjects_to("ok-mentor@example.org").await,
        [
            "En adresse er fjernet",
            "En annen adresse er bekreftet som din",
            "En annen adresse er bekreftet som din",
            "Ny innlogging"
        ]
    );
    assert_eq!(mentor.consent(&mut browser).await.0, 403, "the second begins the two weeks");
    mentor.two_weeks_pass().await;
    assert_eq!(mentor.consent(&mut browser).await, (204, String::new()));
    let by: String = mentor
        .place
        .database
        .value("select coalesce(string_agg(concat_ws(' ', issuer, proof), ', '), '') from certvakt.address_confirmations")
        .await;
    assert_eq!(by, "https://issuer.example login, https://issuer.example login");
    // Consent that was given stays; giving it again needs a new proof.
    assert_eq!(mentor.object("second").await, 204);
    assert_eq!(mentor.consent(&mut browser).await.0, 204);
    assert_eq!(browser.send(Method::DELETE, &mentor.consent.clone(), &[]).await.status, 204);
    assert_eq!(mentor.consent(&mut browser).await.0, 403);
    assert_eq!(
        mentor.consents().await,
        "true urn:certvakt:link confirmed-address, false urn:certvakt:link",
        "how each was authenticated"
    );
    for who in ["administrator", "second"] {
        assert_eq!(mentor.confirm(who, "ok-new@example.org").await.0, 200);
    }
    mentor.two_weeks_pass().await;
    // The confirmation of a former administrator does not count.
    let role = |is: &str, was: &str| {
        format!(
            "update certvakt.memberships set role = '{is}' where person_id = '{SECOND}' and role = '{was}'"
        )
    };
    mentor.place.database.execute(&role("coordinator", "org_admin")).await;
    assert_eq!(mentor.consent(&mut browser).await.0, 403);
    mentor.place.database.execute(&role("org_admin", "coordinator")).await;
    // An address that leaves the register loses its confirmations, even if it comes back.
    import(&mentor.place, "ok-newest@example.org");
    assert_eq!(mentor.consent(&mut browser).await.0, 403);
    import(&mentor.place, "ok-new@example.org");
    assert_eq!(mentor.consent(&mut browser).await.0, 403);
}

#[tokio::test]
async fn one_administrator_cannot_confirm_as_another() {
    let mentor = Mentor::known_by("ok-mentor@example.org").await;
    import(&mentor.place, "ok-evil@example.org");
    // The first administrator also set the second administrator's address.
    super::links::mailed(&mentor.place, SECOND, "ok-evil-2@example.org").await;
    assert_eq!(mentor.confirm("administrator", "ok-evil@example.org").await.0, 200);
    let second = mentor.by_link("ok-evil-2@example.org").await;
    let body = json!({ "address": "ok-evil@example.org" });
    for _ in 0..2 {
        let url = format!("{}/api/v1{}", second.service, mentor.confirmations());
        let cookie = format!("__Host-certvakt={}", second.cookies["certvakt.example __Host-certvakt"]);
        let request = second.client.put(url).header("cookie", cookie).json(&body);
        let answer = request.header("x-csrf-token", &second.headers[0].1).send().await.unwrap();
        let (status, said) = (answer.status().as_u16(), answer.json::<Value>().await.unwrap());
        assert_eq!((status, &said["code"]), (403, &json!("login-unproven")));
        mentor.two_weeks_pass().await;
    }
    // Nobody can confirm their own address.
    super::links::mailed(&mentor.place, "00000000-0000-4000-8000-000000000002", "ok-evil@example.org").await;
    assert_eq!(mentor.confirm("administrator", "ok-evil@example.org").await.0, 404);
    let own = format!("/people/{SECOND}/address-confirmations/{A}");
    let body = json!({ "address": "ok-evil-2@example.org" });
    assert_eq!(mentor.place.send("second", json!({}), Method::PUT, &own, Some(&body)).await.0, 404);
}

#[tokio::test]
async fn the_first_address_proves_its_person_two_weeks_after_they_have_used_it() {
    let mentor = Mentor::known_by("ok-mentor@example.org").await;
    let mut browser = mentor.by_link("OK-Mentor@example.org").await;
    assert_eq!(mentor.consent(&mut browser).await, (403, "login-unproven".to_owned()));
    mentor.two_weeks_pass().await;
    // A different spelling in a register is the same address.
    import(&mentor.place, "ok-Mentor@example.org");
    assert_eq!(mentor.consent(&mut browser).await.0, 204);
    assert_eq!(mentor.consents().await, "true urn:certvakt:link used-address");
}

#[tokio::test]
async fn another_organisations_first_address_proves_nothing_here() {
    let mentor = Mentor::known_by("ok-mentor@example.org").await;
    // As if the other organisation had known the person first.
    mentor
        .place
        .database
        .execute(&format!(
            "update certvakt.people set created_at = created_at - interval '1 day' where id = '{0}';
             insert into certvakt.contact_points (person_id, organisation_id, kind, address, created_at)
             select id, '00000000-0000-4000-8000-0000000000b0', 'email', 'ok-b@example.org', created_at
             from certvakt.people where id = '{0}'",
            mentor.id
        ))
        .await;
    let mut browser = mentor.by_link("ok-b@example.org").await;
    mentor.two_weeks_pass().await;
    assert_eq!(mentor.consent(&mut browser).await.0, 403);
    // The other organisation's address is not notified of confirmations in this one.
    assert_eq!(mentor.confirm("administrator", "ok-mentor@example.org").await.0, 200);
    assert_eq!(mentor.confirm("administrator", "ok-b@example.org").await.0, 404);
    let told = mentor.subjects_to("ok-b@example.org").await;
    assert!(!told.iter().any(|subject| subject.contains("bekreftet")), "{told:?}");
}

#[tokio::test]
async fn a_providers_login_proves_its_person_unless_its_invitation_went_to_a_later_address() {
    for (later, expected) in [(None, (204, "")), (Some("ok-other@example.org"), (403, "login-unproven"))] {
        let mentor = Mentor::known_by("ok-mentor@example.org").await;
        if let Some(later) = later {
            import(&mentor.place, later);
        }
        let address = later.unwrap_or("ok-mentor@example.org");
        let path = format!("/people/{}/invitation", mentor.id);
        assert_eq!(mentor.place.ask("administrator", Method::POST, &path).await.0, 202);
        let invitation = address_in(&mentor.mail(address, "Du er invitert til å logge inn").await);
        let mut browser = mentor.place.browser();
        let page = browser.get(&invitation).await;
        let sign_in = between(&page.text, "class=\"button\" href=\"", "\"").replace("&#38;", "&");
        let choice = browser.get(&sign_in).await;
        let provider = between(&choice.text, "class=\"button\" href=\"", "\"").replace("&#38;", "&");
        let page = browser.sign_in(&provider, "newcomer").await;
        press(&mut browser, &page).await;
        with_csrf(&mut browser).await;
        let (status, code) = mentor.consent(&mut browser).await;
        assert_eq!((status, &*code), expected, "{address}");
        let consents = mentor.consents().await;
        let issuer = &mentor.place.issuer;
        assert_eq!(consents, if later.is_none() { format!("true {issuer} login") } else { String::new() });
        if let Some(later) = later {
            // The previous address is notified of the login.
            let told = mentor.subjects_to("ok-mentor@example.org").await;
            assert!(told.contains(&"Ny innlogging".to_owned()), "{told:?}");
            for administrator in ["administrator", "second"] {
                assert_eq!(mentor.confirm(administrator, later).await.0, 200);
            }
            mentor.two_weeks_pass().await;
            assert_eq!(mentor.consent(&mut browser).await.0, 204);
        }
    }
}

#[tokio::test]
async fn a_changed_address_is_announced_to_the_others_once() {
    let mentor = Mentor::known_by("ok-mentor@example.org").await;
    import(&mentor.place, "ok-Mentor@example.org");
    mentor
        .place
        .database
        .execute(&format!(
            "insert into certvakt.contact_points (person_id, kind, address) values ('{}', 'email', 'ok-own@example.org')",
            mentor.id
        ))
        .await;
    assert_eq!(mentor.subjects_to("ok-mentor@example.org").await, ["En adresse er lagt til"]);
    assert_eq!(mentor.subjects_to("ok-own@example.org").await, Vec::<String>::new());
    // Registers that contradict each other every night cause one notification.
    for _ in 0..3 {
        import(&mentor.place, "ok-other@example.org");
        import(&mentor.place, "ok-mentor@example.org");
    }
    assert_eq!(
        mentor.subjects_to("ok-mentor@example.org").await,
        ["En adresse er fjernet", "En adresse er lagt til"]
    );
    assert_eq!(mentor.subjects_to("ok-other@example.org").await, ["En adresse er fjernet"]);
    // An organisation that is deleted changes nobody's address.
    let before: i64 = mentor.place.database.value("select count(*) from certvakt.mail_queue").await;
    mentor
        .place
        .database
        .execute(
            "insert into certvakt.organisations (id, slug, name, time_zone)
               values ('00000000-0000-4000-8000-0000000000c0', 'c', 'C', 'Europe/Oslo');
             insert into certvakt.contact_points (person_id, organisation_id, kind, address)
               select person_id, '00000000-0000-4000-8000-0000000000c0', 'email', 'ok-c@example.org'
               from certvakt.memberships where organisation_id = '00000000-0000-4000-8000-0000000000b0' limit 1;
             delete from certvakt.organisations where slug = 'c'",
        )
        .await;
    let left: i64 = mentor
        .place
        .database
        .value("select count(*) from certvakt.former_addresses where address = 'ok-c@example.org'")
        .await;
    assert_eq!(
        (left, mentor.place.database.value::<i64>("select count(*) from certvakt.mail_queue").await),
        (0, before)
    );
}

#[tokio::test]
async fn a_link_leaves_before_any_number_of_notices() {
    let place = TestService::start("").await;
    super::links::mailed(&place, super::links::MENTOR, "ok-mentor@example.org").await;
    place
        .database
        .execute(&format!(
            "insert into certvakt.mail_queue (kind, person_id, address, valid_for)
             select 'address-removed', '{}', 'ok-' || n || '@example.org', interval '14 days' from generate_series(1, 2000) n",
            super::links::MENTOR
        ))
        .await;
    place.browser().post("/sign-in/link", &[("address", "ok-mentor@example.org")]).await;
    let left =
        "select exists (select from certvakt.mail_queue where kind = 'link' and mailed_at is not null)";
    place.database.until(left).await;
    let behind: bool = place
        .database
        .value(
            "select count(*) > 0 from certvakt.mail_queue n, certvakt.mail_queue l
             where l.kind = 'link' and n.kind <> 'link' and (n.mailed_at is null or n.mailed_at > l.mailed_at)",
        )
        .await;
    assert!(behind, "it overtook notices that were due before");
}
