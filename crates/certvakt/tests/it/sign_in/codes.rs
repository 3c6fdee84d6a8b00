//! Where a sign-in by e-mail leads, and the code beside the link.

use super::links::{MENTOR, address_in, all_mailed, mailed, press};
use super::{Browser, TestService, between};

/// A page of the mentor's.
const PAGE: &str = "/certifications/00000000-0000-4000-8000-0000000200a2";

/// Requests an e-mail from the page that a browser without a session shows instead of `PAGE`.
async fn request_mail(browser: &mut Browser) {
    let form = browser.follow(reqwest::Method::GET, PAGE, &[]).await;
    assert!(form.text.contains(&format!("name=\"return_to\" value=\"{PAGE}\"")), "{}", form.text);
    let fields = [("address", "ok-mentor@example.org"), ("return_to", PAGE)];
    let sent = browser.follow(reqwest::Method::POST, "/sign-in/link", &fields).await;
    assert!(
        sent.text.contains("action=\"/sign-in/code\"") && sent.text.contains("one-time-code"),
        "{}",
        sent.text
    );
}

/// The code in the text part of the newest e-mail.
pub(super) async fn newest_code(place: &TestService, mails: usize) -> String {
    let mail = all_mailed(place, mails).await.pop().unwrap();
    let text = mail["parts"][0]["text"].as_str().unwrap();
    let line = text.lines().find(|line| line.starts_with("Eller skriv koden")).unwrap();
    assert!(mail["parts"][1]["text"].as_str().unwrap().contains(line), "{mail}");
    let code: String = line.chars().filter(char::is_ascii_digit).collect();
    assert_eq!(code.len(), 6, "{line}");
    code
}

/// Another code of six digits.
fn other(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000)
}

async fn place() -> TestService {
    let place = TestService::start("").await;
    mailed(&place, MENTOR, "ok-mentor@example.org").await;
    place
}

#[tokio::test]
async fn a_link_leads_to_the_page_that_the_person_wanted() {
    let place = place().await;
    request_mail(&mut place.browser()).await;
    // An app for e-mail opens it in another browser.
    let mut other = place.browser();
    let page = other.get(&address_in(&all_mailed(&place, 1).await[0])).await;
    let shown = press(&mut other, &page).await;
    assert_eq!((shown.status, shown.url.strip_prefix("https://certvakt.example")), (200, Some(PAGE)));

    for (number, elsewhere) in
        ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere", "/sign-in/invitation?token=x"]
            .into_iter()
            .enumerate()
    {
        let mut browser = place.browser();
        browser
            .post("/sign-in/link", &[("address", "ok-mentor@example.org"), ("return_to", elsewhere)])
            .await;
        let page = browser.get(&address_in(&all_mailed(&place, number + 2).await[number + 1])).await;
        let first =
            browser.post("/sign-in/link/open", &[("token", page.url.split_once("token=").unwrap().1)]).await;
        assert_eq!(first.location.as_deref(), Some("https://certvakt.example/"), "{elsewhere}");
    }
}

#[tokio::test]
async fn a_code_signs_in_once_and_only_in_the_browser_that_asked_for_it() {
    let place = place().await;
    let mut browser = place.browser();
    request_mail(&mut browser).await;
    let code = newest_code(&place, 1).await;
    let mut thief = place.browser();
    for (code, is_thief) in [(&code, true), (&other(&code), false), (&String::new(), false)] {
        let browser = if is_thief { &mut thief } else { &mut browser };
        let refused = browser.post("/sign-in/code", &[("code", code), ("return_to", PAGE)]).await;
        assert_eq!((refused.status, place.sessions().await), (422, 0), "{}", refused.text);
        // A new e-mail leads to the same page.
        let again = between(&refused.text, "<a href=\"/sign-in?", "\"");
        assert!(again.starts_with("return_to=%2F") && again.len() > "return_to=%2F".len(), "{again}");
        assert!(refused.text.contains("Be om en ny e-post</a>"), "{}", refused.text);
        assert!(refused.text.contains(&format!("name=\"return_to\" value=\"{PAGE}\"")), "{}", refused.text);
        assert!(refused.text.contains("<title>Feil: Koden er ikke gyldig"), "{}", refused.text);
        assert!(refused.text.contains("<h1 tabindex=\"-1\" autofocus>"), "the heading has the focus");
    }
    let (first, last) = code.split_at(3);
    let shown = browser.post("/sign-in/code", &[("code", &format!(" {first} {last} "))]).await;
    assert_eq!(
        shown.location.as_deref(),
        Some(&*format!("https://certvakt.example{PAGE}")),
        "{}",
        shown.text
    );
    assert_eq!((browser.get(PAGE).await.status, place.sessions().await), (200, 1));
    let again = browser.post("/sign-in/code", &[("code", &code)]).await;
    assert_eq!((again.status, place.sessions().await), (422, 1), "it works once");
    let page = thief.get(&address_in(&all_mailed(&place, 1).await[0])).await;
    assert_eq!(press(&mut thief, &page).await.status, 422, "nor does the link");
}

#[tokio::test]
async fn five_wrong_codes_end_a_code_but_not_its_link() {
    let place = place().await;
    let mut browser = place.browser();
    request_mail(&mut browser).await;
    let code = newest_code(&place, 1).await;
    let wrong = "update certvakt.mail_queue set wrong_codes = wrong_codes + 4";
    place.database.execute(wrong).await;
    let refused = browser.post("/sign-in/code", &[("code", &other(&code))]).await;
    assert_eq!(refused.status, 422);
    let refused = browser.post("/sign-in/code", &[("code", &code)]).await;
    assert_eq!((refused.status, place.sessions().await), (422, 0), "the sixth, which is right");
    let page = browser.get(&address_in(&all_mailed(&place, 1).await[0])).await;
    press(&mut browser, &page).await;
    assert_eq!(place.sessions().await, 1);
}

#[tokio::test]
async fn only_the_last_requested_code_of_a_browser_is_valid() {
    let place = place().await;
    mailed(&place, "00000000-0000-4000-8000-0000000100a4", "ok-other@example.org").await;
    let mut browser = place.browser();
    request_mail(&mut browser).await;
    let former = newest_code(&place, 1).await;
    browser.post("/sign-in/link", &[("address", "ok-other@example.org")]).await;
    let last = newest_code(&place, 2).await;
    let refused = browser.post("/sign-in/code", &[("code", &former)]).await;
    assert_eq!((refused.status, place.sessions().await), (422, 0), "a guess is not compared with both");
    let shown = browser.post("/sign-in/code", &[("code", &last)]).await;
    assert_eq!((shown.status, place.sessions().await), (303, 1), "{}", shown.text);
}

#[tokio::test]
async fn a_browser_sends_few_codes() {
    let place = place().await;
    let mut browser = place.browser();
    request_mail(&mut browser).await;
    let mut statuses = Vec::new();
    for number in 0..7 {
        statuses.push(browser.post("/sign-in/code", &[("code", &format!("{number:06}"))]).await.status);
    }
    assert_eq!(statuses, [422, 422, 422, 422, 422, 429, 429]);
}
