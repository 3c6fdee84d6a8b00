//! Sign-in at a real OpenID Connect provider.

use reqwest::Method;

use super::{Provider, SECRET, TestService, lines_of};

#[tokio::test]
async fn a_code_becomes_a_session_of_the_person_and_a_new_one_each_time() {
    let place = TestService::start("").await;
    place.known("coordinator").await;
    let mut browser = place.browser();
    let page = browser.sign_in("/sign-in/provider?return_to=/api/v1/me%3Fa%3D1%262", "coordinator").await;
    assert_eq!((page.status, &*page.url), (200, "https://certvakt.example/api/v1/me?a=1&2"), "{}", page.text);
    assert!(page.text.contains("Coordinator"), "{}", page.text);
    let set: Vec<&String> =
        browser.set.iter().filter(|cookie| cookie.starts_with("__Host-certvakt=")).collect();
    let [set] = set[..] else { panic!("{:?}", browser.set) };
    let (secret, flags) = set.split_once(';').unwrap();
    assert_eq!(secret.len(), "__Host-certvakt=".len() + 64);
    assert_eq!(flags, " HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=604800");
    let begun = browser.set.iter().find(|cookie| cookie.starts_with("__Host-certvakt-sign-in=")).unwrap();
    assert!(begun.ends_with("; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=600"), "{begun}");
    assert!(
        !browser.cookies.contains_key("certvakt.example __Host-certvakt-sign-in"),
        "it is taken away again"
    );
    // The value in the database is not a valid secret.
    let kept: String = place.database.value("select encode(token_hash, 'hex') from certvakt.sessions").await;
    assert!(!set.contains(&kept));

    let first = browser.cookies["certvakt.example __Host-certvakt"].clone();
    browser.sign_in("/sign-in/provider", "coordinator").await;
    assert_ne!(browser.cookies["certvakt.example __Host-certvakt"], first, "a new one each time");
    let sessions: i64 = place.database.value("select count(*) from certvakt.sessions").await;
    assert_eq!(sessions, 1, "and the former is over");
    let page = browser.get("/today").await;
    assert!(page.text.contains("Coordinator, koordinator"), "{}", page.text);
    let log = place.service.end();
    assert!(!log.contains(&first) && !log.contains(SECRET) && !log.contains("Coordinator"), "{log}");
}

#[tokio::test]
async fn a_return_path_never_leads_to_another_site() {
    let place = TestService::start("").await;
    let mut browser = place.browser();
    for to in [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/%09/evil.example",
        "evil.example",
        "",
        "/a;b",
        "/a b",
    ] {
        let written = to.replace('%', "%25").replace(' ', "%20").replace(';', "%3B").replace('\\', "%5C");
        let page = browser.sign_in(&format!("/sign-in/provider?return_to={written}"), "somebody").await;
        // The start page sends a login without a person to the page that says what to do.
        let local = if to == "/%09/evil.example" { to } else { "/sign-in?return_to=%2F" };
        assert_eq!(page.url, format!("https://certvakt.example{local}"), "{to}");
    }
}

#[tokio::test]
async fn another_site_cannot_start_a_sign_in() {
    let place = TestService::start("").await;
    let mut browser = place.browser();
    for (site, begins) in [("cross-site", false), ("same-site", false), ("same-origin", true), ("none", true)]
    {
        browser.headers = vec![("sec-fetch-site", site.to_owned())];
        let answer = browser.get("/sign-in/provider?return_to=/somewhere").await;
        let to = answer.location.unwrap();
        let is_provider = to.starts_with(&place.issuer);
        assert_eq!((answer.status, is_provider), (303, begins), "{site}: {to}");
        assert!(begins || to == "https://certvakt.example/sign-in?return_to=%2Fsomewhere", "{site}: {to}");
        assert_eq!(answer.headers.contains_key("set-cookie"), begins, "{site}");
    }
}

#[tokio::test]
async fn mismatched_responses_sign_nobody_in() {
    let place = TestService::start("").await;
    let mut browser = place.browser();
    // Up to the provider's response, which is not followed.
    let callback = browser
        .sign_in_until("/sign-in/provider", "somebody", "https://certvakt.example/sign-in/callback")
        .await;
    let mut stranger = place.browser();
    let answer = stranger.get(&callback).await;
    assert_eq!(
        (answer.status, place.sessions().await),
        (400, 0),
        "a browser that began nothing: {}",
        answer.text
    );
    assert!(
        answer.text.contains("<html lang=\"nb\">") && answer.text.contains("Begynn på nytt"),
        "{}",
        answer.text
    );
    stranger.get("/sign-in/provider").await;
    assert_eq!(stranger.get(&callback).await.status, 400, "one that began another");
    let (before, state) = callback.split_once("state=").unwrap();
    let forged = format!("{before}state={}{}", if state.starts_with('a') { 'b' } else { 'a' }, &state[1..]);
    assert_eq!(browser.get(&forged).await.status, 400, "another state");
    // The code of one sign-in in another, even in the same browser: PKCE.
    let other = browser
        .sign_in_until("/sign-in/provider", "somebody", "https://certvakt.example/sign-in/callback")
        .await;
    let code = |url: &str| url.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let mixed = other.replace(&code(&other), &code(&callback));
    assert_eq!((browser.get(&mixed).await.status, place.sessions().await), (403, 0), "another's code");

    let callback = browser
        .sign_in_until("/sign-in/provider", "somebody", "https://certvakt.example/sign-in/callback")
        .await;
    let cookies = browser.cookies.clone();
    assert_eq!(browser.get(&callback).await.status, 303);
    assert_eq!(browser.get(&callback).await.status, 400, "replayed: nothing is begun");
    browser.cookies = cookies;
    assert_eq!(browser.get(&callback).await.status, 403, "replayed with its cookie: the provider refuses");
    assert_eq!(place.sessions().await, 1);
}

#[tokio::test]
async fn an_invalid_id_token_signs_nobody_in() {
    let mut place = TestService::start("").await;
    for (lie, reason) in [
        ("nonce", "its nonce does not match this sign-in"),
        ("no-nonce", "its nonce does not match this sign-in"),
        ("audience", "its aud is not this client alone"),
        ("audiences", "its aud is not this client alone"),
        ("issuer", "its iss is another issuer"),
        ("expired", "it has expired"),
        ("signature", "its signature is wrong"),
        ("shared", "its alg is not an accepted asymmetric algorithm"),
        ("unsigned", "its header is malformed or has an unknown algorithm"),
    ] {
        place = {
            let client = place.client(lie);
            place.again(&client)
        };
        let answer = place.browser().sign_in("/sign-in/provider", "somebody").await;
        assert_eq!((answer.status, place.sessions().await), (403, 0), "{lie}: {}", answer.text);
        assert!(answer.text.contains("Innloggingen kunne ikke fullføres"), "{lie}: {}", answer.text);
        place.service.until_said(reason).await;
        assert!(place.service.said().contains("sign-in-failed"));
    }
}

#[tokio::test]
async fn a_failing_provider_is_shown_as_a_page() {
    let provider = Provider::start();
    let place = TestService::start_with(&provider, "").await;
    let mut browser = place.browser();
    browser.language = "en-GB,en;q=0.9,nb;q=0.8";
    let form = browser.follow(Method::GET, "/sign-in/provider", &[]).await;
    let denied = browser.follow(Method::GET, &format!("{}/abort", form.url), &[]).await;
    assert_eq!(denied.status, 403, "{}", denied.text);
    assert!(
        denied.text.contains("cancelled or refused") && denied.text.contains("href=\"/\""),
        "{}",
        denied.text
    );

    let callback = browser
        .sign_in_until("/sign-in/provider", "somebody", "https://certvakt.example/sign-in/callback")
        .await;
    drop(provider);
    let answer = browser.get(&callback).await;
    assert_eq!((answer.status, place.sessions().await), (503, 0), "{}", answer.text);
    assert!(answer.text.contains("does not respond"), "{}", answer.text);
    // A provider whose metadata is not cached yet.
    let place = place.again("");
    let answer = place.browser().get("/sign-in/provider").await;
    assert_eq!(answer.status, 503, "{}", answer.text);
    assert_eq!(lines_of(&answer.text, "<h1>"), 1);
}
