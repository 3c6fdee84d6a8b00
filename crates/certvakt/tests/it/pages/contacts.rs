//! Recorded contacts: what the timeline says about them, and how they are undone.

use super::{certification, element, send, signed_in};
use crate::sign_in::{TestService, between};

/// The day of the next contact.
const NEXT: (&str, &str) = ("next_on", "29.06.2026");

#[tokio::test]
async fn a_contact_says_who_recorded_it_and_what_was_said_and_can_be_undone_for_a_day() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "coordinator").await;
    let mut administrator = signed_in(&place, "administrator").await;
    let path = certification("a2");
    let form = browser.get(&format!("{path}/contacts")).await;
    for note in ["x".repeat(501), "\u{202e}snudd".to_owned()] {
        let refused = send(&mut browser, &form, &[("outcome", "reached"), NEXT, ("note", &note)]).await;
        assert!(refused.status == 422 && refused.text.contains("href=\"#note\""), "{}", refused.text);
    }
    let said = "Tar kurset <i>i høst</i>.\nRing etter ferien.";
    let sent = send(&mut browser, &form, &[("outcome", "reached"), NEXT, ("note", said)]).await;
    assert_eq!(sent.status, 303, "{}", sent.text);
    let page = browser.get(&sent.location.unwrap()).await;
    assert_eq!(element(&page, "h1"), "Kontakten med Mentor a2 er lagret. Én sak trenger deg");
    assert!(page.text.contains(&format!("href=\"{path}\">Se kontakten")), "{}", page.text);
    let page = administrator.get(&path).await;
    for words in ["Registrert av Coordinator", "Sagt: Tar kurset &#60;i&#62;i høst&#60;/i&#62;."] {
        assert!(page.text.contains(words), "{words} in {}", page.text);
    }
    assert!(!page.text.contains("/undos"), "only the one who recorded it undoes it: {}", page.text);

    let page = browser.get(&path).await;
    let undo = between(&page.text, "<form method=\"post\" action=\"/certifications/", "\"");
    let undo = format!("/certifications/{undo}");
    assert!(undo.ends_with("/undos"), "{}", page.text);
    let csrf = between(&administrator.get("/me").await.text, "name=\"csrf\" value=\"", "\"");
    assert_eq!(administrator.post(&undo, &[("csrf", &csrf)]).await.status, 403);
    // After a day it stays.
    place.database.execute("update certvakt.contacts set made_at = made_at - interval '1 day'").await;
    let csrf = between(&page.text, "name=\"csrf\" value=\"", "\"");
    assert_eq!(browser.post(&undo, &[("csrf", &csrf)]).await.status, 403);
    assert!(!browser.get(&path).await.text.contains("/undos"));
    place.database.execute("update certvakt.contacts set made_at = made_at + interval '1 day'").await;
    // A repeated form has no further effect.
    for _ in 0..2 {
        let undone = browser.post(&undo, &[("csrf", &csrf)]).await;
        assert_eq!(undone.status, 303, "{}", undone.text);
        let page = browser.get(&undone.location.unwrap()).await;
        assert_eq!(element(&page, "h1"), "Kontakten er fjernet: Mentor a2, Own, Type, 20. juni 2026");
        assert!(!page.text.contains("Sagt:"), "{}", page.text);
    }
    assert_eq!(place.database.value::<i64>("select count(*) from certvakt.contacts").await, 0);
}

#[tokio::test]
async fn those_who_stop_are_not_to_be_contacted_again() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "coordinator").await;
    let path = certification("a2");
    let form = browser.get(&format!("{path}/contacts")).await;
    // The form suggests a date, which does not count.
    let sent = send(&mut browser, &form, &[("outcome", "stops"), NEXT]).await;
    assert_eq!(sent.status, 303, "{}", sent.text);
    let kept: bool = place.database.value("select next_on is null from certvakt.contacts").await;
    assert!(kept);
    let page = browser.get(&path).await;
    assert!(
        page.text.contains("vil ikke fortsette") && !page.text.contains("Neste kontakt"),
        "{}",
        page.text
    );
}
