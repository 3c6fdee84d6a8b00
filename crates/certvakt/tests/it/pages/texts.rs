//! An organisation's own texts of e-mails, in its settings.

use super::{element, hidden, signed_in};
use crate::sign_in::{Answer, Browser, TestService, between};

const A: &str = "/settings/00000000-0000-4000-8000-0000000000a0/texts";
const BUILT_IN: &str = "{type} hos {organisation} gjelder til og med {date}.\n{remaining}\n\nTa kontakt med koordinatoren din for å fornye.";

/// All stored texts.
async fn stored(place: &TestService) -> String {
    let texts = "select coalesce(string_agg(concat_ws(' ', o.slug, t.days_before, t.locale, t.body), ' | ' order by o.slug, t.days_before, t.locale), '')
                 from certvakt.notice_texts t join certvakt.organisations o on o.id = t.organisation_id";
    place.database.value(texts).await
}

/// The text in the form.
fn written(page: &Answer) -> String {
    element(page, "textarea")
}

/// Sends a text as a browser does: with the base of the form, and its own ends of lines.
async fn write(browser: &mut Browser, page: &Answer, body: &str, step: &str) -> Answer {
    let mut fields = hidden(page);
    let body = body.replace('\n', "\r\n");
    fields.retain(|(name, _)| name != "body");
    let sent = |value: &str| value.replace("&#60;", "<").replace("&#62;", ">").replace('\n', "\r\n");
    for (_, value) in &mut fields {
        *value = sent(value);
    }
    fields.extend([("body".to_owned(), body), ("step".to_owned(), step.to_owned())]);
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    let form = page.text.rsplit_once("<form").unwrap().1;
    browser.post(&between(form, "action=\"", "\""), &fields).await
}

#[tokio::test]
async fn an_administrator_sees_a_text_before_it_is_saved_and_goes_back_to_the_built_in_one() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "administrator").await;
    let list = browser.get(A).await;
    assert_eq!(
        list.text.matches("Standardtekst</p>").count(),
        8,
        "four stages, two languages: {}",
        list.text
    );
    let path = format!("{A}/expiry_warning_30d/nb");
    assert!(list.text.contains(&format!("<a href=\"{path}\">")), "{}", list.text);

    let form = browser.get(&path).await;
    assert_eq!(element(&form, "h1"), "Tekst i e-post: 30 dager før utløp, på norsk");
    assert_eq!(written(&form), BUILT_IN);
    assert!(form.text.contains("<dt>{days}</dt>\n<dd lang=\"nb\">30 dager</dd>"), "{}", form.text);
    assert!(!form.text.contains("Bruk standardteksten"), "{}", form.text);

    let text = "Kjære {name}, <b>kom</b> på kurs.  \n\n\n\nDet er {days} igjen.";
    let shown = write(&mut browser, &form, text, "").await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    assert_eq!(element(&shown, "h1"), "Forhåndsvisning: 30 dager før utløp, på norsk");
    for words in [
        "<p lang=\"nb\">Du har en påminnelse</p>",
        "<p>Hei Kari Nordmann,</p>\n<p>Kjære Kari Nordmann, &#60;b&#62;kom&#60;/b&#62; på kurs.</p>\n<p>Det er 30 dager igjen.</p>",
        "Kjære Kari Nordmann, &#60;b&#62;kom&#60;/b&#62; på kurs.\n\nDet er 30 dager igjen.\n\n-- \n",
    ] {
        assert!(shown.text.contains(words), "{words} in {}", shown.text);
    }
    assert!(!shown.text.contains("<b>"), "{}", shown.text);
    assert_eq!(stored(&place).await, "", "nothing is saved yet");

    let edited = write(&mut browser, &form, text, "edit").await;
    assert!(written(&edited).starts_with("Kjære {name}, &#60;b&#62;kom"), "{}", edited.text);
    let saved = write(&mut browser, &form, text, "save").await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    assert_eq!(stored(&place).await, "a 30 nb Kjære {name}, <b>kom</b> på kurs.\n\nDet er {days} igjen.");
    let list = browser.get(&saved.location.unwrap()).await;
    assert_eq!(element(&list, "h1"), "Teksten er lagret: 30 dager før utløp, på norsk");
    assert_eq!(list.text.matches("Egen tekst</p>").count(), 1, "{}", list.text);

    let form = browser.get(&path).await;
    let shown = write(&mut browser, &form, "", "built-in").await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    assert!(shown.text.contains("Likeperson hos "), "{}", shown.text);
    assert_ne!(stored(&place).await, "");
    let saved = write(&mut browser, &shown, BUILT_IN, "save").await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    assert_eq!(stored(&place).await, "");
    // The access log says who changed them.
    place
        .database
        .until("select count(*) = 2 from certvakt.access_events where resource = '/settings/{id}/texts/{stage}/{language}' and method = 'POST' and status = 303")
        .await;
}

#[tokio::test]
async fn a_text_in_another_language_is_shown_in_its_language() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "administrator").await;
    let form = browser.get(&format!("{A}/expired/en")).await;
    assert!(written(&form).starts_with("{type} at {organisation} was valid until {date}."), "{}", form.text);
    let shown = write(&mut browser, &form, "{remaining} Call {chapter}.", "").await;
    let words = "<p>Hello Kari Nordmann,</p>\n<p>That was yesterday. Call The chapter.</p>";
    assert!(shown.text.contains(words), "{}", shown.text);
    assert!(shown.text.contains("<div class=\"letter\" lang=\"en\">"), "{}", shown.text);
}

#[tokio::test]
async fn a_text_that_cannot_be_sent_is_kept_and_its_fault_is_named() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "administrator").await;
    let form = browser.get(&format!("{A}/expired/nb")).await;
    let long = "å".repeat(2_001);
    for (text, fault) in [
        (" \n ", "Skriv teksten"),
        (&*long, "Teksten har 2001 tegn. Den kan ha høyst 2000"),
        ("a\u{202e}b", "usynlig tegn"),
        ("a\u{1b}[31mb", "usynlig tegn"),
        ("Ring {phone}", "«phone» er ikke et felt"),
        ("{<script>}", "«&#60;script&#62;» er ikke et felt"),
        ("Hei {name", "En klamme mangler ved «{name»"),
        ("Hei name}", "En klamme mangler ved «}»"),
        ("{{name}}", "En klamme mangler ved «{{name}}»"),
    ] {
        for step in ["", "save"] {
            let refused = write(&mut browser, &form, text, step).await;
            assert_eq!(refused.status, 422, "{text}: {}", refused.text);
            assert!(element(&refused, "title").starts_with("Feil: "), "{}", refused.text);
            let link = refused.text.split_once("<li><a href=\"#body\">").unwrap().1;
            assert!(link.split('<').next().unwrap().contains(fault), "{fault}: {link}");
            let kept = text.trim().replace('<', "&#60;").replace('>', "&#62;");
            assert_eq!(written(&refused), kept);
        }
    }
    for path in ["expiry_warning_45d/nb", "expired/fr", "other/nb", "expiry_warning_030d/nb"] {
        assert_eq!(browser.get(&format!("{A}/{path}")).await.status, 404, "{path}");
    }
    assert_eq!(stored(&place).await, "");
}

#[tokio::test]
async fn two_administrators_who_write_at_the_same_time_see_both_texts() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place, "administrator").await;
    let form = browser.get(&format!("{A}/expired/nb")).await;
    let change = "insert into certvakt.notice_texts (organisation_id, days_before, locale, body)
                  select id, -1, 'nb', 'Den andre & hennes tekst' from certvakt.organisations where slug = 'a'";
    place.database.execute(change).await;
    let refused = write(&mut browser, &form, "Min tekst", "save").await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert!(refused.text.contains("En annen har endret teksten"), "{}", refused.text);
    assert!(refused.text.contains("lang=\"nb\">Den andre &#38; hennes tekst</p>"), "{}", refused.text);
    assert_eq!(written(&refused), "Min tekst");
    assert_eq!(stored(&place).await, "a -1 nb Den andre & hennes tekst");
    let mut fields = vec![("body", "Min tekst"), ("step", "save"), ("was-body", "Den andre & hennes tekst")];
    let csrf = hidden(&refused).into_iter().find(|(name, _)| name == "csrf").unwrap().1;
    fields.push(("csrf", &csrf));
    let saved = browser.post(&format!("{A}/expired/nb"), &fields).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    assert_eq!(stored(&place).await, "a -1 nb Min tekst");
    // A form that changes nothing takes over what somebody else saved.
    let same = write(&mut browser, &form, BUILT_IN.replace("gjelder", "gjaldt").as_str(), "save").await;
    assert_eq!(same.status, 303, "{}", same.text);
    assert_eq!(stored(&place).await, "a -1 nb Min tekst");
}
