//! Sessions: their lifetime, their end, and protection against other sites.

use reqwest::Method;
use serde_json::Value;

use super::codes::newest_code;
use super::links::{MENTOR, address_in, all_mailed, mailed, press};
use super::{Browser, HOME, TestService, between};
use crate::harness::TestDatabase;

/// A browser in which the coordinator is signed in.
async fn signed_in(place: &TestService) -> Browser {
    place.known("coordinator").await;
    let mut browser = place.browser();
    browser.sign_in("/sign-in/provider", "coordinator").await;
    browser
}

async fn csrf(browser: &mut Browser) -> String {
    let answer = browser.get("/sign-in/session").await;
    let said: Value = serde_json::from_str(&answer.text).unwrap();
    said["csrf"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_session_ends_after_a_week_or_twelve_quiet_hours_or_when_its_person_signs_out() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place).await;
    let move_back = async |what: &str, by: &str| {
        place
            .database
            .execute(&format!("update certvakt.sessions set {what} = {what} - interval '{by}'"))
            .await;
    };
    let is_over = async |browser: &mut Browser| {
        let answer = browser.get("/api/v1/me").await;
        assert!(matches!(answer.status, 200 | 401), "{}", answer.text);
        answer.status == 401
    };
    let seen = "select seen_at::text from certvakt.sessions";
    // Used a moment ago: nothing is written.
    move_back("seen_at", "4 minutes").await;
    let before: String = place.database.value(seen).await;
    assert!(!is_over(&mut browser).await);
    assert_eq!(place.database.value::<String>(seen).await, before);
    move_back("seen_at", "11 hours").await;
    assert!(!is_over(&mut browser).await);
    let recent = "select seen_at > now() - interval '1 minute' from certvakt.sessions";
    assert!(place.database.value::<bool>(recent).await, "it was seen again");
    move_back("seen_at", "12 hours").await;
    assert!(is_over(&mut browser).await, "twelve quiet hours");
    assert!(!place.database.value::<bool>(recent).await, "which a late request does not undo");

    browser.sign_in("/sign-in/provider", "coordinator").await;
    move_back("expires_at", "6 days 23 hours").await;
    assert!(!is_over(&mut browser).await);
    move_back("expires_at", "1 hour").await;
    assert!(is_over(&mut browser).await, "a week");

    browser.sign_in("/sign-in/provider", "coordinator").await;
    let cookies = browser.cookies.clone();
    let csrf = csrf(&mut browser).await;
    let out = browser.post("/sign-out", &[("csrf", &csrf)]).await;
    assert_eq!(out.location.as_deref(), Some("https://certvakt.example/sign-in"));
    let taken = browser.set.last().unwrap();
    assert_eq!(taken, "__Host-certvakt=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0");
    browser.cookies = cookies;
    assert!(is_over(&mut browser).await, "for whoever kept its cookie, too");
    assert_eq!(browser.get("/sign-in/session").await.status, 401);
    assert_eq!(browser.post("/sign-out", &[]).await.status, 303, "who is out already stays out");
}

/// The cookie of the browser's session.
const COOKIE: &str = "certvakt.example __Host-certvakt";

/// Plants a session cookie in a new browser, signs in there, and asserts that the cookie's session is over and that the
/// new one is another.
async fn replaces(place: &TestService, planted: &str, sign_in: impl AsyncFnOnce(&mut Browser)) {
    let mut browser = place.browser();
    browser.cookies.insert(COOKIE.to_owned(), planted.to_owned());
    sign_in(&mut browser).await;
    let new = browser.cookies[COOKIE].clone();
    assert_ne!(new, planted);
    assert_eq!(browser.get("/api/v1/me").await.status, 200);
    browser.cookies.insert(COOKIE.to_owned(), planted.to_owned());
    assert_eq!(browser.get("/api/v1/me").await.status, 401, "the former is worth nothing");
}

#[tokio::test]
async fn each_way_of_signing_in_replaces_a_session_cookie_that_somebody_set_before() {
    let place = TestService::start("").await;
    place.known("coordinator").await;
    // One that no session has, and one of the session of somebody who planted it.
    let mut mails = 0;
    for (is_session, person, address) in [
        (false, MENTOR, "ok-mentor@example.org"),
        (true, "00000000-0000-4000-8000-0000000100a3", "ok-beside@example.org"),
    ] {
        mailed(&place, person, address).await;
        let planted = async || {
            if !is_session {
                return "a".repeat(64);
            }
            let mut other = place.browser();
            other.sign_in("/sign-in/provider", "coordinator").await;
            other.cookies[COOKIE].clone()
        };
        replaces(&place, &planted().await, async |browser| {
            browser.sign_in("/sign-in/provider", "coordinator").await;
        })
        .await;
        let form = [("address", address)];
        mails += 1;
        replaces(&place, &planted().await, async |browser| {
            browser.post("/sign-in/link", &form).await;
            let page = browser.get(&address_in(&all_mailed(&place, mails).await[mails - 1])).await;
            press(browser, &page).await;
        })
        .await;
        mails += 1;
        replaces(&place, &planted().await, async |browser| {
            browser.post("/sign-in/link", &form).await;
            let code = newest_code(&place, mails).await;
            browser.post("/sign-in/code", &[("code", &code)]).await;
        })
        .await;
    }
}

#[tokio::test]
async fn a_sign_in_at_the_demo_replaces_a_session_cookie_that_somebody_set_before() {
    let database = TestDatabase::rehearsal().await;
    let folder = tempfile::tempdir().unwrap();
    let config = crate::stand_in::write_config(folder.path(), "[serve]\nlisten = \"127.0.0.1:0\"\n");
    let service = crate::service::Service::demo(&database, &config);
    let mut browser = Browser::of(&service);
    let form = browser.get(HOME).await;
    let person = between(&form.text, "name=\"person\" value=\"", "\"");
    let mut cookie = "a".repeat(64);
    for _ in 0..2 {
        browser.cookies.insert(COOKIE.to_owned(), cookie.clone());
        browser.post("/sign-in/demo", &[("person", &person)]).await;
        let new = browser.cookies[COOKIE].clone();
        assert_ne!(new, cookie);
        assert_eq!(browser.get("/api/v1/me").await.status, 200);
        browser.cookies.insert(COOKIE.to_owned(), cookie);
        assert_eq!(browser.get("/api/v1/me").await.status, 401, "the former is worth nothing");
        cookie = new;
    }
}

#[tokio::test]
async fn expired_rows_are_deleted() {
    let place = TestService::start("").await;
    place
        .database
        .execute(
            "insert into certvakt.sessions (token_hash, issuer, subject, seen_at, expires_at) values
               (sha256('quiet'), 'i', 'quiet', now() - interval '13 hours', now() + interval '1 day'),
               (sha256('old'), 'i', 'old', now(), now() - interval '1 hour'), (sha256('good'), 'i', 'good', now(), now() + interval '1 day');
             insert into certvakt.digest_settings (person_id, schedule) values ('00000000-0000-4000-8000-000000000001', 'off');
             insert into certvakt.contact_points (person_id, kind, address)
             select '00000000-0000-4000-8000-000000000001', 'email', 'koordinator@example.org';
             insert into certvakt.mail_queue (kind, person_id, contact_point_id, valid_for, mail_due_at, requested_at)
             select 'link', person_id, id, interval '15 minutes', null, now() - age
             from certvakt.contact_points, unnest(array[interval '15 minutes', interval '14 minutes']) as age
             where kind = 'email';
             insert into certvakt.invitations (person_id, token_hash, expires_at) values
               ('00000000-0000-4000-8000-000000000001', sha256('old'), now()),
               ('00000000-0000-4000-8000-000000000001', sha256('good'), now() + interval '1 day')",
        )
        .await;
    let place = place.again("");
    place
        .database
        .until("select (select string_agg(subject, ' ') from certvakt.sessions) is not distinct from 'good'
                  and (select count(*) from certvakt.mail_queue) = 1 and (select count(*) from certvakt.invitations) = 1")
        .await;
}

#[tokio::test]
async fn another_site_changes_nothing() {
    let place = TestService::start("").await;
    let mut browser = signed_in(&place).await;
    let csrf = csrf(&mut browser).await;
    let put = async |browser: &Browser, headers: &[(&str, &str)]| {
        let url = format!("{}/api/v1/me/devices/phone", browser.service);
        let cookie = format!("__Host-certvakt={}", browser.cookies["certvakt.example __Host-certvakt"]);
        let mut request = browser.client.request(Method::PUT, url).header("cookie", cookie);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = serde_json::json!({ "token": "token" });
        let answer = request.json(&body).send().await.unwrap();
        let status = answer.status().as_u16();
        (
            status,
            answer
                .json::<Value>()
                .await
                .map_or(String::new(), |one| one["code"].as_str().unwrap().to_owned()),
        )
    };
    let forged = (403, "request-forged".to_owned());
    let wrong = csrf.chars().rev().collect::<String>();
    for headers in [
        vec![],
        vec![("x-csrf-token", "")],
        vec![("x-csrf-token", &*wrong)],
        vec![("x-csrf-token", &csrf[..63])],
        vec![("x-csrf-token", &*browser.cookies["certvakt.example __Host-certvakt"])],
        vec![("x-csrf-token", &*csrf), ("sec-fetch-site", "cross-site")],
        vec![("x-csrf-token", &*csrf), ("sec-fetch-site", "same-site")],
    ] {
        assert_eq!(put(&browser, &headers).await, forged, "{headers:?}");
    }
    for site in ["same-origin", "none"] {
        let right = [("x-csrf-token", &*csrf), ("sec-fetch-site", site)];
        assert_eq!(put(&browser, &right).await, (204, String::new()));
    }
    // A bearer token takes precedence over the cookie, valid or not; a form of another site cannot send one.
    let answer = put(&browser, &[("authorization", "Bearer x"), ("x-csrf-token", &csrf)]).await;
    assert_eq!(answer, (401, "token-invalid".to_owned()));
    let bearer = format!("Bearer {}", crate::api::token("coordinator"));
    assert_eq!(put(&browser, &[("authorization", &bearer)]).await, (204, String::new()));

    for form in [vec![], vec![("csrf", &*wrong)]] {
        let page = browser.post("/sign-out", &form).await;
        assert_eq!(page.status, 403);
        assert!(page.text.contains("fra en av sidene våre"), "{}", page.text);
    }
    browser.headers = vec![("sec-fetch-site", "cross-site".to_owned())];
    assert_eq!(browser.post("/sign-out", &[("csrf", &csrf)]).await.status, 403);
    assert_eq!(browser.post("/sign-in/link", &[("address", "a@example.org")]).await.status, 403);
    assert_eq!(browser.post("/sign-in/link/open", &[("token", "x")]).await.status, 403);
    assert_eq!(place.sessions().await, 1);
    // Reads and navigation from another site's link are not changes.
    assert_eq!(browser.get("/api/v1/me").await.status, 200);
}

#[tokio::test]
async fn a_cookie_that_is_no_session_is_nobody() {
    let place = TestService::start("").await;
    let mut browser = place.browser();
    for value in ["", "x", &"0".repeat(64), &"A".repeat(64), "' or true --"] {
        browser.cookies.insert("certvakt.example __Host-certvakt".to_owned(), value.to_owned());
        let answer = browser.get("/api/v1/me").await;
        assert_eq!(answer.status, 401, "{value}");
        assert!(answer.text.contains("token-missing"), "{}", answer.text);
    }
}

#[tokio::test]
async fn the_pages_are_readable_by_everybody_and_load_nothing() {
    let place = TestService::start("").await;
    let mut browser = place.browser();
    for (language, tag, words) in [
        ("nb-NO,nb;q=0.9,en;q=0.8", "nb", "Send meg en lenke"),
        ("en-US,en;q=0.5", "en", "Send me a link"),
        ("fr, nn;q=0.5", "nb", "E-postadresse"),
        ("", "nb", "E-postadresse"),
    ] {
        browser.language = language;
        let page = browser.get(HOME).await;
        assert!(page.text.contains(&format!("<html lang=\"{tag}\">")), "{language}: {}", page.text);
        assert!(page.text.contains(words), "{language}: {}", page.text);
        assert_eq!(page.text.matches("<h1>").count(), 1);
        assert_eq!(between(&page.text, "<label for=\"", "\""), between(&page.text, "<input id=\"", "\""));
        assert!(!page.text.contains("<script") && !page.text.contains("style="), "{}", page.text);
        let policies: Vec<_> = page.headers.get_all("content-security-policy").iter().collect();
        assert_eq!(
            policies,
            [
                "default-src 'none'; script-src 'none'; style-src 'self'; object-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
            ]
        );
        assert_eq!(page.headers["cache-control"], "no-store");
        assert_eq!(page.headers["referrer-policy"], "no-referrer");
    }
    let page = browser.get(HOME).await;
    let style = browser.get(&between(&page.text, "stylesheet\" href=\"", "\"")).await;
    assert_eq!(
        (style.status, &style.headers["content-type"]),
        (200, &"text/css; charset=utf-8".parse().unwrap())
    );
    // The value is escaped in the page.
    let page = browser.get("/sign-in/link?token=%22%3E%3Cscript%3E").await;
    assert!(!page.text.contains("<script>"), "{}", page.text);
}

#[tokio::test]
async fn a_refusal_is_a_page_for_people_and_problem_details_for_scripts() {
    let place = TestService::start("").await.again("links = false\n");
    let mut browser = place.browser();
    browser.language = "en";
    for (method, path, status, words) in [
        (Method::GET, "/sign-in/link", 422, "request is invalid"),
        (Method::GET, "/sign-in/invitation?token=x", 404, "Ask for a new one"),
        (Method::POST, "/sign-in/invitation", 401, "Sign in, and try again"),
        (Method::POST, "/sign-in/link", 404, "switched off"),
    ] {
        let page = browser.send(method.clone(), path, &[("token", "x"), ("address", "a@example.org")]).await;
        assert_eq!(page.status, status, "{method} {path}: {}", page.text);
        assert_eq!(page.headers["content-type"], "text/html; charset=utf-8", "{method} {path}");
        assert!(page.text.contains(words) && page.text.contains("<h1>"), "{method} {path}: {}", page.text);
    }
    let answer = browser.get("/sign-in/session").await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.headers["content-type"], "application/problem+json");
}

#[tokio::test]
async fn without_the_section_nobody_signs_in() {
    let place = TestService::start("").await;
    let folder = tempfile::tempdir().unwrap();
    let config = crate::stand_in::write_config(folder.path(), "[serve]\nlisten = \"127.0.0.1:0\"\n");
    let service = crate::service::Service::start(&place.database, &config, super::NOON);
    let mut browser = place.browser();
    browser.service = format!("http://{}", service.address());
    for path in [HOME, "/sign-in/provider", "/sign-in/link?token=x"] {
        assert_eq!(browser.get(path).await.status, 404);
    }
}

#[tokio::test]
async fn people_see_where_they_are_signed_in_and_end_it() {
    let place = TestService::start("").await;
    let mut phone = signed_in(&place).await;
    let mut desk = place.browser();
    desk.headers = vec![("user-agent", "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0 <b>".to_owned())];
    desk.sign_in("/sign-in/provider", "coordinator").await;
    place.known("mentor").await;
    let mut other = place.browser();
    other.sign_in("/sign-in/provider", "mentor").await;

    let listed = async |browser: &mut Browser| -> Vec<(String, bool)> {
        let all: Value = serde_json::from_str(&browser.get("/api/v1/me/sessions").await.text).unwrap();
        let all = all.as_array().unwrap().iter();
        all.map(|one| (one["browser"].as_str().unwrap().to_owned(), one["is_current"] == true)).collect()
    };
    let mut own = listed(&mut desk).await;
    own.sort();
    assert_eq!(own, [(String::new(), false), ("Firefox, Linux".to_owned(), true)]);
    assert_eq!(listed(&mut other).await.len(), 1, "nobody sees another's");

    // A quarter past midnight in Oslo.
    place.database.execute("update certvakt.sessions set created_at = '2026-11-26T23:15:00Z'").await;
    let page = desk.get("/me").await;
    assert!(
        page.text.contains("Siden 27. november 2026: Firefox, Linux (denne nettleseren)"),
        "{}",
        page.text
    );
    let form = page.text.split("/me/sessions").nth(1).unwrap();
    let [csrf, session] =
        ["csrf", "session"].map(|name| between(form, &format!("name=\"{name}\" value=\""), "\""));
    // A form for another person's session, or without the CSRF token, ends nothing.
    let others: String =
        place.database.value("select id::text from certvakt.sessions where subject = 'mentor'").await;
    assert_eq!(desk.post("/me/sessions", &[("csrf", &csrf), ("session", &others)]).await.status, 303);
    assert_eq!(desk.post("/me/sessions", &[("session", &session)]).await.status, 403);
    assert_eq!(place.sessions().await, 3);
    assert_eq!(desk.post("/me/sessions", &[("csrf", &csrf), ("session", &session)]).await.status, 303);
    assert_eq!(phone.get("/api/v1/me").await.status, 401);

    phone.sign_in("/sign-in/provider", "coordinator").await;
    desk.headers.push(("x-csrf-token", csrf));
    assert_eq!(desk.send(Method::DELETE, &format!("/api/v1/me/sessions/{others}"), &[]).await.status, 404);
    assert_eq!(desk.send(Method::DELETE, "/api/v1/me/sessions", &[]).await.status, 204);
    assert_eq!((place.sessions().await, listed(&mut desk).await.len()), (2, 1));
    // A token of the app ends them all.
    assert_eq!(place.ask("coordinator", Method::DELETE, "/me/sessions").await.0, 204);
    assert_eq!((desk.get("/api/v1/me").await.status, other.get("/api/v1/me").await.status), (401, 200));
}

#[tokio::test]
async fn a_new_browser_is_reported_once() {
    let place = TestService::start("").await;
    super::links::mailed(&place, "00000000-0000-4000-8000-000000000001", "ok-coordinator@example.org").await;
    let mails = "select count(*) from certvakt.mail_queue where kind = 'new-login'";
    let mut browser = signed_in(&place).await;
    assert_eq!(place.database.value::<i64>(mails).await, 1);
    let kept = browser.set.iter().find(|cookie| cookie.starts_with("__Host-certvakt-browser=")).unwrap();
    assert!(kept.ends_with("; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=34560000"), "{kept}");
    browser.sign_in("/sign-in/provider", "coordinator").await;
    assert_eq!(place.database.value::<i64>(mails).await, 1, "this one is known");
    // An unknown cookie counts as none.
    let mut stranger = place.browser();
    stranger.cookies.insert("certvakt.example __Host-certvakt-browser".to_owned(), "known".to_owned());
    stranger.sign_in("/sign-in/provider", "coordinator").await;
    assert_eq!(place.database.value::<i64>(mails).await, 2);
    let mail = &super::links::all_mailed(&place, 2).await[0];
    assert_eq!(mail["headers"]["to"], "ok-coordinator@example.org");
    assert_eq!(mail["headers"]["subject"], "Ny innlogging");
    // A browser that another person has used is new for this person.
    place.known("mentor").await;
    browser.cookies.retain(|name, _| name.starts_with("certvakt.example "));
    super::links::mailed(&place, super::links::MENTOR, "ok-mentor@example.org").await;
    browser.sign_in("/sign-in/provider", "mentor").await;
    assert_eq!(place.database.value::<i64>(mails).await, 3);
}
