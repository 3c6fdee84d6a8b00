//! Recorded contacts: what the timeline says about them, and how they are undone.

use super::{certification, element, send, signed_in};
use crate::sign_in::{Browser, TestService, between};

/// The day of the next contact.
const NEXT: (&str, &str) = ("next_on", "29.06.2026");

#[tokio::test]
async fn a_contact_says_who_recorded_it_and_what_was_said_and_can_be_undone_for_a_day() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "coordinator").await;
    let mut administrator = signed_in(&place, "administrator").await;
    let path = certification("a2");
    let form = browser.get(&format!("{path}/contacts")).await;
    assert!(form.text.contains("I dag er mandag 15. juni 2026."), "{}", form.text);
    for note in ["x".repeat(501), "\u{202e}snudd".to_owned()] {
        let refused = send(&mut browser, &form, &[("outcome", "reached"), NEXT, ("note", &note)]).await;
        assert!(refused.status == 422 && refused.text.contains("href=\"#note\""), "{}", refused.text);
    }
    let said = "Tar kurset <i>i høst</i>.\nRing etter ferien.";
    let sent = send(&mut browser, &form, &[("outcome", "reached"), NEXT, ("note", said)]).await;
    assert_eq!(sent.status, 303, "{}", sent.text);
    let page = browser.get(&sent.location.unwrap()).await;
    assert_eq!(element(&page, "h1"), "Kontakten med Mentor a2 er lagret. Én sak trenger deg");
    let first = "</h1>\n<p>Snakket med likepersonen. Saken vises ikke her før mandag 29. juni 2026.</p>";
    assert!(page.text.contains(first), "{}", page.text);
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
    // The result leads on to what ends the notices, which the contact does not.
    let result = browser.get(&sent.location.unwrap()).await;
    assert!(
        result.text.contains(
            "<p>Likepersonen vil ikke fortsette.</p>\n<p>Varslene fortsetter til sertifiseringen er trukket tilbake."
        ),
        "{}",
        result.text
    );
    for form in ["withdrawals", "endings"] {
        let form = format!("{path}/{form}");
        assert!(result.text.contains(&format!("href=\"{form}\"")), "{form} in {}", result.text);
        assert_eq!(browser.get(&form).await.status, 200, "{form}");
    }
    let withdrawn: bool = place
        .database
        .value("select bool_or(status = 'suspended') from public.peer_mentor_certifications where right(id::text, 4) = '00a2'")
        .await;
    assert!(!withdrawn, "nothing is withdrawn automatically");
    let kept: bool = place.database.value("select next_on is null from certvakt.contacts").await;
    assert!(kept);
    let page = browser.get(&path).await;
    assert!(
        page.text.contains("vil ikke fortsette") && !page.text.contains("Neste kontakt"),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn people_find_and_undo_their_own_contacts_among_their_changes() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "coordinator").await;
    let mut administrator = signed_in(&place, "administrator").await;
    let contact = async |browser: &mut Browser, chapter: &str, outcome: &str| {
        let form = browser.get(&format!("{}/contacts", certification(chapter))).await;
        assert_eq!(send(browser, &form, &[("outcome", outcome), NEXT]).await.status, 303);
    };
    contact(&mut browser, "a2", "no_answer").await;
    let form = browser.get(&format!("{}/suspensions", certification("a4"))).await;
    assert_eq!(send(&mut browser, &form, &[]).await.status, 303);
    contact(&mut browser, "a4", "stops").await;
    contact(&mut administrator, "a2", "booked").await;

    let page = browser.get("/changes").await;
    assert_eq!(element(&page, "h1"), "Du har registrert 3 endringer og kontakter det siste døgnet");
    let (stops, no_answer) =
        (": Likepersonen vil ikke fortsette.", ": Fikk ikke svar. Neste kontakt 29. juni 2026.");
    let places = [stops, "gyldige dag før endringen", no_answer].map(|words| page.text.find(words));
    assert!(places.is_sorted() && places[0].is_some(), "the latest first: {places:?} in {}", page.text);
    assert!(!page.text.contains("påmeldt kurs"), "only one's own: {}", page.text);
    assert_eq!(page.text.matches(">Angre<").count(), 3, "{}", page.text);
    // The last form of the page undoes the oldest contact.
    let undone = send(&mut browser, &page, &[]).await;
    assert_eq!(undone.status, 303, "{}", undone.text);
    let page = browser.get("/changes").await;
    assert_eq!(element(&page, "h1"), "Du har registrert 2 endringer og kontakter det siste døgnet");
    place.database.execute("update certvakt.contacts set made_at = made_at - interval '1 day'").await;
    let page = browser.get("/changes").await;
    assert_eq!(element(&page, "h1"), "Du har registrert én endring eller kontakt det siste døgnet");
}

#[tokio::test]
async fn those_whom_a_contact_put_off_are_listed_until_it_no_longer_counts() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "coordinator").await;
    let mut administrator = signed_in(&place, "administrator").await;
    let none = browser.get("/contacts").await;
    assert_eq!(element(&none, "h1"), "Ingen skal kontaktes på et senere tidspunkt");
    for (chapter, next) in [("a2", "29.06.2026"), ("a4", "20.06.2026"), ("a3", "16.06.2026")] {
        let who = if chapter == "a2" { &mut browser } else { &mut administrator };
        let form = who.get(&format!("{}/contacts", certification(chapter))).await;
        let sent = send(who, &form, &[("outcome", "no_answer"), ("next_on", next)]).await;
        assert_eq!(sent.status, 303, "{}", sent.text);
        let next = who.get(&sent.location.unwrap()).await;
        let news = next.text.split("<h2>").next().unwrap();
        assert!(news.contains("href=\"/contacts\""), "it leads to the list: {news}");
    }
    for page in ["/today", "/changes"] {
        assert!(browser.get(page).await.text.contains("href=\"/contacts\""), "{page}");
    }
    let page = browser.get("/contacts").await;
    assert_eq!(element(&page, "h1"), "2 skal kontaktes på et senere tidspunkt");
    assert!(!page.text.contains("Mentor a3"), "only the chapters that the person manages: {}", page.text);
    let places = ["Mentor a4", "Neste kontakt 20. juni 2026", "Mentor a2", "Neste kontakt 29. juni 2026"]
        .map(|words| page.text.find(words));
    assert!(places.is_sorted() && places[0].is_some(), "the earliest first: {places:?} in {}", page.text);
    for words in ["Siste kontakt", "fikk ikke svar", "om 5 dager", "Registrert av Coordinator"] {
        assert!(page.text.contains(words), "{words} in {}", page.text);
    }
    let path = certification("a2");
    for link in [path.clone(), format!("{path}/contacts")] {
        assert!(page.text.contains(&format!("href=\"{link}\"")), "{link} in {}", page.text);
    }
    let mut mentor = signed_in(&place, "mentor").await;
    let none = mentor.get("/contacts").await;
    assert_eq!(
        element(&none, "h1"),
        "Ingen skal kontaktes på et senere tidspunkt",
        "a mentor manages nobody"
    );

    // What ends a contact: a later one, another date, a withdrawal, and its own day.
    let of = |chapter: &str| certification(chapter).rsplit('/').next().unwrap().to_owned();
    let (a2, a4) = (of("a2"), of("a4"));
    for (change, back) in [
        (
            format!("insert into certvakt.contacts (certification_id, chapter_id, expires_at, outcome)
               select id, chapter_id, expires_at, 'stops' from public.peer_mentor_certifications where id = '{a2}'"),
            "delete from certvakt.contacts where outcome = 'stops'".to_owned(),
        ),
        (
            format!("update public.peer_mentor_certifications set expires_at = expires_at + interval '1 day' where id = '{a2}'"),
            format!("update public.peer_mentor_certifications set expires_at = expires_at - interval '1 day' where id = '{a2}'"),
        ),
        (
            format!("update certvakt.contacts set next_on = '2026-06-15' where certification_id = '{a2}'"),
            format!("update certvakt.contacts set next_on = '2026-06-29' where certification_id = '{a2}'"),
        ),
    ] {
        place.database.execute(&change).await;
        let page = browser.get("/contacts").await;
        assert!(!page.text.contains("Mentor a2") && page.text.contains("Mentor a4"), "{change}: {}", page.text);
        place.database.execute(&back).await;
        assert!(browser.get("/contacts").await.text.contains("Mentor a2"), "{back}");
    }
    // After a move, the coordinator of the new chapter sees it, and no longer the former one.
    let moved = |chapter: &str| {
        format!(
            "update public.peer_mentor_certifications set chapter_id = '00000000-0000-4000-8000-0000000000{chapter}' where id = '{a4}'"
        )
    };
    place.database.execute(&moved("a3")).await;
    assert!(!browser.get("/contacts").await.text.contains("Mentor a4"));
    assert!(administrator.get("/contacts").await.text.contains("Mentor a4"));
    place.database.execute(&moved("a4")).await;
    let withdrawal = browser.get(&format!("{}/withdrawals", certification("a4"))).await;
    let check = send(&mut browser, &withdrawal, &[]).await;
    assert_eq!(send(&mut browser, &check, &[("step", "save")]).await.status, 303);
    let page = browser.get("/contacts").await;
    assert_eq!(element(&page, "h1"), "Én skal kontaktes på et senere tidspunkt");
    assert!(!page.text.contains("Mentor a4"), "{}", page.text);
}

#[tokio::test]
async fn the_chosen_chapter_stays_after_a_contact() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "coordinator").await;
    let chapter = "00000000-0000-4000-8000-0000000000a2";
    let form = format!("{}/contacts", certification("a2"));
    let chosen = format!("{form}?chapter={chapter}");
    let field = format!("name=\"chapter\" value=\"{chapter}\"");
    let today = browser.get(&format!("/today?chapter={chapter}")).await;
    assert!(today.text.contains(&format!("href=\"{chosen}\"")), "{}", today.text);
    let page = browser.get(&chosen).await;
    let refused = send(&mut browser, &page, &[("outcome", "no_answer"), ("next_on", "")]).await;
    assert_eq!(refused.status, 422);
    for page in [&page, &refused] {
        assert!(page.text.contains(&field), "{}", page.text);
        assert!(page.text.contains(&format!("href=\"/today?chapter={chapter}\"")), "{}", page.text);
    }
    let sent = send(&mut browser, &refused, &[("outcome", "no_answer"), NEXT]).await;
    let result = browser.get(&sent.location.unwrap()).await;
    assert!(element(&result, "h1").starts_with("Kontakten med Mentor a2 er lagret."), "{}", result.text);
    let here = format!("<a href=\"/today?chapter={chapter}\" aria-current=\"true\">Own</a>");
    assert!(result.text.contains(&here), "{}", result.text);
    let put_off = browser.get(&format!("/contacts?chapter={chapter}")).await;
    assert!(put_off.text.contains(&format!("href=\"{chosen}\"")), "{}", put_off.text);
    // A chapter that there is not is not kept.
    for query in ["", "?chapter=x", "?chapter=00000000-0000-4000-8000-0000000000b1"] {
        let page = browser.get(&format!("{form}{query}")).await;
        assert!(page.status == 200 && !page.text.contains("chapter="), "{query}: {}", page.text);
        assert!(!page.text.contains("name=\"chapter\""), "{query}: {}", page.text);
        let entered = [("outcome", "no_answer"), NEXT, ("chapter", "//elsewhere.example")];
        let to = send(&mut browser, &page, &entered).await.location.unwrap();
        assert!(!to.contains("chapter") && !to.contains("elsewhere"), "{to}");
    }
}
