//! The form that records a mentor's first certification.

use super::{element, send, signed_in};
use crate::sign_in::{Answer, Browser, TestService};

const NEW: &str = "00000000-0000-4000-8000-0000000000c1";
const OWN: &str = "00000000-0000-4000-8000-0000000000a2";

/// A service with a mentor of a chapter who has no certification.
async fn with_new_mentor() -> TestService {
    let place = TestService::start("").await;
    place
        .database
        .execute(&format!(
            "insert into certvakt.people (id) values ('{NEW}');
             insert into certvakt.person_names (person_id, organisation_id, name)
             values ('{NEW}', '00000000-0000-4000-8000-0000000000a0', 'Åse Ny');
             insert into certvakt.memberships (organisation_id, chapter_id, person_id, role)
             values ('00000000-0000-4000-8000-0000000000a0', '{OWN}', '{NEW}', 'mentor');
             update certvakt.certification_types set validity_months = 24 where code = 'type'"
        ))
        .await;
    place
}

async fn certified(place: &TestService) -> String {
    place
        .database
        .value(&format!(
            "select coalesce(string_agg(concat_ws(' ', c.chapter_id = '{OWN}', c.certification_type,
               (c.issued_at at time zone 'Europe/Oslo')::date, ((c.expires_at - interval '1 second') at time zone 'Europe/Oslo')::date, c.status),
               ', ' order by c.id), '') from public.peer_mentor_certifications c where c.peer_mentor_id = '{NEW}'"
        ))
        .await
}

async fn form(browser: &mut Browser) -> Answer {
    let page = browser.get(&format!("/people/{NEW}/certifications")).await;
    assert_eq!(page.status, 200, "{}", page.text);
    page
}

#[tokio::test]
async fn a_first_certification_is_repeated_in_words_before_it_is_saved_once() {
    let place = with_new_mentor().await;
    let mut browser = signed_in(&place, "coordinator").await;
    let page = browser.get("/certifications").await;
    assert!(page.text.contains("href=\"/certifications/new\""), "{}", page.text);
    let page = browser.get("/certifications/new?q=ase").await;
    assert!(page.text.contains(&format!("href=\"/people/{NEW}/certifications\"")), "{}", page.text);
    assert!(!page.text.contains("/people/new"), "only an administrator adds people: {}", page.text);

    let page = form(&mut browser).await;
    assert_eq!(element(&page, "h1"), "Ny sertifisering: Åse Ny");
    let type_code = "00000000-0000-4000-8000-0000000000a0/type";
    let entered = [("certification_type", type_code), ("date", "1.6.2026")];
    let check = send(&mut browser, &page, &entered).await;
    assert_eq!(check.status, 200, "{}", check.text);
    assert_eq!(element(&check, "h1"), "Stemmer dette? Åse Ny er ikke sertifisert ennå");
    for words in ["mandag 1. juni 2026", "torsdag 1. juni 2028", "Own"] {
        assert!(check.text.contains(words), "{words} in {}", check.text);
    }
    assert_eq!(certified(&place).await, "", "nothing is saved yet");
    let edited = send(&mut browser, &check, &[("step", "edit")]).await;
    assert!(edited.text.contains("value=\"1.6.2026\""), "{}", edited.text);
    let mut to = None;
    for _ in 0..2 {
        let saved = send(&mut browser, &check, &[("step", "save")]).await;
        assert_eq!(saved.status, 303, "{}", saved.text);
        to = saved.location;
        assert_eq!(certified(&place).await, "t type 2026-06-01 2028-06-01 active");
    }
    let page = browser.get(&to.unwrap()).await;
    assert_eq!(element(&page, "h1"), "Sertifisert: Åse Ny, Own, Type, 1. juni 2028");
    assert!(page.text.contains(&format!("href=\"/people/{NEW}/certifications\"")), "{}", page.text);

    // A certification of the same type is renewed instead.
    let page = form(&mut browser).await;
    let refused = send(&mut browser, &page, &[("certification_type", type_code), ("date", "2.6.2026")]).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert!(refused.text.contains("Forny eller rett den i stedet."), "{}", refused.text);
}

#[tokio::test]
async fn a_certification_whose_fields_are_wrong_is_refused() {
    let place = with_new_mentor().await;
    let mut browser = signed_in(&place, "coordinator").await;
    let page = form(&mut browser).await;
    let type_code = "00000000-0000-4000-8000-0000000000a0/type";
    for (of, date, until, field) in [
        ("", "1.6.2026", "", "certification_type"),
        ("00000000-0000-4000-8000-0000000000b0/type", "1.6.2026", "", "certification_type"),
        (type_code, "", "", "date"),
        (type_code, "31.02.2026", "", "date"),
        (type_code, "16.06.2026", "", "date"),
        (type_code, "1.1.1801", "", "date"),
        (type_code, "1.6.2020", "", "date"),
        (type_code, "", "1.6.2020", "until"),
        (type_code, "1.6.2026", "31.5.2026", "until"),
        (type_code, "1.6.2026", "1.1.2300", "until"),
    ] {
        for step in ["", "save"] {
            let fields = [("certification_type", of), ("date", date), ("until", until), ("step", step)];
            let refused = send(&mut browser, &page, &fields).await;
            assert_eq!(refused.status, 422, "{fields:?}: {}", refused.text);
            assert!(element(&refused, "title").starts_with("Feil: "), "{}", refused.text);
            assert!(
                refused.text.contains(&format!("<li><a href=\"#{field}\">")),
                "{fields:?}: {}",
                refused.text
            );
        }
    }
    place.database.execute("update certvakt.certification_types set validity_months = null").await;
    let fields = [("certification_type", type_code), ("date", "1.6.2026")];
    let refused = send(&mut browser, &page, &fields).await;
    assert!(refused.text.contains("<li><a href=\"#until\">"), "{}", refused.text);
    assert_eq!(certified(&place).await, "");
    let fields = [("certification_type", type_code), ("until", "1.6.2027"), ("step", "save")];
    assert_eq!(send(&mut browser, &page, &fields).await.status, 303);
    assert_eq!(certified(&place).await, "t type 2027-06-01 active", "an end without a course");
}

#[tokio::test]
async fn nobody_certifies_themselves_or_mentors_of_others() {
    let place = with_new_mentor().await;
    place
        .database
        .execute(&format!(
            "insert into certvakt.memberships (organisation_id, chapter_id, person_id, role)
             values ('00000000-0000-4000-8000-0000000000a0', '{OWN}', '00000000-0000-4000-8000-000000000001', 'mentor')"
        ))
        .await;
    let own = "/people/00000000-0000-4000-8000-000000000001/certifications";
    let new = format!("/people/{NEW}/certifications");
    let administrator = "/people/00000000-0000-4000-8000-000000000002/certifications";
    let mentor = "/people/00000000-0000-4000-8000-0000000100a2/certifications";
    let foreign = "/people/00000000-0000-4000-8000-0000000100b1/certifications";
    for (who, paths) in [
        ("coordinator", &[(own, 403), (administrator, 404), (mentor, 200)][..]),
        ("administrator", &[(own, 200), (foreign, 404)]),
        ("mentor", &[(mentor, 403), ("/certifications/new", 403)]),
        ("both", &[(&new, 404)]),
        ("outsider", &[(&new, 404), (foreign, 200)]),
    ] {
        let mut browser = signed_in(&place, who).await;
        for (path, status) in paths {
            assert_eq!(browser.get(path).await.status, *status, "{who} {path}");
        }
    }
}
