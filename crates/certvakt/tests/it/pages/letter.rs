//! The letter to a mentor who has no e-mail.

use super::{certification, element, signed_in};
use crate::sign_in::TestService;

const MENTOR: &str = "00000000-0000-4000-8000-0000000100a2";
const BUILT_IN: &str = "gjelder til og med 20. juni 2026.<br>Det er 5 dager igjen.</p>";
const OWN: &str = "insert into certvakt.notice_texts (organisation_id, days_before, locale, body)
    select id, 7, 'nb', 'Kom på <kurs> innen {days}.' from certvakt.organisations";

#[tokio::test]
async fn the_letter_says_what_the_mail_says_in_the_language_of_the_mentor() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "coordinator").await;
    browser.language = "en";
    let path = certification("a2") + "/letter";
    let language = |set: &str| format!("update certvakt.{set}");
    let mentor = format!("where id = '{MENTOR}'");
    let of_organisation = language("organisations set locale = 'en'");
    let of_mentor = language("people set locale = 'nb' ") + &mentor;
    // What changes, and the language and the words of the letter from then on.
    for (change, tag, words) in [
        ("select 1", "nb", BUILT_IN),
        (OWN, "nb", "<p>Kom på &#60;kurs&#62; innen 5 dager.</p>"),
        (&*of_organisation, "en", "<dd>20 June 2026, in 5 days</dd>"),
        (&*of_mentor, "nb", "<dd>20. juni 2026, om 5 dager</dd>"),
    ] {
        place.database.execute(change).await;
        let page = browser.get(&path).await;
        assert_eq!(page.status, 200, "{}", page.text);
        let letter = page.text.split_once(&format!("<section lang=\"{tag}\">")).expect(change).1;
        for words in [words, "Mentor a2", "<dd>Type</dd>", "15"] {
            assert!(letter.contains(words), "{words} in {letter}");
        }
        assert!(element(&page, "h1").starts_with("Letter to Mentor a2, "), "{}", page.text);
    }
}

#[tokio::test]
async fn the_letter_is_offered_where_it_serves() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "coordinator").await;
    let one = certification("a2");
    let link = format!("href=\"{one}/letter\"");
    let contact = browser.get(&format!("{one}/contacts")).await;
    let (before, form) = contact.text.split_once("/contacts\"").unwrap();
    assert!(before.contains(&link) && !form.contains(&link), "Tab goes through the form without it");
    assert!(browser.get(&one).await.text.contains(&link), "the mentor has no e-mail");
    // What changes, whether the certification's page leads to the letter, and whether there is one.
    for (change, is_offered, is_written) in [
        (
            format!(
                "insert into certvakt.contact_points (person_id, kind, address) values ('{MENTOR}', 'email', 'own@example.org')"
            ),
            false,
            true,
        ),
        ("delete from certvakt.contact_points where kind = 'email'".to_owned(), true, true),
        ("update public.peer_mentor_certifications set status = 'suspended'".to_owned(), false, false),
        (
            "update public.peer_mentor_certifications set status = 'active', expires_at = null".to_owned(),
            false,
            false,
        ),
        (
            "update public.peer_mentor_certifications set expires_at = '2020-01-01T00:00:00Z'".to_owned(),
            true,
            true,
        ),
    ] {
        place.database.execute(&change).await;
        let page = browser.get(&one).await;
        assert_eq!(page.text.contains(&link), is_offered, "{change}: {}", page.text);
        let letter = browser.get(&format!("{one}/letter")).await;
        assert_eq!(letter.status, 200, "{change}");
        assert_eq!(letter.text.contains("<section lang="), is_written, "{change}: {}", letter.text);
    }
}
