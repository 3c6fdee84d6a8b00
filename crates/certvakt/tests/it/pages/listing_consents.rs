//! The consent to listings that a coordinator records for a mentor.

use super::{certification, element, signed_in};
use crate::sign_in::{Answer, Browser, TestService, between};

const A: &str = "00000000-0000-4000-8000-0000000000a0";
const MENTOR: &str = "00000000-0000-4000-8000-0000000100a2";

/// A consent that is complete.
const GIVEN: [(&str, &str); 6] = [
    ("partner", "portal"),
    ("decision", "consent"),
    ("way", "paper"),
    ("day", "1.6.2026"),
    ("version", "2026-11"),
    ("language", "nb"),
];

/// The service, with the mentor enrolled at a partner, and another organisation with a partner of its own.
async fn enrolled() -> TestService {
    let place = TestService::start("").await;
    place
        .database
        .execute(&format!(
            "insert into certvakt.partners (organisation_id, code) select id, case slug when 'a' then 'portal' else 'other' end
               from certvakt.organisations;
             insert into certvakt.listings (organisation_id, partner, partner_key, person_id)
               values ('{A}', 'portal', 'M-1', '{MENTOR}')"
        ))
        .await;
    place
}

/// Sends a form of the page.
async fn record(browser: &mut Browser, fields: &[(&str, &str)]) -> Answer {
    let page = browser.get("/me").await;
    let csrf = between(&page.text, "name=\"csrf\" value=\"", "\"");
    let fields: Vec<(&str, &str)> =
        [("csrf", csrf.as_str())].into_iter().chain(fields.iter().copied()).collect();
    browser.post(&format!("{}/listing-consents", certification("a2")), &fields).await
}

#[tokio::test]
async fn a_coordinator_records_a_consent_on_paper_and_the_mentor_is_told() {
    let place = enrolled().await;
    let mut coordinator = signed_in(&place, "coordinator").await;
    let path = format!("{}/listing-consents", certification("a2"));
    let page = coordinator.get(&certification("a2")).await;
    assert!(page.text.contains(&format!("href=\"{path}\"")), "{}", page.text);
    let letter = coordinator.get(&format!("{path}/letter")).await;
    for words in ["kan si noe om helsen din", "Tekst: versjon 2026-11, bokmål.", "Underskrift"] {
        assert!(letter.text.contains(words), "{words} in {}", letter.text);
    }
    // The letter is in the mentor's language, and the page around it in the reader's.
    let locale = |locale: &str| format!("update certvakt.people set locale = {locale} where id = '{MENTOR}'");
    place.database.execute(&locale("'en'")).await;
    let letter = coordinator.get(&format!("{path}/letter")).await;
    for words in
        ["<section lang=\"en\">", "Text: version 2026-11, English", "Signature", "Tilbake til samtykke"]
    {
        assert!(letter.text.contains(words), "{words} in {}", letter.text);
    }
    // So is the version that the form suggests, because the mentor signed the letter.
    for (language, chosen) in [("'en'", "en"), ("'nb'", "nb"), ("null", "nb")] {
        place.database.execute(&locale(language)).await;
        for reader in ["nb", "en"] {
            coordinator.language = reader;
            let form = coordinator.get(&path).await;
            let options = between(&form.text, "name=\"language\"", "</select>");
            assert!(options.contains(&format!("value=\"{chosen}\" selected")), "{language}: {options}");
            assert_eq!(options.matches(" selected").count(), 1, "{language}: {options}");
        }
    }
    coordinator.language = "nb";
    // The mentor of the test data has no address.
    let done = record(&mut coordinator, &GIVEN).await;
    assert_eq!(done.status, 303, "{}", done.text);
    let page = coordinator.get(&done.location.unwrap()).await;
    assert!(element(&page, "h1").starts_with("Samtykket er registrert: "), "{}", page.text);
    for words in [
        "Send et brev om det",
        "registrerte at likepersonen samtykket. Samtykket ble gitt på papir 1. juni 2026. Tekst: versjon 2026-11, bokmål.",
    ] {
        assert!(page.text.contains(words), "{words} in {}", page.text);
    }
    assert!(!page.text.contains("/letter\""), "there is nothing to sign: {}", page.text);
    // The same form again changes nothing.
    let again = record(&mut coordinator, &GIVEN).await.location.unwrap();
    assert!(again.ends_with(&path), "{again}");
    let listed = "select is_listed or listing_consent_at is not null from certvakt.listings";
    assert!(place.database.value::<bool>(listed).await);

    let mut mentor = signed_in(&place, "mentor").await;
    let page = mentor.get("/me/listings").await;
    let words = "registrerte på dine vegne at du samtykket. Samtykket ble gitt på papir 1. juni 2026.";
    assert!(page.text.contains(words), "{}", page.text);

    place
        .database
        .execute(&format!(
            "insert into certvakt.contact_points (person_id, organisation_id, kind, address)
             values ('{MENTOR}', '{A}', 'email', 'mentor@example.org')"
        ))
        .await;
    for (fields, kind, words) in [
        (
            &[("partner", "portal"), ("decision", "withdraw")][..],
            "consent-withdrawn",
            "Coordinator har registrert at du ikke lenger samtykker",
        ),
        (&GIVEN[..], "consent-given", "Coordinator har registrert at du samtykket på papir 1. juni 2026."),
    ] {
        let done = record(&mut coordinator, fields).await;
        assert_eq!(done.status, 303, "{}", done.text);
        let page = coordinator.get(&done.location.unwrap()).await;
        assert!(!page.text.contains("Send et brev om det"), "{}", page.text);
        let sent = format!(
            "select exists (select from certvakt.mail_queue where kind = '{kind}' and mailed_at is not null)"
        );
        place.database.until(&sent).await;
        let mails = format!("{:?}", place.mail.mails());
        assert!(mails.contains(words), "{words} in {mails}");
    }
    let number = "select count(*) from certvakt.mail_queue where consent_id is not null";
    assert_eq!(place.database.value::<i64>(number).await, 2);
}

#[tokio::test]
async fn an_incomplete_consent_is_refused_and_nobody_else_records_one() {
    let place = enrolled().await;
    let mut coordinator = signed_in(&place, "coordinator").await;
    for (field, value, words) in [
        ("way", "", "Velg hvordan samtykket ble gitt."),
        ("way", "own", "Velg hvordan samtykket ble gitt."),
        ("day", "", "Skriv en dato."),
        ("day", "31.2.2026", "Denne datoen finnes ikke."),
        ("day", "16.6.2026", "Samtykket kan ikke være gitt etter i dag."),
        ("version", "2020-01", "Velg versjonen som står under teksten."),
        ("language", "fr", "Velg språket i teksten."),
    ] {
        let fields: Vec<_> =
            GIVEN.iter().map(|one| if one.0 == field { (field, value) } else { *one }).collect();
        let refused = record(&mut coordinator, &fields).await;
        assert_eq!(refused.status, 422, "{field}: {}", refused.text);
        assert!(refused.text.contains(words), "{words} in {}", refused.text);
        assert!(refused.text.contains(&format!("href=\"#listing-0-{field}\"")), "{}", refused.text);
    }
    let elsewhere = [&[("partner", "other")][..], &GIVEN[1..]].concat();
    assert_eq!(record(&mut coordinator, &elsewhere).await.status, 404);
    let mut mentor = signed_in(&place, "mentor").await;
    assert_eq!(record(&mut mentor, &GIVEN).await.status, 403);
    let mut outsider = signed_in(&place, "outsider").await;
    assert_eq!(record(&mut outsider, &GIVEN).await.status, 404);
    let number = "select count(*) from certvakt.listing_consents";
    assert_eq!(place.database.value::<i64>(number).await, 0);
}
