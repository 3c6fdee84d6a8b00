//! The people of an organisation and their roles, in its settings.

use super::{element, signed_in};
use crate::sign_in::{Answer, Browser, TestService, between};

const A: &str = "/settings/00000000-0000-4000-8000-0000000000a0/people";
const ADMINISTRATOR: &str = "00000000-0000-4000-8000-000000000002";
const COORDINATOR: &str = "00000000-0000-4000-8000-000000000001";
const MENTOR: &str = "00000000-0000-4000-8000-0000000100a4";
const OWN: &str = "00000000-0000-4000-8000-0000000000a2";
const BELOW: &str = "00000000-0000-4000-8000-0000000000a4";

/// Who has which role in organisation A, without mentors.
async fn held(place: &TestService) -> String {
    place
        .database
        .value(
            "select coalesce(string_agg(p.name || ' ' || m.role || ' ' || c.slug, ', ' order by p.name, m.role, c.slug), '')
             from certvakt.memberships m join certvakt.people p on p.id = m.person_id join certvakt.chapters c on c.id = m.chapter_id
             where m.role <> 'mentor' and c.organisation_id = '00000000-0000-4000-8000-0000000000a0'",
        )
        .await
}

/// Sends a form of a person's page; `what` is the resource.
async fn change(browser: &mut Browser, person: &str, what: &str, fields: &[(&str, &str)]) -> Answer {
    let path = format!("{A}/{person}/{what}");
    let csrf = between(&browser.get("/me").await.text, "name=\"csrf\" value=\"", "\"");
    let mut sent = vec![("csrf", csrf.as_str())];
    sent.extend(fields);
    browser.post(&path, &sent).await
}

/// Sends a form twice, and returns the page to which it leads.
async fn saved(browser: &mut Browser, person: &str, what: &str, fields: &[(&str, &str)]) -> Answer {
    let mut to = None;
    for _ in 0..2 {
        let answer = change(browser, person, what, fields).await;
        assert_eq!(answer.status, 303, "{fields:?}: {}", answer.text);
        to = answer.location;
    }
    browser.get(&to.unwrap()).await
}

const BEFORE: &str =
    "Administrator org_admin top, Coordinator coordinator own, Coordinator and mentor coordinator beside";

#[tokio::test]
async fn an_administrator_finds_people_and_their_roles() {
    let place = TestService::start("").await;
    place
        .database
        .execute(&format!(
            "update certvakt.person_names set name = 'Åse Ødegård' where person_id = '{MENTOR}'"
        ))
        .await;
    let mut browser = signed_in(&place, "administrator").await;
    let page = browser.get(A).await;
    assert_eq!(element(&page, "h1"), "Personer og roller i A");
    for shown in [ADMINISTRATOR, COORDINATOR, "Koordinator i Own", "Koordinator i Beside", "Kan logge inn"] {
        assert!(page.text.contains(shown), "{shown} in {}", page.text);
    }
    assert!(!page.text.contains(MENTOR), "mentors are only found by a search: {}", page.text);
    for name in ["ase", "Aase", "Åse", "ØDEG"] {
        let page = browser.get(&format!("{A}?q={name}")).await;
        assert!(
            page.text.contains("Åse Ødegård") && page.text.contains("Likeperson i Below"),
            "{name}: {}",
            page.text
        );
    }
    let nobody = browser.get(&format!("{A}?q=Mentor+b1")).await;
    assert!(nobody.text.contains("Ingen passer med søket."), "{}", nobody.text);
    assert_eq!(browser.get(&format!("{A}?after=x")).await.status, 404);
}

#[tokio::test]
async fn the_list_of_people_has_fifty_on_a_page_in_the_order_of_the_norwegian_alphabet() {
    let place = TestService::start("").await;
    place
        .database
        .execute(&format!(
            "with new as (
               insert into certvakt.people (name) select 'Ny ' || lpad(n::text, 3, '0') from generate_series(1, 96) n
               union all values ('Aase'), ('Ærlig') returning id)
             insert into certvakt.memberships (organisation_id, chapter_id, person_id, role)
             select '00000000-0000-4000-8000-0000000000a0', '{OWN}', new.id, 'coordinator' from new"
        ))
        .await;
    let mut browser = signed_in(&place, "administrator").await;
    let (mut to, mut sizes, mut names) = (Some(A.to_owned()), Vec::new(), Vec::new());
    while let Some(path) = to {
        let page = browser.get(&path).await;
        let rows = page.text.split("<li><div><h2>").skip(1).map(|row| row.split("</").next().unwrap());
        let rows: Vec<String> = rows.map(|row| row.rsplit('>').next().unwrap().to_owned()).collect();
        sizes.push(rows.len());
        names.extend(rows);
        let next = page.text.split_once(&format!("href=\"{A}?after="));
        to = next.map(|(_, rest)| format!("{A}?after={}", rest.split('"').next().unwrap()));
    }
    assert_eq!(sizes, [50, 50, 1], "98 new ones and the three of the test data");
    let mut expected = vec!["Administrator".to_owned(), "Coordinator".into(), "Name in A".into()];
    expected.extend((1..=96).map(|n| format!("Ny {n:03}")));
    expected.extend(["Ærlig".to_owned(), "Aase".into()]);
    assert_eq!(names, expected);
}

#[tokio::test]
async fn roles_are_given_and_ended() {
    let place = TestService::start("").await;
    assert_eq!(held(&place).await, BEFORE);
    let mut browser = signed_in(&place, "administrator").await;
    let coordinator = [("role", "coordinator"), ("chapter", BELOW)];
    let page = saved(&mut browser, MENTOR, "roles", &coordinator).await;
    assert_eq!(element(&page, "h1"), "Rollen er gitt: Mentor a4");
    assert!(page.text.contains("autofocus") && page.text.contains("Koordinator i Below"), "{}", page.text);
    saved(&mut browser, MENTOR, "roles", &[("role", "org_admin")]).await;
    assert_eq!(held(&place).await, format!("{BEFORE}, Mentor a4 coordinator below, Mentor a4 org_admin top"));

    // The chapter would have no coordinator.
    let check = change(&mut browser, MENTOR, "roles/endings", &coordinator).await;
    assert_eq!(check.status, 200, "{}", check.text);
    assert_eq!(element(&check, "h1"), "Skal Below stå uten koordinator?");
    assert!(check.text.contains(&format!("href=\"/chapters/{BELOW}/coordinators\"")), "{}", check.text);
    assert!(held(&place).await.contains("Mentor a4 coordinator below"));
    saved(&mut browser, MENTOR, "roles/endings", &[&coordinator[..], &[("last", "yes")]].concat()).await;
    let page = saved(&mut browser, MENTOR, "roles/endings", &[("role", "org_admin")]).await;
    assert_eq!(element(&page, "h1"), "Rollen er avsluttet: Mentor a4");
    assert_eq!(held(&place).await, BEFORE);
    let kinds: String = place
        .database
        .value("select string_agg(kind, ' ' order by made_at) from certvakt.person_changes")
        .await;
    assert_eq!(kinds, "appointed promoted relieved demoted", "each once");
    let history = browser.get(&super::certification("a4")).await;
    for event in ["Ble administrator.", "Er ikke lenger administrator."] {
        assert!(history.text.contains(event), "{event} in {}", history.text);
    }

    // Somebody without any role left is still found, and gets the role again.
    let end = [("role", "coordinator"), ("chapter", OWN), ("last", "yes")];
    let page = saved(&mut browser, COORDINATOR, "roles/endings", &end).await;
    assert!(page.text.contains("Ingen rolle"), "{}", page.text);
    let page = browser.get(&format!("{A}?q=Coordinator")).await;
    assert!(page.text.contains(COORDINATOR), "{}", page.text);
    saved(&mut browser, COORDINATOR, "roles", &[("role", "coordinator"), ("chapter", OWN)]).await;
    assert_eq!(held(&place).await, BEFORE);
}

#[tokio::test]
async fn roles_that_cannot_be_given_or_ended_are_refused() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "administrator").await;
    let other = "00000000-0000-4000-8000-0000000000b1";
    for (person, what, fields, status, field) in [
        (MENTOR, "roles", &[("role", ""), ("chapter", BELOW)][..], 422, "role"),
        (MENTOR, "roles", &[("role", "mentor")], 422, "chapter"),
        (MENTOR, "roles", &[("role", "coordinator")], 422, "chapter"),
        (MENTOR, "roles", &[("role", "coordinator"), ("chapter", other)], 422, "chapter"),
        (MENTOR, "invitations", &[], 422, "invite"),
        (ADMINISTRATOR, "roles/endings", &[("role", "org_admin")], 422, "held"),
        (MENTOR, "roles/endings", &[("role", "queen")], 422, "held"),
        ("00000000-0000-4000-8000-0000000100b1", "roles", &[("role", "org_admin")], 404, ""),
        ("00000000-0000-4000-8000-00000000dead", "roles", &[("role", "org_admin")], 404, ""),
    ] {
        let refused = change(&mut browser, person, what, fields).await;
        assert_eq!(refused.status, status, "{fields:?}: {}", refused.text);
        if status == 422 {
            assert!(element(&refused, "title").starts_with("Feil: "), "{}", refused.text);
            let (link, target) = (format!("href=\"#{field}\""), format!("id=\"{field}\""));
            assert!(
                refused.text.contains(&link) && refused.text.contains(&target),
                "{fields:?}: {}",
                refused.text
            );
        }
        let entered = fields.iter().find(|one| what == "roles" && one.0 == "role" && one.1 == "coordinator");
        let is_kept = refused.text.contains("value=\"coordinator\" selected");
        assert_eq!(is_kept, entered.is_some(), "what was entered is kept: {}", refused.text);
        assert_eq!(held(&place).await, BEFORE);
    }
    let forged = browser.post(&format!("{A}/{MENTOR}/roles"), &[("role", "org_admin")]).await;
    assert_eq!(forged.status, 403, "without the token of the form: {}", forged.text);
    let mut outsider = signed_in(&place, "outsider").await;
    assert_eq!(change(&mut outsider, MENTOR, "roles", &[("role", "org_admin")]).await.status, 404);
    assert_eq!(held(&place).await, BEFORE);
}

#[tokio::test]
async fn an_invitation_is_sent_again_and_withdrawn() {
    let place = TestService::start("").await;
    place
        .database
        .execute(&format!(
            "insert into certvakt.contact_points (person_id, kind, address, organisation_id)
             values ('{MENTOR}', 'email', 'new@example.org', '00000000-0000-4000-8000-0000000000a0');
             insert into certvakt.invitations (person_id, token_hash) values ('{MENTOR}', sha256('x'))"
        ))
        .await;
    let mut browser = signed_in(&place, "administrator").await;
    let page = browser.get(&format!("{A}/{MENTOR}")).await;
    assert!(page.text.contains("Send invitasjonen på nytt"), "{}", page.text);
    let page = saved(&mut browser, MENTOR, "invitations", &[]).await;
    assert_eq!(element(&page, "h1"), "Invitasjonen er på vei: Mentor a4");
    let open = "select (select count(*) from certvakt.invitations) || ' ' || (
      select count(*) from certvakt.mail_queue where kind = 'invitation')";
    assert!(
        place.database.value::<String>(open).await.ends_with(" 1"),
        "a repeated form queues no second mail"
    );
    let page = saved(&mut browser, MENTOR, "invitations/withdrawals", &[]).await;
    assert_eq!(element(&page, "h1"), "Invitasjonen er trukket tilbake: Mentor a4");
    assert!(page.text.contains("Kan ikke logge inn"), "{}", page.text);
    assert_eq!(place.database.value::<String>(open).await, "0 0");
}

/// The mentor's roles, their certifications that are not withdrawn, and their listings with consent.
async fn as_mentor(place: &TestService) -> String {
    place
        .database
        .value(&format!(
            "select coalesce((
               select string_agg(c.slug, ' ' order by c.slug) from certvakt.memberships m join certvakt.chapters c on c.id = m.chapter_id
               where m.person_id = '{MENTOR}' and m.role = 'mentor'), '') || ', ' || (
               select count(*) from public.peer_mentor_certifications c
               where c.peer_mentor_id = '{MENTOR}' and not certvakt.is_withdrawn(c.status, c.renewal_history)) || ', ' || (
               select count(*) from certvakt.listings l where l.person_id = '{MENTOR}' and l.listing_consent_at is not null)"
        ))
        .await
}

#[tokio::test]
async fn the_last_role_of_a_mentor_ends_with_their_certifications_and_listings() {
    let place = TestService::start("").await;
    place
        .database
        .execute(&format!(
            "insert into certvakt.partners (organisation_id, code) values ('00000000-0000-4000-8000-0000000000a0', 'portal');
             insert into certvakt.listings (organisation_id, partner, partner_key, person_id, listing_consent_at)
             values ('00000000-0000-4000-8000-0000000000a0', 'portal', 'M-4', '{MENTOR}', now())"
        ))
        .await;
    let mut browser = signed_in(&place, "administrator").await;
    assert_eq!(as_mentor(&place).await, "below, 1, 1");
    // A second role, which ends without a consequence; the first has a certification, which must move.
    let (own, below) = ([("role", "mentor"), ("chapter", OWN)], [("role", "mentor"), ("chapter", BELOW)]);
    let page = saved(&mut browser, MENTOR, "roles", &own).await;
    assert_eq!(element(&page, "h1"), "Rollen er gitt: Mentor a4");
    assert_eq!(as_mentor(&place).await, "below own, 1, 1");
    let refused = change(&mut browser, MENTOR, "roles/endings", &below).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert!(refused.text.contains("Flytt personen fra lokallaget"), "{}", refused.text);
    saved(&mut browser, MENTOR, "roles/endings", &own).await;
    assert_eq!(as_mentor(&place).await, "below, 1, 1");

    let check = change(&mut browser, MENTOR, "roles/endings", &below).await;
    assert_eq!(check.status, 200, "{}", check.text);
    assert_eq!(element(&check, "h1"), "Skal Mentor a4 ikke lenger være likeperson?");
    for consequence in ["Alle sertifiseringene i foreningen trekkes tilbake.", "samtykkene avsluttes"] {
        assert!(check.text.contains(consequence), "{consequence} in {}", check.text);
    }
    assert_eq!(as_mentor(&place).await, "below, 1, 1", "nothing has ended yet");
    let page = super::send(&mut browser, &check, &[]).await;
    assert_eq!(page.status, 303, "{}", page.text);
    assert_eq!(as_mentor(&place).await, ", 0, 0");
    let again =
        change(&mut browser, MENTOR, "roles/endings", &[&below[..], &[("last", "yes")]].concat()).await;
    assert_eq!(again.status, 303, "a repeated form has no further effect: {}", again.text);

    // They can become a mentor again; what was withdrawn stays so.
    saved(&mut browser, MENTOR, "roles", &below).await;
    assert_eq!(as_mentor(&place).await, "below, 0, 0");
    let history = browser.get(&super::certification("a4")).await;
    for event in ["Ble likeperson i Below.", "Er ikke lenger likeperson i Below."] {
        assert!(history.text.contains(event), "{event} in {}", history.text);
    }
}

#[tokio::test]
async fn nobody_ends_their_own_role_as_a_mentor() {
    let place = TestService::start("").await;
    place
        .database
        .execute(&format!(
            "insert into certvakt.memberships (organisation_id, chapter_id, person_id, role)
             values ('00000000-0000-4000-8000-0000000000a0', '{OWN}', '{ADMINISTRATOR}', 'mentor')"
        ))
        .await;
    let mut browser = signed_in(&place, "administrator").await;
    let own = [("role", "mentor"), ("chapter", OWN), ("last", "yes")];
    let refused = change(&mut browser, ADMINISTRATOR, "roles/endings", &own).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert!(refused.text.contains("din egen rolle som likeperson"), "{}", refused.text);
}
