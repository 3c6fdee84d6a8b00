//! Changes by administrators need a sign-in that is recent and strong enough.

use reqwest::Method;
use serde_json::{Value, json};

use super::links::{MENTOR, address_in, all_mailed, mailed, press};
use super::{Browser, TestService};

const ADMINISTRATOR: &str = "00000000-0000-4000-8000-000000000002";

/// The status and the code of a change of data that is not the administrator's own.
async fn change(browser: &mut Browser) -> (u16, String) {
    let said: Value = serde_json::from_str(&browser.get("/sign-in/session").await.text).unwrap();
    browser.headers = vec![("x-csrf-token", said["csrf"].as_str().unwrap().to_owned())];
    let answer = browser.post(&format!("/api/v1/people/{MENTOR}/invitation"), &[]).await;
    let code: Value = serde_json::from_str(&answer.text).unwrap_or_default();
    if answer.status == 401 {
        let challenge = answer.headers["www-authenticate"].to_str().unwrap();
        assert_eq!(challenge, r#"Bearer error="insufficient_user_authentication", max_age="900""#);
    }
    (answer.status, code["code"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn an_administrator_signs_in_again_before_a_change() {
    let place = TestService::start("[step_up]\nmax_age_minutes = 15\n").await;
    mailed(&place, MENTOR, "ok-mentor@example.org").await;
    mailed(&place, ADMINISTRATOR, "ok-administrator@example.org").await;
    for login in ["administrator", "coordinator"] {
        place.known(login).await;
    }
    let required = (401, "step-up-required".to_owned());
    let done = (202, String::new());

    let mut browser = place.browser();
    browser.sign_in("/sign-in/provider", "administrator").await;
    assert_eq!(change(&mut browser).await, required, "the provider did not say when");
    assert_eq!(browser.get("/api/v1/people").await.status, 200, "to look is no change");
    let own = browser.send(Method::PUT, "/api/v1/me/opt-outs/push", &[]).await;
    assert_eq!(own.status, 204, "nor is what is their own another's: {}", own.text);
    browser.sign_in("/sign-in/provider?step_up=true", "administrator").await;
    assert_eq!(change(&mut browser).await, done);
    place
        .database
        .execute("update certvakt.sessions set authenticated_at = authenticated_at - interval '17 minutes'")
        .await;
    assert_eq!(change(&mut browser).await, required, "it is too long ago");

    let mut coordinator = place.browser();
    coordinator.sign_in("/sign-in/provider", "coordinator").await;
    assert_eq!(change(&mut coordinator).await, done, "a coordinator needs none");

    // A link from an app on another site leads to a page that explains it, and keeps the requested strength.
    let mut elsewhere = place.browser();
    elsewhere.sign_in("/sign-in/provider", "administrator").await;
    elsewhere.headers = vec![("sec-fetch-site", "cross-site".to_owned())];
    let stopped =
        elsewhere.get("/sign-in/provider?step_up=true&return_to=/api/v1/me").await.location.unwrap();
    elsewhere.headers.clear();
    let page = elsewhere.get(&stopped).await;
    assert!(page.text.contains("Logg inn på nytt for å gjøre endringer."), "{}", page.text);
    let again = super::between(&page.text, "class=\"button\" href=\"", "\"").replace("&#38;", "&");
    assert_eq!(elsewhere.sign_in(&again, "administrator").await.url, "https://certvakt.example/api/v1/me");
    assert_eq!(change(&mut elsewhere).await.0, 202);

    // A session from a link has no information about the authentication.
    let mut by_link = place.browser();
    let before = place.mail.mails().len();
    by_link.post("/sign-in/link", &[("address", "ok-administrator@example.org")]).await;
    place
        .database
        .until(
            "select exists (select from certvakt.mail_queue where kind = 'link' and mailed_at is not null)",
        )
        .await;
    let mails = place.mail.mails();
    let link = mails[before..]
        .iter()
        .find(|mail| mail["headers"]["subject"] == "Lenken din for å logge inn")
        .unwrap();
    let page = by_link.get(&address_in(link)).await;
    press(&mut by_link, &page).await;
    assert_eq!(change(&mut by_link).await, required);
}

#[tokio::test]
async fn doctor_reports_what_the_provider_lacks() {
    let place = TestService::start("").await;
    let provider =
        |id: &str, issuer: &str| super::client(id, "certvakt", issuer, &place.folder.path().join("secret"));
    let doctor = |providers: &str, step_up: &str| {
        let public = super::PUBLIC;
        let text = format!("[sign_in]\npublic_url = \"{public}\"\n{providers}[step_up]\n{step_up}\n");
        let config = crate::stand_in::write_config(place.folder.path(), &text);
        let output = place
            .database
            .certvakt(["doctor", "--output", "json", "--config", config.to_str().unwrap()])
            .output()
            .unwrap();
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        let findings = found["findings"].as_array().unwrap().iter();
        let of_step_up = findings.filter(|one| one["check"] == "step-up");
        let said = of_step_up
            .map(|one| [&one["status"], &one["text"]].map(|part| part.as_str().unwrap().to_owned()));
        said.collect::<Vec<_>>()
    };
    let (good, absent) = (provider("login", &place.issuer), provider("other", "http://127.0.0.1:1"));
    assert_eq!(doctor(&good, "max_age_minutes = 15"), Vec::<[String; 2]>::new());
    for (providers, step_up, status, expected) in [
        (&good, "acr = [\"urn:high\"]", "problem", "login: the provider supports none of the classes"),
        (&absent, "max_age_minutes = 15", "problem", "other: the provider cannot be reached"),
        // Administrators can sign in at the other one.
        (
            &(good.clone() + &absent),
            "max_age_minutes = 15",
            "warning",
            "other: the provider cannot be reached",
        ),
    ] {
        let said = doctor(providers, step_up);
        let [[is, text]] = &said[..] else { panic!("{said:?}") };
        assert!(is == status && text.starts_with(expected), "{said:?}");
    }
}

#[tokio::test]
async fn a_token_says_when_and_how_its_person_signed_in() {
    let place =
        TestService::start("[step_up]\nmax_age_minutes = 15\nacr = [\"urn:high\", \"urn:higher\"]\n").await;
    mailed(&place, MENTOR, "ok-mentor@example.org").await;
    let now = chrono::Utc::now().timestamp();
    let path = format!("/people/{MENTOR}/invitation");
    for (claims, status) in [
        (json!({}), 401),
        (json!({ "auth_time": now }), 401),
        (json!({ "auth_time": now, "acr": "urn:low" }), 401),
        (json!({ "auth_time": now - 3600, "acr": "urn:high" }), 401),
        (json!({ "auth_time": now.to_string(), "acr": "urn:high" }), 401),
        (json!({ "auth_time": now, "acr": ["urn:high"] }), 401),
        (json!({ "auth_time": now, "acr": "urn:higher" }), 202),
    ] {
        let (answered, body) = place.send("administrator", claims.clone(), Method::POST, &path, None).await;
        assert_eq!(answered, status, "{claims}: {body}");
    }
    assert_eq!(all_mailed(&place, 1).await.len(), 1);
}
